//! `org`: who is synced, in which state, and whether the credentials work.

use super::app::{App, complain, done, find, unknown};
use super::args::{Cli, Org};
use super::exit::{Code, Failure};
use super::{org_write, output};
use crate::classy::Transport;
use crate::clock;
use crate::credentials::{Applied, client};
use crate::domain::{CheckResult, Entity, Health, Query, Supporter};
use crate::integrations;
use crate::plugin;
use crate::store::{Status, Store};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, order: &Org) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
    let code = match order {
        Org::Add(new) => org_write::add(&app, &store, new).await.map(|()| ExitCode::SUCCESS),
        Org::SetCredentials(new) => org_write::set_credentials(&app, &store, new).await.map(|()| ExitCode::SUCCESS),
        Org::Remove { id } => org_write::remove(&app, &store, *id).await.map(|()| ExitCode::SUCCESS),
        Org::List => list(cli, &app, &store).await,
        Org::Show { id } => show(cli, &store, *id).await.map(|()| ExitCode::SUCCESS),
        Org::Test { id } => test(cli, &app, &store, *id).await,
        Org::Pause { id } => pause(&store, *id).await.map(|()| ExitCode::SUCCESS),
        Org::Resume { id } => resume(&store, *id).await.map(|()| ExitCode::SUCCESS),
    }?;
    store.close().await?;
    Ok(code)
}

async fn list(cli: &Cli, app: &App, store: &Store) -> Result<ExitCode, Failure> {
    let vault = app.vault()?;
    let (applied, wrong) = app.organizations(store, &vault).await?;
    let problem = |classy_id: i64| {
        let one = applied.iter().find(|applied| applied.organization.classy_id == classy_id);
        one.and_then(|applied| applied.problem.as_ref()).map(ToString::to_string)
    };
    let mut rows = Vec::new();
    for organization in store.organizations().await? {
        let reason = problem(organization.classy_id).or(organization.status_reason);
        rows.push(vec![
            json!(organization.classy_id),
            json!(organization.name),
            json!(organization.status.as_str()),
            json!(organization.credentials_encrypted.is_some()),
            json!(reason),
        ]);
    }
    output::rows(cli.output, &["id", "name", "status", "credentials", "reason"], rows);
    let code = if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(super::exit::Code::Partial as u8) };
    complain(wrong);
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
        ("credentials", json!(organization.credentials_encrypted.is_some())),
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
            "absent": found.map(|found| found.absent),
        }));
    }
    if cli.output == super::args::Output::Json {
        facts.push(("feeds", Value::Array(feeds)));
        output::facts(cli.output, facts);
        return Ok(());
    }
    output::facts(cli.output, facts);
    let headings = ["feed", "stored", "first_pass", "watermark", "reconciled_at", "missing", "stale", "absent"];
    let rows = feeds.into_iter().map(|feed| headings.iter().map(|name| feed[*name].clone()).collect()).collect();
    output::line("");
    output::rows(cli.output, &headings, rows);
    Ok(())
}

/// One token and one record: the least that proves that the credentials work.
async fn test(cli: &Cli, app: &App, store: &Store, id: Option<i64>) -> Result<ExitCode, Failure> {
    let vault = app.vault()?;
    let (applied, wrong) = app.organizations(store, &vault).await?;
    complain(wrong);
    let chosen: Vec<Applied> = applied.into_iter().filter(|applied| id.is_none_or(|id| id == applied.organization.classy_id)).collect();
    if let (Some(id), true) = (id, chosen.is_empty()) {
        return Err(unknown(id));
    }
    let transport = Transport::new("")?;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for applied in chosen {
        let organization = applied.organization.clone();
        let plugins = try_plugins(store, &vault, &applied).await;
        let result = try_one(&transport, &vault, applied).await;
        let text = match &result {
            Ok(text) => text.clone(),
            Err(failure) => failure.text(),
        };
        rows.push(vec![json!(organization.classy_id), json!(organization.name), json!(result.is_ok()), json!(text)]);
        failures.extend(result.err());
        for (name, found) in plugins {
            let works = found.health == Health::Ok;
            let answer = if works { "it answers and accepts us" } else { &found.reason };
            rows.push(vec![json!(organization.classy_id), json!(name), json!(works), json!(answer)]);
            if !works {
                let text = format!("organization {}, {name}: {}", organization.classy_id, found.reason);
                failures.push(Failure::new(Code::Credentials, text));
            }
        }
    }
    output::rows(cli.output, &["id", "name", "works", "answer"], rows);
    match failures.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What each plugin's other side says.
async fn try_plugins(store: &Store, vault: &crate::vault::Vault, applied: &Applied) -> Vec<(String, CheckResult)> {
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

async fn try_one(transport: &Transport, vault: &crate::vault::Vault, applied: Applied) -> Result<String, Failure> {
    if let Some(problem) = applied.problem {
        return Err(problem.into());
    }
    let client = client(transport, vault, &applied.organization, &applied.file)?;
    let page = client.page::<Supporter>(Query::All, 1, 1).await?;
    let info = client.organization().await?.unwrap_or_default();
    let name = info.name.map_or_else(String::new, |name| format!(" of {name}"));
    Ok(format!("the credentials work: {} supporters{name}", page.total))
}

async fn pause(store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    store.tenant(&organization).set_status(Status::Paused, Some("paused by hand")).await?;
    done(&format!("organization {id} is paused"));
    Ok(())
}

async fn resume(store: &Store, id: i64) -> Result<(), Failure> {
    let organization = find(store, id).await?;
    store.tenant(&organization).set_status(Status::Active, None).await?;
    done(&format!("organization {id} is active"));
    Ok(())
}
