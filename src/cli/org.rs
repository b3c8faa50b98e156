//! `org`: who is synced, in which state, and whether the credentials work.

use super::app::{App, Expected, done, find, print_config_errors, unknown};
use super::args::{Cli, Org};
use super::exit::{Code, Failure};
use super::in_force::{Changed, in_force, let_go, tell_daemon};
use super::{org_write, output};
use crate::classy::Transport;
use crate::clock;
use crate::credentials::{Applied, ApplyPreview, client, folder, is_of};
use crate::domain::{CheckResult, Health, Query};
use crate::entities::{Entity, Supporter};
use crate::integrations;
use crate::plugin;
use crate::store::{Status, Store};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What a list of organizations says without one.
const NO_ORGANIZATION: &str = "there is no organization yet: `classy-sync org add` adds one";

pub(super) async fn run(cli: &Cli, order: &Org) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    if let Org::Test { id } = order {
        return test(cli, &app, *id).await;
    }
    let store = match order {
        Org::List | Org::Show { .. } => app.store_to_read().await?,
        Org::Add(_) | Org::SetCredentials(_) | Org::Test { .. } => app.store().await?,
        Org::Remove { .. } | Org::Pause { .. } | Org::Resume { .. } => {
            app.store_that_exists().await?
        }
    };
    let code = match order {
        Org::Add(new) => org_write::add(&app, &store, new)
            .await
            .map(|_| ExitCode::SUCCESS),
        Org::SetCredentials(new) => org_write::set_credentials(&app, &store, new)
            .await
            .map(|()| ExitCode::SUCCESS),
        Org::Remove { id } => org_write::remove(&app, &store, *id)
            .await
            .map(|()| ExitCode::SUCCESS),
        Org::List => list(cli, &app, &store).await,
        Org::Show { id } => show(cli, &store, *id).await.map(|()| ExitCode::SUCCESS),
        Org::Test { id } => test(cli, &app, *id).await,
        Org::Pause { id } => pause(&app, &store, *id).await.map(|()| ExitCode::SUCCESS),
        Org::Resume { id } => resume(&app, &store, *id).await.map(|()| ExitCode::SUCCESS),
    }?;
    store.close().await?;
    Ok(code)
}

async fn list(cli: &Cli, app: &App, store: &Store) -> Result<ExitCode, Failure> {
    let ApplyPreview {
        applied,
        new,
        wrong,
    } = match app.vault(store).await {
        Ok(vault) => app.preview_organizations(store, &vault).await?,
        Err(failure) => {
            failure.print();
            ApplyPreview::default()
        }
    };
    let here = folder(&app.config.organizations.dir);
    let mut rows = Vec::new();
    for organization in store.organizations().await? {
        let file = applied
            .iter()
            .find(|applied| applied.organization.classy_id == organization.classy_id);
        let problem = file
            .and_then(|applied| applied.problem.as_ref())
            .map(ToString::to_string);
        let is_orphan = file.is_none() && wrong.is_empty() && organization.status == Status::Active;
        let orphaned = is_orphan.then(|| {
            match organization
                .applied_from
                .as_deref()
                .filter(|_| !is_of(&organization, &here))
            {
                Some(elsewhere) => format!("its file is in another folder: {elsewhere}"),
                None => "it has no file: the next sync pauses it".to_owned(),
            }
        });
        let reason = problem.or(organization.status_reason).or(orphaned);
        rows.push(vec![
            json!(organization.classy_id),
            json!(organization.name),
            json!(organization.status.as_str()),
            json!(organization.credentials_encrypted.is_some()),
            json!(reason),
        ]);
    }
    for file in new {
        let reason = "the next sync, or the daemon's next start or reload, takes its file over";
        rows.push(vec![
            json!(file.classy_id),
            json!(file.name),
            json!("new"),
            json!(false),
            json!(reason),
        ]);
    }
    output::rows(
        cli.output,
        &["id", "name", "status", "credentials", "reason"],
        rows,
        NO_ORGANIZATION,
    )?;
    let code = if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::exit::Code::Partial as u8)
    };
    print_config_errors(wrong);
    Ok(code)
}

async fn show(cli: &Cli, store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    let tenant = store.tenant(&organization);
    let mut facts: Vec<(&str, Value)> = vec![
        ("id", json!(organization.classy_id)),
        ("name", json!(organization.name)),
        ("status", json!(organization.status.as_str())),
        ("reason", json!(organization.status_reason)),
        (
            "credentials",
            json!(organization.credentials_encrypted.is_some()),
        ),
        ("currency", json!(organization.currency_code)),
        ("timezone", json!(organization.timezone)),
        ("known_since", json!(organization.created_at.to_rfc3339())),
    ];
    let mut feeds = Vec::new();
    for entity in Entity::ALL {
        let state = tenant.feed_state(entity).await?;
        let found = state.reconciled.as_ref();
        feeds.push(json!({
            "feed": entity.as_str(),
            "stored": tenant.count(entity).await?,
            "first_pass": if state.first_pass_at.is_some() { "complete" } else if state.pass.is_some() { "begun" } else { "not begun" },
            "watermark": state.watermark.map(|at| at.to_rfc3339()),
            "reconciled_at": found.map(|found| found.at.to_rfc3339()),
            "missing": found.map(|found| found.missing),
            "stale": found.map(|found| found.stale),
            "restored": found.map(|found| found.restored),
            "absent": found.map(|found| found.absent),
            "lacks": state.lacks(),
        }));
    }
    if cli.output == super::args::Output::Json {
        facts.push(("feeds", Value::Array(feeds)));
        return output::facts(cli.output, facts);
    }
    output::facts(cli.output, facts)?;
    let headings = [
        "feed",
        "stored",
        "first_pass",
        "watermark",
        "reconciled_at",
        "missing",
        "stale",
        "restored",
        "absent",
        "lacks",
    ];
    let rows = feeds
        .into_iter()
        .map(|feed| headings.iter().map(|name| feed[*name].clone()).collect())
        .collect();
    output::line("")?;
    output::rows(cli.output, &headings, rows, "no feed")
}

