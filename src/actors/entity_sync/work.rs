//! One run of a feed as the tree drives it: waits for its turn, gives it back when others wait too
//! long, and plans what comes next.

use super::due::FeedSchedule;
use crate::actors::Shared;
use crate::actors::report::feed_report;
use crate::actors::worker::RunLife;
use crate::classy::{self, Client};
use crate::clock;
use crate::domain::{Fault, FaultKind, Mode, Remedy, RunEnd, Task, Trouble};
use crate::entities::Entity;
use crate::schedule::Turn;
use crate::status::{Activity, FeedReport, FeedStatus, RunStatus};
use crate::store;
use crate::supervision::{KillSwitch, Progress, Watched, failpoint};
use crate::sync::{Bounds, FeedOutcome, FencedStore, Mark, Observer, Order, run_feed};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A feed and all it needs.
#[derive(Debug)]
pub(in crate::actors) struct Feed {
    pub(in crate::actors) shared: Arc<Shared>,
    pub(in crate::actors) client: Client,
    pub(in crate::actors) sink: FencedStore,
    pub(in crate::actors) classy_id: i64,
    pub(in crate::actors) entity: Entity,
    /// Falls with the organization.
    pub(in crate::actors) kill: KillSwitch,
}

/// One run as it is told what to do.
pub(super) struct FeedRun {
    pub(super) task: Task,
    pub(super) reason: &'static str,
    pub(super) known: FeedSchedule,
    pub(super) life: RunLife,
    pub(super) card: watch::Sender<FeedStatus>,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::actors) struct Worked {
    pub(super) report: FeedReport,
    pub(super) known: FeedSchedule,
    pub(super) fault: Option<Fault>,
    pub(super) is_over: bool,
    /// It was told to stop before it was done.
    pub(super) stopped: bool,
}

/// Marks the pulse and the board.
struct Pulse<'a> {
    progress: Progress,
    card: &'a watch::Sender<FeedStatus>,
}

impl Observer for Pulse<'_> {
    fn mark(&self, mark: Mark) {
        self.progress.mark();
        self.card
            .send_if_modified(|status| match &mut status.activity {
                Activity::Running(run) => {
                    (run.done, run.total, run.changed) =
                        (mark.done, mark.total.or(run.total), mark.changed);
                    true
                }
                _ => false,
            });
    }
}

/// Goes on until the task is done.
pub(super) async fn work(feed: Arc<Feed>, run: FeedRun) -> Worked {
    let mut task = run.task;
    loop {
        run.card
            .send_modify(|status| status.activity = Activity::Waiting);
        let turn = Turn::begin(&feed.shared.run_permits, feed.classy_id).await;
        failpoint::there("run::turn").await;
        let outcome = one_turn(&feed, &run, task, &turn).await;
        drop(turn);
        let yielded = matches!(&outcome, Ok(outcome) if matches!(outcome.result, Ok(RunEnd::Stopped)))
            && !run.life.stop.is_cancelled();
        if yielded {
            // A pass that was begun is gone on with; what was read is read.
            task = if task == Task::Full {
                Task::CatchUp
            } else {
                task
            };
            continue;
        }
        return conclude(&feed, run, outcome).await;
    }
}

/// Runs until the end, or until others have waited for a turn's length.
async fn one_turn(
    feed: &Feed,
    run: &FeedRun,
    task: Task,
    turn: &Turn,
) -> Result<FeedOutcome, store::Error> {
    let (plan, stop) = (feed.shared.plan(), run.life.stop.child_token());
    let pulse = Pulse {
        progress: Progress::new(),
        card: &run.card,
    };
    let state = feed.sink.store().feed_state(feed.entity).await?;
    let mode = task.mode(&state, feed.entity.schema_version());
    run.card.send_modify(|status| {
        status.activity = Activity::Running(RunStatus {
            mode,
            since: clock::now(),
            done: 0,
            total: None,
            changed: 0,
        })
    });
    let watched = Watched {
        progress: pulse.progress.clone(),
        kill: run.life.kill.clone(),
        patience: plan.patience,
    };
    feed.shared.registry.watch(&run.life.name, Some(watched));
    failpoint::there("run::watched").await;
    let order = Order {
        client: &feed.client,
        sink: &feed.sink,
        settings: &plan.engine,
        bounds: Bounds {
            turn,
            bytes: &feed.shared.bytes,
            leave: &run.life.leave,
        },
        stop: &stop,
        observer: &pulse,
        task,
        reason: run.reason,
        generation: run.life.generation,
    };
    let reading = run_feed(feed.entity, order);
    tokio::pin!(reading);
    // A repair cannot be resumed, so it keeps its turn.
    let resumable = matches!(task, Task::CatchUp | Task::Full | Task::Changes);
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut reading => break outcome,
            () = turn.is_over(plan.turn), if resumable && !stop.is_cancelled() => stop.cancel(),
            // While it waits for Classy it needs no permit; before it goes on it takes one again.
            () = turn.gives_back() => {}
        }
    };
    feed.shared.registry.watch(&run.life.name, None);
    outcome
}

