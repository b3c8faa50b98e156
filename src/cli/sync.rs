//! `sync`: every organization once, its feeds in dependency order. Beside a daemon the order is
//! handed to it.

use super::app::{App, print_config_errors};
use super::args::{self, Cli};
use super::chosen::{Asked, Chosen, choose, entities, require_some};
use super::exit::{Code, Failure};
use super::progress::{Bars, follow};
use super::{dry_run, hand_over, remote, summary};
use crate::actors::{Handle, Plan, Shared};
use crate::classy::Transport;
use crate::config::ConfigError;
use crate::credentials::Applied;
use crate::daemon::{HeldBy, Holder, PidFile, PidFileError, Process, Signals};
use crate::domain::{Fault, FaultKind, Task};
use crate::status::{Order, OrganizationReport, PluginChoice};
use crate::store::Store;
use crate::vault::Vault;
use futures_util::future::join_all;
use std::cell::Cell;
use std::convert::Infallible;
use std::process::ExitCode;

/// What a command works with.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) vault: Vault,
    /// The name under which leases are held.
    pub(super) holder: String,
}

pub(super) async fn run(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    order: &args::Sync,
) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    if order.dry_run {
        return tokio::select! {
            code = dry_run::run(cli, order, &app) => code,
            () = signals.stop() => Err(not_begun()),
        };
    }
    carry_out_sync(cli, process, signals, &app, order).await
}

/// A sync as its flags say.
pub(super) async fn carry_out_sync(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    app: &App,
    order: &args::Sync,
) -> Result<ExitCode, Failure> {
    let asked = Asked {
        word: "sync",
        orgs: &order.org,
        order: &wanted(order),
        tells: true,
    };
    carry_out(cli, process, signals, app, asked).await
}

/// Told to stop before anything was begun: a script must see that it was not done.
fn not_begun() -> Failure {
    Failure::new(Code::Partial, "stopped before anything was begun")
}

/// Carries an order out for the organizations that are named, or for all.
pub(super) async fn carry_out(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    app: &App,
    asked: Asked<'_>,
) -> Result<ExitCode, Failure> {
    let pid_file = &app.config.daemon.pid_file;
    let lock = match PidFile::lock(pid_file, Holder::Command(asked.word)) {
        Ok(lock) => lock,
        Err(held @ PidFileError::Held { .. }) => {
            // Another process is at work: a daemon takes the order, anything else keeps us out.
            let is_command = matches!(HeldBy::of(pid_file), Ok(Some(held)) if !held.is_daemon());
            if is_command {
                return Err(held.into());
            }
            let daemon = tokio::select! {
                daemon = remote::Daemon::of(pid_file) => daemon,
                () = signals.stop() => return Err(not_begun()),
            };
            let Some(daemon) = daemon else {
                return Err(match remote::silence(pid_file) {
                    Some(silence) => Failure::new(Code::Busy, silence),
                    None => held.into(),
                });
            };
            return hand_over::run(cli, signals, asked, &daemon).await;
        }
        Err(error) => return Err(error.into()),
    };
    let begin = async {
        app.require_organizations()?;
        let store = app.store().await?;
        let vault = app.vault(&store).await?;
        store.succeed(&lock.holder()).await?;
        let (applied, wrong) = app.organizations(&store, &vault).await?;
        let chosen = choose(asked.orgs, applied)?;
        Ok::<_, Failure>((
            Parts {
                store,
                vault,
                holder: lock.holder(),
            },
            chosen,
            wrong,
        ))
    };
    let (parts, chosen, wrong) = tokio::select! {
        begun = begin => begun?,
        () = signals.stop() => return Err(not_begun()),
    };
    if asked.tells {
        return run_applied(
            cli,
            process,
            signals,
            asked.order,
            app,
            parts,
            chosen,
            wrong,
        )
        .await;
    }
    require_some(&chosen, &wrong)?;
    let Chosen {
        synced, refused, ..
    } = chosen;
    let mut reports = reports_of(process, signals, asked.order, app, parts, synced).await?;
    reports.extend(refused);
    summary::tell_failures(&reports);
    Ok(summary::exit_code(&reports, !wrong.is_empty()))
}

