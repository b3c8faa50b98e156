//! `sync`: every organization once, its feeds in dependency order.

use super::app::{App, complain, unknown};
use super::args::{self, Cli};
use super::exit::{Code, Failure, code_of_run};
use super::progress::Bars;
use super::summary::{self, OrganizationReport};
use crate::classy::{Client, Transport};
use crate::config::ConfigError;
use crate::credentials::{Applied, client};
use crate::daemon::PidFile;
use crate::domain::{Entity, Mode, Remedy, RunEnd};
use crate::store::{Status, Store, TenantStore};
use crate::sync::{self, FeedOutcome, FencedStore, Order, Settings, Task, run_feed};
use crate::vault::Vault;
use futures_util::{StreamExt, stream};
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a lease runs unless renewed, and how often it is.
const LEASE: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);

/// What all organizations of one command share.
struct Work<'a> {
    store: &'a Store,
    vault: &'a Vault,
    transport: Transport,
    settings: Settings,
    holder: String,
    entities: Vec<Entity>,
    task: Task,
    stop: CancellationToken,
    bars: Bars,
}

pub(super) async fn run(cli: &Cli, order: &args::Sync) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let lock = PidFile::lock(&app.config.daemon.pid_file)?;
    let store = app.store().await?;
    let vault = app.vault()?;
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let code = run_applied(cli, order, &app, &store, &vault, applied, wrong, &lock.holder()).await;
    store.close().await?;
    code
}

#[expect(clippy::too_many_arguments, reason = "the parts of a command, each used once")]
pub(super) async fn run_applied(
    cli: &Cli,
    order: &args::Sync,
    app: &App,
    store: &Store,
    vault: &Vault,
    applied: Vec<Applied>,
    wrong: Vec<ConfigError>,
    holder: &str,
) -> Result<ExitCode, Failure> {
    let chosen = choose(order, applied)?;
    if chosen.is_empty() && wrong.is_empty() {
        let hint = "`classy-sync org add` adds one; `classy-sync demo --once` shows everything without one";
        return Err(Failure::new(Code::Configuration, "there is no organization to sync").hint(hint));
    }
    let work = Work {
        store,
        vault,
        transport: Transport::new("")?,
        settings: settings(app)?,
        holder: holder.to_owned(),
        entities: if order.entity.is_empty() {
            Entity::ALL.to_vec()
        } else {
            Entity::ALL.into_iter().filter(|entity| order.entity.contains(entity)).collect()
        },
        task: match (order.full, order.since) {
            (true, _) => Task::Full,
            (_, Some(from)) => Task::Since(from),
            _ => Task::CatchUp,
        },
        stop: stop_on_signal(),
        bars: Bars::new(),
    };
    if order.dry_run {
        return summary::dry_run(cli, store, vault, &work.transport, &work.settings, &work.entities, chosen).await;
    }
    let wide = app.config.sync.max_concurrent_runs;
    let mut reports: Vec<OrganizationReport> =
        stream::iter(chosen).map(|applied| synchronize(&work, applied)).buffer_unordered(wide).collect().await;
    reports.sort_by_key(|report| report.classy_id);
    let wrong_files = !wrong.is_empty();
    summary::print(cli.output, &reports);
    complain(wrong);
    Ok(summary::exit_code(&reports, wrong_files))
}

pub(super) fn settings(app: &App) -> Result<Settings, Failure> {
    let overlap = chrono::TimeDelta::from_std(app.config.sync.overlap).map_err(|error| Failure::new(Code::Configuration, error))?;
    Ok(Settings { overlap, absent_share: app.config.guard.absent_share, ..Settings::default() })
}

/// Those named, or all; paused ones are left out unless named.
fn choose(order: &args::Sync, applied: Vec<Applied>) -> Result<Vec<Applied>, Failure> {
    if let Some(missing) = order.org.iter().find(|id| !applied.iter().any(|applied| applied.organization.classy_id == **id)) {
        return Err(unknown(*missing));
    }
    let named = |applied: &Applied| order.org.contains(&applied.organization.classy_id);
    if let Some(paused) = applied.iter().find(|applied| named(applied) && applied.organization.status == Status::Paused) {
        let id = paused.organization.classy_id;
        return Err(Failure::usage(format!("organization {id} is paused")).hint(format!("`classy-sync org resume {id}`")));
    }
    let wanted = |applied: &Applied| if order.org.is_empty() { applied.organization.status != Status::Paused } else { named(applied) };
    Ok(applied.into_iter().filter(wanted).collect())
}

