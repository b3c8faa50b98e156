//! `org add`, `org set-credentials`, `org remove`: files written, secrets sealed. A secret is never
//! taken from the command line, where every user of the machine could read it.

use super::app::{App, done, find};
use super::args::{OrgAdd, OrgCredentials};
use super::exit::{Code, Failure};
use super::in_force::{Changed, in_force, let_go, tell_daemon};
use crate::config::{
    NewOrganization, OrganizationFile, clean_secret, forget_secret, set_client_id, shown_variable,
    write_organization,
};
use crate::credentials::{Credentials, REMOVED, Replaced, folder, open, seal};
use crate::integrations::load_organizations;
use crate::store::{Status, Store};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use zeroize::Zeroizing;

pub(super) async fn add(app: &App, store: &Store, new: &OrgAdd) -> Result<(), Failure> {
    let vault = app.vault(store).await?;
    let id = match new.id {
        Some(id) => id,
        None => ask(
            "Classy's id of the organization (the number in the admin's address)",
            "--id",
        )?
        .parse()
        .map_err(|_| Failure::usage("an organization's id is a number"))?,
    };
    if id <= 0 {
        return Err(Failure::usage("an organization's id is a number above 0"));
    }
    let name = new.name.clone().map_or_else(|| ask("Name", "--name"), Ok)?;
    let client_id = new
        .client_id
        .clone()
        .map_or_else(|| ask("Client id", "--client-id"), Ok)?;
    let client_secret = secret(new.secret_env.as_deref())?;
    let dir = &app.config.organizations.dir;
    if let Some(file) = file_of(app, id) {
        let hint = format!("`classy-sync org set-credentials {id}` replaces its credentials");
        return Err(Failure::new(
            Code::Configuration,
            format!(
                "organization {id} has a file already: {}",
                file.path.display()
            ),
        )
        .hint(hint));
    }
    let file = NewOrganization {
        classy_id: id,
        name: name.clone(),
        client_id: client_id.clone(),
        base_url: new.base_url.clone(),
        token_url: new.token_url.clone(),
    };
    let path = write_organization(dir, &file)?;
    // A file that would be refused is not left behind.
    if let Some(Err(error)) = load_organizations(dir)
        .into_iter()
        .find(|file| matches!(file, Err(error) if error.to_string().contains(&path.display().to_string())))
    {
        let _ = std::fs::remove_file(&path);
        return Err(error.into());
    }
    let organization = store.put_organization(id, &name).await?;
    store.note_applied(&[id], &folder(dir)).await?;
    let tenant = store.tenant(&organization);
    seal(
        &vault,
        &tenant,
        &Credentials {
            client_id,
            client_secret,
            plugins: BTreeMap::new(),
            replaced: Replaced::default(),
        },
    )
    .await?;
    if organization.status != Status::Active {
        tenant.set_status(Status::Active, None).await?;
    }
    tenant
        .note(
            "org.add",
            serde_json::json!({ "file": path.display().to_string() }),
        )
        .await?;
    tell_daemon(app, Changed::File).await;
    done(&format!(
        "wrote {} and sealed the credentials; next: `classy-sync org test {id}`",
        path.display()
    ));
    Ok(())
}

