//! `init` beyond its files: the first organization, its credentials tried, its Mailchimp audience,
//! and the first sync. Asked for by hand, or told by flags.

use super::app::{App, done, find, no_organization};
use super::args::{Cli, Init, OrgCredentials, Sync};
use super::ask::{self, ask_for, can_ask, yes};
use super::exit::{Code, Failure};
use super::output::{remark, say};
use super::{org, org_write, sync};
use crate::config::add_plugin;
use crate::credentials::{self, open};
use crate::daemon::{Process, Signals};
use crate::integrations::mailchimp;
use crate::store::Store;
use std::process::ExitCode;

/// Mailchimp's words for what a person has to find there.
const AUDIENCE: &str = "Audience id (Mailchimp: Audience, Settings, Audience name and defaults)";

/// Whether an organization is to be added at once.
pub(super) fn is_wanted(asked: &Init) -> Result<bool, Failure> {
    if asked.organization.id.is_some() {
        return Ok(true);
    }
    yes("Add an organization now?")
}

/// Adds the first organization and syncs it.
pub(super) async fn first_organization(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    asked: &Init,
) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
    let id = org_write::add(&app, &store, &asked.organization).await?;
    try_credentials(&app, &store, asked, id).await?;
    if let Some(audience) = audience(asked)? {
        keep_audience(&app, &store, asked, id, &audience).await?;
    }
    store.close().await?;
    remark("the first sync reads everything; what is to be pushed waits until you approve it");
    let order = Sync {
        org: vec![id],
        ..Sync::default()
    };
    sync::carry_out_sync(cli, process, signals, &app, &order).await
}

/// Tries the credentials; on a terminal they are asked for until they work.
async fn try_credentials(app: &App, store: &Store, asked: &Init, id: i64) -> Result<(), Failure> {
    loop {
        let Some(tried) = org::try_out(app, Some(id)).await?.into_iter().next() else {
            return Err(no_organization());
        };
        match tried.result {
            Ok(answer) => {
                done(&answer);
                return Ok(());
            }
            Err(refused)
                if refused.code == Code::Credentials
                    && can_ask()
                    && asked.organization.secret_env.is_none() =>
            {
                refused.print();
                let new = OrgCredentials {
                    id,
                    client_id: Some(ask_for("Client id", "--client-id", ask::text)?),
                    secret_env: None,
                };
                org_write::set_credentials(app, store, &new).await?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Which Mailchimp audience is to be kept in step, if any.
fn audience(asked: &Init) -> Result<Option<String>, Failure> {
    if let Some(audience) = &asked.audience_id {
        return Ok(Some(audience.clone()));
    }
    if asked.organization.id.is_some() || !yes("Keep a Mailchimp audience in step with it?")? {
        return Ok(None);
    }
    ask_for(AUDIENCE, "--audience-id", ask::text).map(Some)
}

/// Writes the plugin into the organization's file and seals its key. What Mailchimp does not accept
/// is told and can be mended in the file: nothing is sent before.
async fn keep_audience(
    app: &App,
    store: &Store,
    asked: &Init,
    id: i64,
    audience: &str,
) -> Result<(), Failure> {
    let key = ask::secret(
        "Mailchimp's API key",
        "--mailchimp-key-env",
        asked.mailchimp_key_env.as_deref(),
    )?;
    let vault = app.vault(store).await?;
    let organization = find(store, id).await?;
    let mut credentials =
        open(&vault, &organization)?.ok_or(credentials::Error::None { classy_id: id })?;
    let name = mailchimp::KIND.name;
    let secret = format!("{name}.{}", mailchimp::API_KEY);
    credentials.plugins.insert(secret, key);
    let mut settings = vec![("audience_id", audience)];
    settings.extend(asked.mailchimp_url.as_deref().map(|url| ("base_url", url)));
    let path = add_plugin(&app.config.organizations.dir, id, name, &settings)?;
    credentials::seal(&vault, &store.tenant(&organization), &credentials).await?;
    done(&format!("wrote [plugins.{name}] into {}", path.display()));
    let tried = org::try_out(app, Some(id)).await?;
    match tried
        .into_iter()
        .find_map(|tried| (tried.name == name).then_some(tried.result))
    {
        Some(Err(failure)) => {
            failure.print();
            say(&format!(
                "mend it in {}, then `classy-sync org test {id}`; Classy is read meanwhile",
                path.display()
            ));
        }
        Some(Ok(answer)) => done(&format!("{name}: {answer}")),
        None => {}
    }
    Ok(())
}