/// The first signal stops at the next page boundary, the second at once.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        for _ in 0..2 {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                Some(()) = async { match &mut terminate { Some(signal) => signal.recv().await, None => None } } => {}
            }
            if token.is_cancelled() {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    stop
}

async fn synchronize(work: &Work<'_>, applied: Applied) -> OrganizationReport {
    let organization = applied.organization.clone();
    let mut report = OrganizationReport::new(&organization);
    if let Err(failure) = feeds(work, applied, &mut report).await {
        report.failure = Some(failure);
    }
    report
}

async fn feeds(work: &Work<'_>, applied: Applied, report: &mut OrganizationReport) -> Result<(), Failure> {
    if let Some(problem) = applied.problem {
        return Err(problem.into());
    }
    let tenant = work.store.tenant(&applied.organization);
    let client = client(&work.transport, work.vault, &applied.organization, &applied.file)?;
    let fence = tenant.acquire(&work.holder, LEASE).await?;
    let stop = work.stop.child_token();
    let renewal = tokio::spawn(renew(tenant.clone(), fence.clone(), stop.clone()));
    let sink = FencedStore::new(tenant.clone(), fence.clone());
    let result = feeds_in_order(work, &client, &sink, &stop, report).await;
    renewal.abort();
    // Whoever took it over meanwhile has it; there is nothing to give back then.
    let _ = tenant.release(&fence).await;
    result?;
    settle_status(&tenant, &applied.organization, &client, report).await
}

async fn feeds_in_order(
    work: &Work<'_>,
    client: &Client,
    sink: &FencedStore,
    stop: &CancellationToken,
    report: &mut OrganizationReport,
) -> Result<(), Failure> {
    for entity in &work.entities {
        let bar = work.bars.feed(format!("{} {entity}", report.name.chars().take(18).collect::<String>()));
        let order = Order { client, sink, settings: &work.settings, stop, observer: &bar, task: work.task, reason: "cli" };
        let outcome = run_feed(*entity, order).await;
        bar.finish();
        let outcome = outcome?;
        let over = is_over(&outcome);
        report.feeds.push(outcome);
        if over {
            break;
        }
    }
    let stats = client.stats();
    report.requests = stats.data_requests;
    report.token_requests = stats.token_requests;
    Ok(())
}

/// Whether the other feeds would fail for the same reason, or nobody wants them any more.
fn is_over(outcome: &FeedOutcome) -> bool {
    match &outcome.result {
        Ok(end) => *end == RunEnd::Stopped,
        Err(sync::Error::Source(error)) => {
            matches!(error, crate::classy::Error::Unreachable { .. } | crate::classy::Error::EdgeBlocked { .. })
                || error.remedy() == Remedy::Suspend
        }
        Err(sync::Error::Store(_)) => true,
        Err(_) => false,
    }
}

/// Refused credentials suspend the organization with the reason; a success lifts that.
async fn settle_status(
    tenant: &TenantStore,
    organization: &crate::store::Organization,
    client: &Client,
    report: &OrganizationReport,
) -> Result<(), Failure> {
    let refused = report.feeds.iter().find_map(|feed| match &feed.result {
        Err(error) if code_of_run(error) == Code::Credentials => Some(error.to_string()),
        _ => None,
    });
    let well = report.feeds.iter().all(|feed| feed.result.is_ok());
    match (refused, organization.status) {
        (Some(reason), _) if organization.status_reason.as_deref() != Some(&reason) => {
            tenant.set_status(Status::Suspended, Some(&reason)).await?;
        }
        (None, Status::Suspended) if well => tenant.set_status(Status::Active, None).await?,
        _ => {}
    }
    let whole = report.feeds.iter().any(|feed| feed.mode == Mode::Full);
    if well && whole && organization.currency_code.is_none() {
        // With a full pass only, so that a run with nothing to do stays cheap where the source tells nothing of itself.
        let info = client.organization().await.ok().flatten().unwrap_or_default();
        if info.currency_code.is_some() || info.timezone.is_some() {
            tenant.set_profile(info.timezone.as_deref(), info.currency_code.as_deref()).await?;
        }
    }
    Ok(())
}

/// Keeps the lease until aborted; when it is lost, stops the runs (their writes are refused anyway).
async fn renew(tenant: TenantStore, fence: crate::store::Fence, stop: CancellationToken) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        if let Err(error) = tenant.renew(&fence, LEASE).await {
            tracing::warn!(organization = tenant.classy_id(), %error, "the lease was not renewed");
            if matches!(error, crate::store::Error::FenceLost) {
                stop.cancel();
                return;
            }
        }
    }
}
