//! `sync`: every organization once, its feeds in dependency order. Beside a daemon the order is handed to it.

use super::app::{App, complain, unknown};
use super::args::{self, Cli};
use super::exit::{Code, Failure};
use super::progress::{Bars, follow};
use super::{dry_run, remote, summary};
use crate::actors::{Handle, Order, OrganizationReport, Plan, PluginChoice, Shared};
use crate::classy::Transport;
use crate::config::ConfigError;
use crate::credentials::Applied;
use crate::daemon::{PidFile, PidFileError, Process, Signals};
use crate::domain::Entity;
use crate::store::{Status, Store};
use crate::sync::Task;
use crate::vault::Vault;
use futures_util::future::join_all;
use std::convert::Infallible;
use std::process::ExitCode;

/// What a command works with.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) vault: Vault,
    /// The name under which leases are held.
    pub(super) holder: String,
}

pub(super) async fn run(cli: &Cli, process: &Process, order: &args::Sync) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    if order.dry_run {
        return dry_run::run(cli, order, &app).await;
    }
    carry_out(cli, process, app, &order.org, &wanted(order)).await
}

/// Carries an order out for the organizations that are named, or for all.
pub(super) async fn carry_out(cli: &Cli, process: &Process, app: App, orgs: &[i64], order: &Order) -> Result<ExitCode, Failure> {
    let pid_file = &app.config.daemon.pid_file;
    let lock = match PidFile::lock(pid_file) {
        Ok(lock) => lock,
        Err(held @ PidFileError::Held { .. }) => {
            // Another process is at work: a daemon takes the order, anything else keeps us out.
            let Some(daemon) = remote::Daemon::waited_for(&PidFile::socket_of(pid_file)).await else { return Err(held.into()) };
            return hand_over(cli, orgs, order, &daemon).await;
        }
        Err(error) => return Err(error.into()),
    };
    let (store, vault) = (app.store().await?, app.vault()?);
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let chosen = choose(orgs, applied)?;
    run_applied(cli, process, order, &app, Parts { store, vault, holder: lock.holder() }, chosen, wrong).await
}

pub(super) fn require_some(chosen: &[Applied], wrong: &[ConfigError]) -> Result<(), Failure> {
    if chosen.is_empty() && wrong.is_empty() {
        let hint = "`classy-sync org add` adds one; `classy-sync demo --once` shows everything without one";
        return Err(Failure::new(Code::Configuration, "there is no organization to sync").hint(hint));
    }
    Ok(())
}

pub(super) async fn run_applied(
    cli: &Cli,
    process: &Process,
    order: &Order,
    app: &App,
    parts: Parts,
    chosen: Vec<Applied>,
    wrong: Vec<ConfigError>,
) -> Result<ExitCode, Failure> {
    require_some(&chosen, &wrong)?;
    let transport = Transport::new("")?;
    let Parts { store, vault, holder } = parts;
    let runs = app.config.sync.max_concurrent_runs;
    let shared = Shared::new(store.clone(), vault, transport, process.runtime(), runs, holder, Plan::of(&app.config));
    let reports = synchronize(process, shared, chosen, order).await?;
    store.close().await?;
    summary::print(cli.output, &reports);
    let wrong_files = !wrong.is_empty();
    complain(wrong);
    Ok(summary::exit_code(&reports, wrong_files))
}