/// Draws the conclusions and plans the next run.
async fn conclude(feed: &Feed, run: FeedRun, outcome: Result<FeedOutcome, store::Error>) -> Worked {
    failpoint::there("run::settle").await;
    let (plan, now) = (feed.shared.plan(), clock::now());
    let mut known = run.known;
    let worked = match outcome {
        Ok(outcome) => {
            known.learn(&outcome.state, feed.entity, now);
            let stopped = matches!(outcome.result, Ok(RunEnd::Stopped));
            let not_before = match outcome
                .result
                .as_ref()
                .err()
                .map(crate::sync::Error::remedy)
            {
                Some(Remedy::Retry { after }) => after,
                _ => None,
            };
            match &outcome.result {
                Ok(RunEnd::Complete) => known.after_success(&plan, feed.entity, run.task, now),
                Ok(RunEnd::Incomplete) => known.after_shortfall(&plan, feed.entity, run.task, now),
                // It goes on as soon as it may.
                Ok(RunEnd::Stopped) => {}
                Err(error) => {
                    known.trouble = trouble(feed, error, known.trouble.as_ref());
                    known.after_failure(&plan, feed.entity, not_before, now);
                }
            }
            let error = outcome.result.as_ref().err();
            let is_over = stopped || error.is_some_and(crate::sync::Error::concerns_all_feeds);
            Worked {
                report: feed_report(&outcome),
                fault: error.map(crate::sync::Error::fault),
                is_over,
                stopped,
                known,
            }
        }
        Err(error) => {
            known.trouble = None;
            known.after_failure(&plan, feed.entity, None, now);
            let fault = Fault {
                kind: error.kind(),
                text: error.to_string(),
                hint: error.hint(),
            };
            let report = FeedReport::failed(feed.entity.as_str(), "", fault.clone());
            Worked {
                report,
                known,
                fault: Some(fault),
                is_over: true,
                stopped: false,
            }
        }
    };
    let is_whole =
        worked.fault.is_none() && !worked.stopped && worked.report.mode == Mode::Full.as_str();
    if feed.entity == Entity::Supporters
        && is_whole
        && let Some(Err(error)) = run
            .life
            .leave
            .run_until_cancelled(learn_of_organization(feed))
            .await
    {
        tracing::warn!(organization = feed.classy_id, %error, "its currency and zone could not be written down");
    }
    if let Err(error) = feed
        .sink
        .store()
        .set_feed_times(feed.sink.fence(), feed.entity, worked.known.times)
        .await
    {
        // The plan in memory stands; after a restart the feed is due earlier than it need be.
        tracing::warn!(organization = feed.classy_id, entity = %feed.entity, %error, "the next run could not be written down");
    }
    worked
}

/// What kept the list from being read, if that is why the run failed; `before` is why the one
/// before it did. An open breaker tells of what opened it.
fn trouble(feed: &Feed, error: &crate::sync::Error, before: Option<&Trouble>) -> Option<Trouble> {
    let crate::sync::Error::Source(error) = error else {
        return None;
    };
    let pulse = feed.client.pulse();
    let heard = pulse.heard(feed.entity).trouble.clone().or(pulse.trouble);
    let Some(met) = error.trouble(&pulse.host) else {
        return matches!(error, classy::Error::BreakerOpen { .. })
            .then(|| heard.or_else(|| before.cloned()))?;
    };
    let alike = heard
        .iter()
        .chain(before)
        .filter(|other| other.kind == met.kind);
    let since = alike.map(|other| other.since).min().unwrap_or(met.since);
    Some(Trouble { since, ..met })
}

/// A full pass of supporters, which comes before everybody else's and before plugins, is the moment
/// to learn the organization's currency and zone; once, so that a run with nothing to do stays
/// cheap.
async fn learn_of_organization(feed: &Feed) -> Result<(), store::Error> {
    let known = feed.shared.store.organization(feed.classy_id).await?;
    if known.is_none_or(|organization| organization.currency_code.is_some()) {
        return Ok(());
    }
    let info = feed
        .client
        .organization()
        .await
        .ok()
        .flatten()
        .unwrap_or_default();
    if info.currency_code.is_some() || info.timezone.is_some() {
        feed.sink
            .store()
            .set_profile(info.timezone.as_deref(), info.currency_code.as_deref())
            .await?;
    }
    Ok(())
}

/// What is told of a run that came to no end of its own.
pub(super) fn broken(
    feed: &Feed,
    mut known: FeedSchedule,
    kind: FaultKind,
    text: String,
) -> Worked {
    known.trouble = None;
    known.after_failure(&feed.shared.plan(), feed.entity, None, clock::now());
    let fault = Fault {
        kind,
        text,
        hint: None,
    };
    let report = FeedReport::failed(feed.entity.as_str(), "", fault.clone());
    Worked {
        report,
        known,
        fault: Some(fault),
        is_over: false,
        stopped: false,
    }
}

/// How long until a moment; none when it has passed.
pub(super) fn until(at: crate::domain::Time) -> Duration {
    (at - clock::now()).to_std().unwrap_or_default()
}