/// What was tried, and what came of it.
pub(super) struct Tried {
    classy_id: i64,
    /// The organization's, or a plugin's.
    pub(super) name: String,
    pub(super) result: Result<String, Failure>,
}

/// Tries one organization or all of them: one token and one record, the least that proves that the
/// credentials work, and then each plugin's other side.
pub(super) async fn try_out(app: &App, id: Option<i64>) -> Result<Vec<Tried>, Failure> {
    let Expected {
        places,
        vault,
        wrong,
        store: opened,
    } = app.expect().await?;
    print_config_errors(wrong);
    let known: Vec<i64> = places
        .iter()
        .map(|(_, applied)| applied.organization.classy_id)
        .collect();
    if let Some(id) = id.filter(|id| !known.contains(id)) {
        return Err(unknown(id, &known));
    }
    let transport = Transport::new("")?;
    let mut tried = Vec::new();
    for (store, applied) in places
        .into_iter()
        .filter(|(_, applied)| id.is_none_or(|id| id == applied.organization.classy_id))
    {
        let (classy_id, name) = (
            applied.organization.classy_id,
            applied.organization.name.clone(),
        );
        let plugins = try_plugins(&store, &vault, &applied).await;
        tried.push(Tried {
            classy_id,
            name,
            result: try_one(&transport, &vault, applied).await,
        });
        tried.extend(plugins.into_iter().map(|(name, found)| {
            let result = if found.health == Health::Ok {
                Ok("it answers and accepts us".to_owned())
            } else {
                let text = format!("organization {classy_id}, {name}: {}", found.reason);
                Err(Failure::new(Code::Credentials, text))
            };
            Tried {
                classy_id,
                name,
                result,
            }
        }));
    }
    opened.close().await?;
    Ok(tried)
}

async fn test(cli: &Cli, app: &App, id: Option<i64>) -> Result<ExitCode, Failure> {
    let tried = try_out(app, id).await?;
    let row = |tried: &Tried| {
        let answer = match &tried.result {
            Ok(answer) => answer.clone(),
            Err(failure) => failure.text(),
        };
        vec![
            json!(tried.classy_id),
            json!(tried.name),
            json!(tried.result.is_ok()),
            json!(answer),
        ]
    };
    output::rows(
        cli.output,
        &["id", "name", "works", "answer"],
        tried.iter().map(row).collect(),
        NO_ORGANIZATION,
    )?;
    match tried.into_iter().find_map(|tried| tried.result.err()) {
        Some(failure) => Err(failure),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What each plugin's other side says.
async fn try_plugins(
    store: &Store,
    vault: &crate::vault::Vault,
    applied: &Applied,
) -> Vec<(String, CheckResult)> {
    let tenant = store.tenant(&applied.organization);
    let mut found = Vec::new();
    for name in applied.file.plugins.keys() {
        let result = match integrations::make(vault, applied, name) {
            Ok(mut plugin) => plugin::check(&tenant, name, &mut *plugin, clock::now()).await,
            Err(error) => CheckResult::failing(error.to_string()),
        };
        found.push((name.clone(), result));
    }
    found
}

async fn try_one(
    transport: &Transport,
    vault: &crate::vault::Vault,
    applied: Applied,
) -> Result<String, Failure> {
    if let Some(problem) = applied.problem {
        return Err(problem.into());
    }
    let client = client(transport, vault, &applied.organization, &applied.file)?;
    let page = client.page::<Supporter>(Query::All, 1, 1).await?;
    let info = client.organization().await?.unwrap_or_default();
    let name = info
        .name
        .map_or_else(String::new, |name| format!(" of {name}"));
    Ok(format!(
        "the credentials work: {} supporters{name}",
        page.total
    ))
}

async fn pause(app: &App, store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    store
        .tenant(&organization)
        .set_status(Status::Paused, Some("paused by hand"))
        .await?;
    tell_daemon(app, Changed::Row).await;
    let_go(store, id).await?;
    done(&format!("organization {id} is paused"));
    Ok(())
}

async fn resume(app: &App, store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    store
        .tenant(&organization)
        .set_status(Status::Active, None)
        .await?;
    // One that was removed has what its file says.
    let changed = match organization.credentials_encrypted {
        Some(_) => Changed::Row,
        None => Changed::File,
    };
    tell_daemon(app, changed).await;
    in_force(app, store, id).await?;
    done(&format!("organization {id} is active"));
    Ok(())
}