/// Lets the tree of actors do it, with a bar for each feed.
async fn synchronize(process: &Process, shared: Shared, chosen: Vec<Applied>, order: &Order) -> Result<Vec<OrganizationReport>, Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::new(Code::Bug, error))?;
    let tree = process.command(shared);
    let names: Vec<(i64, String)> =
        chosen.iter().map(|applied| (applied.organization.classy_id, applied.organization.name.clone())).collect();
    let (broken, sound): (Vec<Applied>, Vec<Applied>) = chosen.into_iter().partition(|applied| applied.problem.is_some());
    let mut reports: Vec<OrganizationReport> = broken
        .into_iter()
        .filter_map(|Applied { organization, problem, .. }| {
            problem.map(|fault| OrganizationReport::failed(organization.classy_id, &organization.name, fault))
        })
        .collect();
    let ids: Vec<i64> = sound.iter().map(|applied| applied.organization.classy_id).collect();
    tree.handle.configure(sound);
    let synced = join_all(ids.iter().map(|id| tree.handle.sync(*id, order.clone())));
    let bars = Bars::new();
    let results = tokio::select! {
        results = synced => results,
        never = heed(&mut signals, &tree.handle) => match never {},
        never = follow(&bars, &tree.handle.shared().board) => match never {},
    };
    bars.clear();
    let name = |id: i64| names.iter().find(|(other, _)| *other == id).map_or("", |(_, name)| name.as_str());
    for (id, result) in ids.iter().zip(results) {
        reports.push(result.unwrap_or_else(|fault| OrganizationReport::failed(*id, name(*id), fault)));
    }
    tree.stop().await;
    reports.sort_by_key(|report| report.classy_id);
    Ok(reports)
}

/// The first signal to stop ends runs at their next page, the second at once; then their orders are answered.
async fn heed(signals: &mut Signals, handle: &Handle) -> Infallible {
    signals.stop().await;
    tokio::select! {
        () = handle.stop() => {}
        () = signals.stop() => handle.shared().kill.cancel("told to stop twice"),
    }
    std::future::pending().await
}

/// Lets the daemon do it.
async fn hand_over(cli: &Cli, orgs: &[i64], order: &Order, daemon: &remote::Daemon) -> Result<ExitCode, Failure> {
    let status = daemon.status().await?;
    let known: Vec<i64> = status["organizations"]
        .as_array()
        .map(|all| all.iter().filter(|one| one["condition"] != "paused").filter_map(|one| one["classy_id"].as_i64()).collect())
        .unwrap_or_default();
    if let Some(missing) = orgs.iter().find(|id| !known.contains(id)) {
        return Err(unknown(*missing));
    }
    let chosen: Vec<i64> = if orgs.is_empty() { known } else { orgs.to_vec() };
    super::app::done("a daemon is at work: it does the sync");
    let reports = join_all(chosen.into_iter().map(|id| daemon.sync(id, order))).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    summary::print(cli.output, &reports);
    Ok(summary::exit_code(&reports, false))
}

pub(super) fn entities(order: &args::Sync) -> Vec<Entity> {
    Entity::ALL.into_iter().filter(|entity| order.entity.is_empty() || order.entity.contains(entity)).collect()
}

fn wanted(order: &args::Sync) -> Order {
    let task = match (order.full, order.since) {
        (true, _) => Task::Full,
        (_, Some(from)) => Task::Since(from),
        _ => Task::CatchUp,
    };
    let plugins = if order.no_plugins { PluginChoice::None } else { PluginChoice::All };
    Order { entities: entities(order), task, plugins, reason: "cli" }
}

/// Those named, or all; paused ones are left out unless named.
pub(super) fn choose(orgs: &[i64], applied: Vec<Applied>) -> Result<Vec<Applied>, Failure> {
    if let Some(missing) = orgs.iter().find(|id| !applied.iter().any(|applied| applied.organization.classy_id == **id)) {
        return Err(unknown(*missing));
    }
    let named = |applied: &Applied| orgs.contains(&applied.organization.classy_id);
    if let Some(paused) = applied.iter().find(|applied| named(applied) && applied.organization.status == Status::Paused) {
        let id = paused.organization.classy_id;
        return Err(Failure::usage(format!("organization {id} is paused")).hint(format!("`classy-sync org resume {id}`")));
    }
    let wanted = |applied: &Applied| if orgs.is_empty() { applied.organization.status != Status::Paused } else { named(applied) };
    Ok(applied.into_iter().filter(wanted).collect())
}
