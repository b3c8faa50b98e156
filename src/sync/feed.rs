//! One run of one feed with everything around it: the row in `sync_runs`, the span, the log line.

use super::{Error, FencedStore, Observer, Outcome, Run, Settings, Task};
use crate::classy::{Client, Wire};
use crate::domain::{Campaign, Entity, FeedState, Mode, RecurringPlan, RunCounts, RunEnd, Supporter, Transaction};
use crate::store::{self, Row};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// What a run needs from those who order it.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The organization's API.
    pub client: &'a Client,
    /// The organization's store and the right to write it.
    pub sink: &'a FencedStore,
    /// How runs behave.
    pub settings: &'a Settings,
    /// Stops the run at its next page boundary.
    pub stop: &'a CancellationToken,
    /// Is told of each page.
    pub observer: &'a dyn Observer,
    /// What is to be done.
    pub task: Task,
    /// Who asked: `cli`, `schedule`, ...
    pub reason: &'a str,
}

/// How a feed's run ended.
#[derive(Debug)]
pub struct FeedOutcome {
    /// The feed.
    pub entity: Entity,
    /// The kind of run.
    pub mode: Mode,
    /// What it counted.
    pub counts: RunCounts,
    /// How it ended.
    pub result: Result<RunEnd, Error>,
    /// The checkpoint afterwards.
    pub state: FeedState,
    /// How long it took.
    pub took: Duration,
}

impl FeedOutcome {
    /// The word in `sync_runs.outcome`.
    pub const fn word(&self) -> &'static str {
        match self.result {
            Ok(RunEnd::Complete) => "complete",
            Ok(RunEnd::Stopped) => "stopped",
            Err(_) => "failed",
        }
    }
}

/// Runs one feed and keeps its history.
///
/// # Errors
/// Only when the history itself cannot be written; the run's own failure is in the outcome.
pub async fn run_feed(entity: Entity, order: Order<'_>) -> Result<FeedOutcome, store::Error> {
    match entity {
        Entity::Supporters => run::<Supporter>(order).await,
        Entity::Campaigns => run::<Campaign>(order).await,
        Entity::RecurringPlans => run::<RecurringPlan>(order).await,
        Entity::Transactions => run::<Transaction>(order).await,
    }
}

async fn run<R: Row + Wire>(order: Order<'_>) -> Result<FeedOutcome, store::Error> {
    let started = Instant::now();
    let store = order.sink.store();
    let mode = order.task.mode(&store.feed_state(R::ENTITY).await?);
    let id = store.start_run(order.sink.fence(), R::ENTITY, mode, order.reason).await?;
    let span =
        tracing::info_span!("sync", organization = store.classy_id(), entity = %R::ENTITY, run_id = id, epoch = order.sink.fence().epoch());
    async {
        let run = Run::<R, _, _>::new(order.client, order.sink, order.settings, order.stop, order.observer);
        let Outcome { counts, result } = run.execute(order.task).await;
        let error = result.as_ref().err().map(ToString::to_string);
        let state = store.feed_state(R::ENTITY).await?;
        let outcome = FeedOutcome { entity: R::ENTITY, mode, counts, result, state, took: started.elapsed() };
        store.finish_run(order.sink.fence(), id, outcome.word(), &counts, error.as_deref()).await?;
        let took_ms = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
        match error {
            None => tracing::info!(
                mode = %mode, outcome = outcome.word(), seen = counts.seen, inserted = counts.inserted, updated = counts.updated,
                rejected = counts.rejected, absent = counts.absent, requests = counts.requests, took_ms, "the run ended"
            ),
            Some(error) => tracing::warn!(mode = %mode, error, requests = counts.requests, took_ms, "the run failed"),
        }
        Ok(outcome)
    }
    .instrument(span)
    .await
}
