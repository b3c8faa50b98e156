//! An order beside a daemon: it does it, and we show how far it is and what came of it.

use super::app::{no_organization, unknown};
use super::args::Cli;
use super::chosen::{Asked, Paused, name_paused};
use super::exit::{Code, Failure};
use super::progress::{Bar, Bars};
use super::{app, output, remote, summary};
use crate::daemon::Signals;
use crate::domain::Fault;
use crate::status::OrganizationReport;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

/// Orders that a daemon is given at once: far more than run at once, and fewer than it has places.
const AT_ONCE: usize = 32;
/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Lets the daemon do it. One organization that cannot be synced, or has to wait, keeps none of the
/// others.
pub(super) async fn run(
    cli: &Cli,
    signals: &mut Signals,
    asked: Asked<'_>,
    daemon: &remote::Daemon,
) -> Result<ExitCode, Failure> {
    let status = tokio::select! {
        status = daemon.status() => status?,
        () = signals.stop() => return Err(left_alone()),
    };
    let mut all = Known::all(&status);
    let is_asked = |id: i64| asked.orgs.is_empty() || asked.orgs.contains(&id);
    // It may have been resumed a moment ago, by another process: the daemon looks once more.
    if all
        .iter()
        .any(|one| one.paused.is_some() && is_asked(one.id))
    {
        let again = async {
            daemon.notify_changed().await?;
            daemon.status().await
        };
        tokio::select! {
            again = again => all = Known::all(&again?),
            () = signals.stop() => return Err(left_alone()),
        }
    }
    let ids: Vec<i64> = all.iter().map(|known| known.id).collect();
    if let Some(missing) = asked.orgs.iter().find(|id| !ids.contains(id)) {
        return Err(unknown(*missing, &ids));
    }
    let (mut chosen, mut reports, mut paused) = (Vec::new(), Vec::new(), Vec::new());
    for Known {
        id,
        paused: is_paused,
    } in all.into_iter().filter(|known| is_asked(known.id))
    {
        match is_paused {
            None => chosen.push(id),
            Some(one) if asked.orgs.is_empty() => paused.push(one),
            Some(one) => reports.push(one.refusal()),
        }
    }
    if chosen.is_empty() && reports.is_empty() {
        name_paused(&paused);
        let all_paused = || {
            Failure::new(
                Code::Partial,
                "every organization is paused: nothing was synced",
            )
        };
        return Err(if paused.is_empty() {
            no_organization()
        } else {
            all_paused()
        });
    }
    app::done(&format!("a daemon is at work: it does the {}", asked.word));
    let bars = Bars::new();
    let one = async |id: i64| {
        let done = daemon.sync(id, asked.order).await;
        done.unwrap_or_else(|failure| {
            OrganizationReport::failed(
                id,
                "",
                Fault {
                    kind: crate::domain::FaultKind::Remote,
                    text: failure.text(),
                    hint: None,
                },
            )
        })
    };
    let mut synced = stream::iter(chosen).map(one).buffer_unordered(AT_ONCE);
    let all = async {
        while let Some(report) = synced.next().await {
            reports.push(report);
        }
    };
    let is_over = tokio::select! {
        () = all => true,
        () = signals.stop() => false,
        never = follow(&bars, daemon, asked.orgs) => match never {},
    };
    bars.clear();
    reports.sort_by_key(|report| report.classy_id);
    if !is_over {
        if asked.tells && !reports.is_empty() {
            summary::print(cli.output, &reports, &paused)?;
        }
        return Err(left_alone());
    }
    if asked.tells {
        summary::print(cli.output, &reports, &paused)?;
    } else {
        summary::tell_failures(&reports);
    }
    Ok(summary::exit_code(&reports, false))
}

/// Nobody waits any more, and the daemon goes on.
fn left_alone() -> Failure {
    Failure::new(Code::Busy, "stopped waiting; the daemon goes on with it")
        .hint("`classy-sync status` shows how far it is; `classy-sync org pause ID` ends it for an organization, `classy-sync stop` ends the daemon")
}

/// An organization of the daemon.
struct Known {
    id: i64,
    /// It is paused.
    paused: Option<Paused>,
}

impl Known {
    fn all(status: &Value) -> Vec<Known> {
        let all = status["organizations"].as_array().into_iter().flatten();
        all.filter_map(Known::of).collect()
    }

    fn of(one: &Value) -> Option<Known> {
        let id = one["classy_id"].as_i64()?;
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let paused = (one["condition"] == "paused").then(|| Paused {
            classy_id: id,
            name: text("name"),
            reason: text("reason"),
        });
        Some(Known { id, paused })
    }
}

/// Draws what the daemon says, until it is dropped.
async fn follow(bars: &Bars, daemon: &remote::Daemon, orgs: &[i64]) -> Infallible {
    if !bars.is_visible() {
        return std::future::pending().await;
    }
    loop {
        if let Ok(status) = daemon.status().await {
            let all = status["organizations"].as_array().into_iter().flatten();
            let meant = all.filter(|one| {
                orgs.is_empty()
                    || one["classy_id"]
                        .as_i64()
                        .is_some_and(|id| orgs.contains(&id))
            });
            bars.draw(meant.flat_map(bars_of).collect());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn bars_of(organization: &Value) -> Vec<Bar> {
    let name = output::text(&organization["name"]);
    let feeds = organization["feeds"].as_array().into_iter().flatten();
    let bar = |feed: &Value| {
        let run = &feed["run"];
        Some(Bar {
            classy_id: organization["classy_id"].as_i64()?,
            name: name.clone(),
            entity: feed["entity"].as_str()?.parse().ok()?,
            run: run["done"]
                .as_u64()
                .map(|done| (done, run["total"].as_u64())),
        })
    };
    feeds.filter_map(bar).collect()
}