#[allow(
    clippy::too_many_arguments,
    reason = "each is one thing that two commands begin from"
)]
pub(super) async fn run_applied(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
    order: &Order,
    app: &App,
    parts: Parts,
    chosen: Chosen,
    wrong: Vec<ConfigError>,
) -> Result<ExitCode, Failure> {
    require_some(&chosen, &wrong)?;
    let Chosen {
        synced,
        refused,
        paused,
    } = chosen;
    let mut reports = reports_of(process, signals, order, app, parts, synced).await?;
    reports.extend(refused);
    reports.sort_by_key(|report| report.classy_id);
    let wrong_files = !wrong.is_empty();
    print_config_errors(wrong);
    summary::print(cli.output, &reports, &paused)?;
    Ok(summary::exit_code(&reports, wrong_files))
}

/// Carries an order out in this process.
pub(super) async fn reports_of(
    process: &Process,
    signals: &mut Signals,
    order: &Order,
    app: &App,
    parts: Parts,
    chosen: Vec<Applied>,
) -> Result<Vec<OrganizationReport>, Failure> {
    let transport = Transport::new("")?;
    let Parts {
        store,
        vault,
        holder,
    } = parts;
    let runs = app.config.sync.max_concurrent_runs;
    let shared = Shared::new(
        store.clone(),
        vault,
        transport,
        process.runtime(),
        runs,
        holder,
        Plan::of(&app.config),
    );
    let reports = synchronize(process, signals, shared, chosen, order).await?;
    store.close().await?;
    Ok(reports)
}

/// Lets the tree of actors do it, with a bar for each feed.
async fn synchronize(
    process: &Process,
    signals: &mut Signals,
    shared: Shared,
    chosen: Vec<Applied>,
    order: &Order,
) -> Result<Vec<OrganizationReport>, Failure> {
    let tree = process.command(shared);
    let names: Vec<(i64, String)> = chosen
        .iter()
        .map(|applied| {
            (
                applied.organization.classy_id,
                applied.organization.name.clone(),
            )
        })
        .collect();
    let (broken, sound): (Vec<Applied>, Vec<Applied>) = chosen
        .into_iter()
        .partition(|applied| applied.problem.is_some());
    let mut reports: Vec<OrganizationReport> = broken
        .into_iter()
        .filter_map(
            |Applied {
                 organization,
                 problem,
                 ..
             }| {
                problem.map(|fault| {
                    OrganizationReport::failed(organization.classy_id, &organization.name, fault)
                })
            },
        )
        .collect();
    let ids: Vec<i64> = sound
        .iter()
        .map(|applied| applied.organization.classy_id)
        .collect();
    tree.handle.configure(sound);
    let synced = join_all(ids.iter().map(|id| tree.handle.sync(*id, order.clone())));
    let bars = Bars::new();
    let told = Cell::new(false);
    let results = tokio::select! {
        results = synced => results,
        never = stop_when_told(signals, &tree.handle, &told) => match never {},
        never = follow(&bars, &tree.handle.shared().board) => match never {},
    };
    bars.clear();
    let name = |id: i64| {
        names
            .iter()
            .find(|(other, _)| *other == id)
            .map_or("", |(_, name)| name.as_str())
    };
    for (id, result) in ids.iter().zip(results) {
        reports.push(match result {
            Ok(report) => report,
            Err(_) if told.get() => {
                let text = "stopped before anything was read".to_owned();
                OrganizationReport::failed(
                    *id,
                    name(*id),
                    Fault {
                        kind: FaultKind::Partial,
                        text,
                        hint: None,
                    },
                )
            }
            Err(fault) => OrganizationReport::failed(*id, name(*id), fault),
        });
    }
    tree.stop().await;
    Ok(reports)
}

/// The first signal to stop ends runs at their next page, the second at once; then their orders are
/// answered.
async fn stop_when_told(signals: &mut Signals, handle: &Handle, told: &Cell<bool>) -> Infallible {
    signals.stop().await;
    told.set(true);
    tokio::select! {
        () = handle.stop() => {}
        () = signals.stop() => handle.shared().kill.cancel("told to stop twice"),
    }
    std::future::pending().await
}

fn wanted(order: &args::Sync) -> Order {
    let task = match (order.full, order.since) {
        (true, _) => Task::Full,
        (_, Some(from)) => Task::Since(from),
        _ => Task::CatchUp,
    };
    let plugins = if order.no_plugins {
        PluginChoice::None
    } else {
        PluginChoice::All
    };
    Order {
        entities: entities(order),
        task,
        plugins,
        reason: "cli",
    }
}
