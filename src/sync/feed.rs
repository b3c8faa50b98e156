//! One run of one feed with everything around it: the row in `sync_runs`, the span, the log line.

use super::bounds::{Bounded, Bounds};
use super::{Error, FencedStore, Observer, Outcome, Run, Settings};
use crate::classy::Client;
use crate::domain::{FeedState, Mode, RunCounts, RunEnd, Task};
use crate::entities::{Entity, ForRecord, Record};
use crate::store;
use futures_util::future::BoxFuture;
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
    /// How much of the process it may use.
    pub bounds: Bounds<'a>,
    /// Stops the run at its next page boundary.
    pub stop: &'a CancellationToken,
    /// Is told of each page.
    pub observer: &'a dyn Observer,
    /// What is to be done.
    pub task: Task,
    /// Who asked: `cli`, `schedule`, ...
    pub reason: &'a str,
    /// Which life of the actor that gives the order, for the log.
    pub generation: u64,
}

/// How a feed's run ended.
#[derive(Debug)]
pub struct FeedOutcome {
    /// The kind of record that the feed reads.
    pub entity: Entity,
    /// The kind of run.
    pub mode: Mode,
    /// What it counted.
    pub counts: RunCounts,
    /// How it ended.
    pub result: Result<RunEnd, Error>,
    /// The checkpoint afterwards.
    pub state: FeedState,
    /// What a person should know though nothing failed.
    pub notes: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl FeedOutcome {
    /// The word in `sync_runs.outcome`.
    pub const fn word(&self) -> &'static str {
        match self.result {
            Ok(RunEnd::Complete) => "complete",
            Ok(RunEnd::Incomplete) => "incomplete",
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
    entity.with(RunFeed(order)).await
}

struct RunFeed<'a>(Order<'a>);

impl<'a> ForRecord for RunFeed<'a> {
    type Output = BoxFuture<'a, Result<FeedOutcome, store::Error>>;

    fn call<R: Record>(self) -> Self::Output {
        Box::pin(run::<R>(self.0))
    }
}

async fn run<R: Record>(order: Order<'_>) -> Result<FeedOutcome, store::Error> {
    let started = Instant::now();
    let store = order.sink.store();
    let mode = order
        .task
        .mode(&store.feed_state(R::ENTITY).await?, R::ABOUT.schema_version);
    let id = store
        .start_run(order.sink.fence(), R::ENTITY, mode, order.reason)
        .await?;
    let (generation, epoch) = (order.generation, order.sink.fence().epoch());
    let span = tracing::info_span!("sync", organization = store.classy_id(), entity = %R::ENTITY, run_id = id, generation, epoch);
    async {
        let bounded = Bounded::new(order.client, order.sink, order.bounds);
        let run = Run::<R, _, _>::new(&bounded, &bounded, order.settings, order.stop, order.observer);
        let Outcome { counts, result, notes, unread_keys } = run.execute(order.task).await;
        let state = store.feed_state(R::ENTITY).await?;
        let error = match &result {
            Ok(RunEnd::Incomplete) => state.lacks(),
            Ok(RunEnd::Complete | RunEnd::Stopped) => None,
            Err(error) => Some(error.to_string()),
        };
        let outcome = FeedOutcome { entity: R::ENTITY, mode, counts, result, state, notes, took: started.elapsed() };
        store.finish_run(order.sink.fence(), id, outcome.word(), &counts, error.as_deref()).await?;
        if let Err(error) = store.note_unread_fields(R::ENTITY, &unread_keys).await {
            tracing::warn!(%error, "what Classy has besides could not be written down");
        }
        if let Err(error) = store.keep_statistics().await {
            tracing::warn!(%error, "the database's statistics could not be gathered; questions to it may take longer");
        }
        let took_ms = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
        match error {
            None => tracing::info!(
                mode = %mode, outcome = outcome.word(), seen = counts.seen, inserted = counts.inserted, updated = counts.updated,
                rejected = counts.rejected, absent = counts.absent, requests = counts.requests, took_ms, "the run ended"
            ),
            Some(error) => {
                tracing::warn!(mode = %mode, outcome = outcome.word(), error, requests = counts.requests, took_ms, "the run fell short")
            }
        }
        Ok(outcome)
    }
    .instrument(span)
    .await
}