pub(super) async fn set_credentials(
    app: &App,
    store: &Store,
    new: &OrgCredentials,
) -> Result<(), Failure> {
    let vault = app.vault(store).await?;
    let file = file_of(app, new.id);
    let organization = match (store.organization(new.id).await?, &file) {
        (Some(organization), _) => organization,
        (None, Some(file)) => store.put_organization(file.classy_id, &file.name).await?,
        (None, None) => return find(store, new.id).await.map(|_| ()),
    };
    let sealed = open(&vault, &organization).ok().flatten();
    let known = || {
        sealed
            .as_ref()
            .map(|credentials| credentials.client_id.clone())
    };
    let written = || file.as_ref().and_then(|file| file.classy.client_id.clone());
    let client_id = match new.client_id.clone().or_else(written).or_else(known) {
        Some(id) => id,
        None => ask("Client id", "--client-id")?,
    };
    let client_secret = secret(new.secret_env.as_deref())?;
    let tenant = store.tenant(&organization);
    // Files of before, here or on another machine, do not bring back what they say.
    let in_file = file.as_ref().and_then(|file| {
        let secret = file.classy.client_secret.as_ref()?;
        let secret = secret.resolve(&file.path, "classy.client_secret").ok()?;
        Some((written().or_else(known)?, secret))
    });
    let before = sealed
        .as_ref()
        .map(|sealed| (sealed.client_id.clone(), sealed.client_secret.clone()));
    let (plugins, mut replaced) = sealed
        .map(|sealed| (sealed.plugins, sealed.replaced))
        .unwrap_or_default();
    replaced.by(
        (&client_id, &client_secret),
        in_file.into_iter().chain(before),
    );
    let credentials = Credentials {
        client_id: client_id.clone(),
        client_secret,
        plugins,
        replaced,
    };
    seal(&vault, &tenant, &credentials).await?;
    if let Some(file) = file {
        // The file's own secret would be sealed over the new one the next time it is applied.
        set_client_id(&file.path, &client_id)?;
    }
    if organization.status == Status::Suspended {
        tenant.set_status(Status::Active, None).await?;
    }
    tell_daemon(app, Changed::File).await;
    in_force(app, store, new.id).await?;
    done(&format!(
        "sealed the credentials of organization {}; next: `classy-sync org test {0}`",
        new.id
    ));
    Ok(())
}

pub(super) async fn remove(app: &App, store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    let tenant = store.tenant(&organization);
    if let Some(file) = file_of(app, id) {
        forget_secret(&file.path)?;
        let aside = file.path.with_extension("toml.removed");
        std::fs::rename(&file.path, &aside).map_err(|error| {
            Failure::new(
                Code::Configuration,
                format!("{}: {error}", file.path.display()),
            )
        })?;
        done(&format!("moved its file aside: {}", aside.display()));
    }
    tenant.set_credentials(None).await?;
    tenant.set_status(Status::Paused, Some(REMOVED)).await?;
    tell_daemon(app, Changed::File).await;
    let_go(store, id).await?;
    done(&format!(
        "organization {id} is paused and its credentials are forgotten; its data stays"
    ));
    Ok(())
}

fn file_of(app: &App, id: i64) -> Option<OrganizationFile> {
    load_organizations(&app.config.organizations.dir)
        .into_iter()
        .flatten()
        .find(|file| file.classy_id == id)
}

/// Asks on a terminal; elsewhere says which flag is missing.
fn ask(question: &str, flag: &str) -> Result<String, Failure> {
    let answer = super::output::ask(question).ok_or_else(|| {
        Failure::usage(format!("{flag} is missing")).hint("on a terminal it would be asked for")
    })?;
    let answer = answer.map_err(|error| Failure::new(Code::Usage, error))?;
    if answer.is_empty() {
        Err(Failure::usage("nothing was entered"))
    } else {
        Ok(answer)
    }
}

/// From a variable, from a terminal without echo, or as the first line of standard input.
fn secret(variable: Option<&str>) -> Result<SecretString, Failure> {
    let (secret, source) = match variable {
        Some(name) => {
            // What does not look like a variable's name may be the secret itself, so it is not
            // repeated.
            let shown = shown_variable(name).map_or_else(
                || "the variable that --secret-env names".to_owned(),
                |name| format!("the variable {name}"),
            );
            let is_name = !name.is_empty() && !name.contains(['=', '\0']);
            let value = std::env::var_os(name)
                .filter(|_| is_name)
                .ok_or_else(|| Failure::usage(format!("{shown} is not set")))?;
            (
                value
                    .into_string()
                    .map_err(|_| Failure::usage(format!("{shown} is not UTF-8 text")))?,
                shown,
            )
        }
        None if std::io::stdin().is_terminal() => {
            let typed = rpassword::prompt_password("Client secret: ")
                .map_err(|error| Failure::new(Code::Usage, error))?;
            (typed, "the client secret".to_owned())
        }
        None => {
            let mut line = String::new();
            std::io::stdin()
                .lock()
                .read_line(&mut line)
                .map_err(|error| Failure::new(Code::Usage, error))?;
            (line, "standard input".to_owned())
        }
    };
    let secret = Zeroizing::new(secret);
    let hint = "--secret-env NAME, or give it on standard input";
    let secret = clean_secret(&secret)
        .map_err(|cause| Failure::usage(format!("{source} {cause}")).hint(hint))?;
    Ok(secret)
}
