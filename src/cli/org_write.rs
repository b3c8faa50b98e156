//! `org add`, `org set-credentials`, `org remove`: files written, secrets sealed.

use super::app::{App, done, find};
use super::args::{OrgAdd, OrgCredentials};
use super::ask::{self, ask_for};
use super::exit::{Code, Failure};
use super::in_force::{Changed, in_force, let_go, tell_daemon};
use crate::config::{
    NewOrganization, OrganizationFile, forget_secret, set_client_id, write_organization,
};
use crate::credentials::{Credentials, REMOVED, Replaced, folder, open, seal};
use crate::integrations::load_organizations;
use crate::store::{Status, Store};
use std::collections::BTreeMap;

/// Adds an organization and answers with its id.
pub(super) async fn add(app: &App, store: &Store, new: &OrgAdd) -> Result<i64, Failure> {
    let vault = app.vault(store).await?;
    let is_id = |id: Option<i64>| {
        id.filter(|id| *id > 0)
            .ok_or_else(|| "an organization's id is a number above 0".to_owned())
    };
    let id = match new.id {
        Some(id) => is_id(Some(id)).map_err(Failure::usage)?,
        None => ask_for(
            "Classy's id of the organization (the number in the admin's address)",
            "--id",
            |answer| is_id(answer.parse().ok()),
        )?,
    };
    let name = match &new.name {
        Some(name) => name.clone(),
        None => ask_for("Name", "--name", ask::text)?,
    };
    let client_id = match &new.client_id {
        Some(client_id) => client_id.clone(),
        None => ask_for("Client id", "--client-id", ask::text)?,
    };
    let client_secret = ask::secret("Client secret", "--secret-env", new.secret_env.as_deref())?;
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
    Ok(id)
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
        None => ask_for("Client id", "--client-id", ask::text)?,
    };
    let client_secret = ask::secret("Client secret", "--secret-env", new.secret_env.as_deref())?;
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
