//! One run of a feed as the tree drives it: waits for its turn, gives it back when others wait too long, and plans what comes next.

use super::due::Known;
use crate::actors::{Activity, FeedReport, FeedStatus, RunStatus, Shared};
use crate::classy::Client;
use crate::clock;
use crate::domain::{Entity, Fault, FaultKind, Remedy, RunEnd};
use crate::kernel::{Kill, Progress, Watched, mischief};
use crate::schedule::Permit;
use crate::store;
use crate::sync::{FeedOutcome, FencedStore, Mark, Observer, Order, Task, run_feed};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A feed and all it needs.
#[derive(Debug)]
pub(in crate::actors) struct Feed {
    pub(in crate::actors) shared: Arc<Shared>,
    pub(in crate::actors) client: Client,
    pub(in crate::actors) sink: FencedStore,
    pub(in crate::actors) classy_id: i64,
    pub(in crate::actors) entity: Entity,
    /// Falls with the organization.
    pub(in crate::actors) kill: Kill,
}

/// What a run is told.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) name: Arc<str>,
    pub(super) task: Task,
    pub(super) reason: &'static str,
    pub(super) known: Known,
    /// Ends it at its next page.
    pub(super) stop: CancellationToken,
    /// Ends it at once.
    pub(super) kill: Kill,
    pub(super) card: watch::Sender<FeedStatus>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Worked {
    pub(super) report: FeedReport,
    pub(super) known: Known,
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
        self.card.send_if_modified(|status| match &mut status.activity {
            Activity::Running(run) => {
                (run.done, run.total) = (mark.done, mark.total.or(run.total));
                true
            }
            _ => false,
        });
    }
}

/// Does the job to its end.
pub(super) async fn work(feed: Arc<Feed>, job: Job) -> Worked {
    let mut task = job.task;
    loop {
        job.card.send_modify(|status| status.activity = Activity::Waiting);
        let permit = feed.shared.dealer.permit(feed.classy_id).await;
        mischief::there("run::turn").await;
        let turn = job.stop.child_token();
        let outcome = one_turn(&feed, &job, task, &turn, &permit).await;
        drop(permit);
        let yielded = matches!(&outcome, Ok(outcome) if matches!(outcome.result, Ok(RunEnd::Stopped))) && !job.stop.is_cancelled();
        if yielded {
            // A pass that was begun is gone on with; what was read is read.
            task = if task == Task::Full { Task::CatchUp } else { task };
            continue;
        }
        return settle(&feed, job, outcome).await;
    }
}

/// Runs until the end, or until others have waited for a turn's length.
async fn one_turn(feed: &Feed, job: &Job, task: Task, turn: &CancellationToken, permit: &Permit) -> Result<FeedOutcome, store::Error> {
    let plan = feed.shared.plan();
    let pulse = Pulse { progress: Progress::new(), card: &job.card };
    let state = feed.sink.store().feed_state(feed.entity).await?;
    let mode = task.mode(&state);
    job.card.send_modify(|status| status.activity = Activity::Running(RunStatus { mode, since: clock::now(), done: 0, total: None }));
    let watched = Watched { progress: pulse.progress.clone(), kill: job.kill.clone(), patience: plan.patience };
    feed.shared.roster.watch(&job.name, Some(watched));
    mischief::there("run::watched").await;
    let order =
        Order { client: &feed.client, sink: &feed.sink, settings: &plan.engine, stop: turn, observer: &pulse, task, reason: job.reason };
    let run = run_feed(feed.entity, order);
    tokio::pin!(run);
    // A repair cannot be resumed, so it keeps its turn.
    let resumable = matches!(task, Task::CatchUp | Task::Full | Task::Changes);
    let outcome = tokio::select! {
        biased;
        outcome = &mut run => outcome,
        () = permit.is_wanted_after(plan.turn), if resumable => {
            turn.cancel();
            run.await
        }
    };
    feed.shared.roster.watch(&job.name, None);
    outcome
}

/// Draws the conclusions and plans the next run.
async fn settle(feed: &Feed, job: Job, outcome: Result<FeedOutcome, store::Error>) -> Worked {
    mischief::there("run::settle").await;
    let (plan, now) = (feed.shared.plan(), clock::now());
    let mut known = job.known;
    let worked = match outcome {
        Ok(outcome) => {
            known.learn(&outcome.state);
            let stopped = matches!(outcome.result, Ok(RunEnd::Stopped));
            let not_before = match outcome.result.as_ref().err().map(crate::sync::Error::remedy) {
                Some(Remedy::Retry { after }) => after,
                _ => None,
            };
            match &outcome.result {
                Ok(RunEnd::Complete) => known.after_success(&plan, feed.entity, job.task, now),
                // It goes on as soon as it may.
                Ok(RunEnd::Stopped) => {}
                Err(_) => known.after_failure(&plan, feed.entity, not_before, now),
            }
            let error = outcome.result.as_ref().err();
            let is_over = stopped || error.is_some_and(crate::sync::Error::concerns_all_feeds);
            Worked { report: FeedReport::of(&outcome), fault: error.map(crate::sync::Error::fault), is_over, stopped, known }
        }
        Err(error) => {
            known.after_failure(&plan, feed.entity, None, now);
            let fault = Fault { kind: error.kind(), text: error.to_string(), hint: error.hint() };
            let report = FeedReport::failed(feed.entity.as_str(), "", fault.clone());
            Worked { report, known, fault: Some(fault), is_over: true, stopped: false }
        }
    };
    if let Err(error) = feed.sink.store().set_feed_times(feed.sink.fence(), feed.entity, worked.known.times).await {
        // The plan in memory stands; after a restart the feed is due earlier than it need be.
        tracing::warn!(organization = feed.classy_id, entity = %feed.entity, %error, "the next run could not be written down");
    }
    worked
}

/// What is told of a run that came to no end of its own.
pub(super) fn broken(feed: &Feed, mut known: Known, kind: FaultKind, text: String) -> Worked {
    known.after_failure(&feed.shared.plan(), feed.entity, None, clock::now());
    let fault = Fault { kind, text, hint: None };
    let report = FeedReport::failed(feed.entity.as_str(), "", fault.clone());
    Worked { report, known, fault: Some(fault), is_over: false, stopped: false }
}

/// How long until a moment; none when it has passed.
pub(super) fn until(at: crate::domain::Time) -> Duration {
    (at - clock::now()).to_std().unwrap_or_default()
}
