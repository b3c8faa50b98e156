//! One run: what it is given, what it counts, and which parts it goes through.

use super::{Error, Sink, Source};
use crate::domain::{FeedState, Mode, Page, Query, Record, RunCounts, RunEnd, Time};
use crate::store::{Batch, Committed};
use chrono::TimeDelta;
use std::marker::PhantomData;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How runs behave; the same for every run of a process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Records a page; 100 is the most that the contract knows (contract 4).
    pub per_page: u32,
    /// Pages in one transaction of a full pass, at most.
    pub commit_pages: usize,
    /// How long the pages of a full pass wait for that many, so that a slow source is saved as it comes.
    pub commit_after: Duration,
    /// How far before the watermark an incremental begins, for records that become visible late.
    pub overlap: TimeDelta,
    /// The share of stored records that may be missing from a pass before that is taken for a fault of the API.
    pub absent_share: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            per_page: 100,
            commit_pages: 20,
            commit_after: Duration::from_secs(2),
            overlap: TimeDelta::minutes(5),
            absent_share: 0.05,
        }
    }
}

/// How far a run is; for progress bars, and later for those who watch that it moves.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Records read so far.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
}

/// Somebody who is told of each page.
pub trait Observer: Sync {
    /// Called after each page is read or batch is committed.
    fn mark(&self, mark: Mark);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Observer for Quiet {
    fn mark(&self, _: Mark) {}
}

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The pass that is not complete, if there is one, then what changed.
    CatchUp,
    /// A full pass from its beginning or where it stopped, then what changed meanwhile.
    Full,
    /// What changed, though a pass is not complete: a long pass yields to it and goes on afterwards.
    Changes,
    /// Everything that changed at or after a moment, again; the checkpoint stays.
    Since(Time),
    /// Transactions bought at or after a moment, again: for changes that move no time of change. The checkpoint stays.
    Recent(Time),
}

impl Task {
    /// The word for `sync_runs`.
    pub fn mode(self, state: &FeedState) -> Mode {
        match self {
            Task::Full => Mode::Full,
            Task::CatchUp if state.first_pass_at.is_none() || state.pass.is_some() => Mode::Full,
            Task::CatchUp | Task::Changes => Mode::Incremental,
            Task::Since(_) | Task::Recent(_) => Mode::Repair,
        }
    }
}

/// How a run ended, with what it counted; the counts are there when it failed, too.
#[derive(Debug)]
pub struct Outcome {
    /// What it counted.
    pub counts: RunCounts,
    /// How it ended.
    pub result: Result<RunEnd, Error>,
}

/// One run of one feed.
pub struct Run<'a, R, S, K> {
    pub(super) source: &'a S,
    pub(super) sink: &'a K,
    pub(super) settings: &'a Settings,
    pub(super) stop: &'a CancellationToken,
    pub(super) observer: &'a dyn Observer,
    pub(super) counts: RunCounts,
    record: PhantomData<fn() -> R>,
}

impl<'a, R, S, K> Run<'a, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Prepares a run.
    pub fn new(source: &'a S, sink: &'a K, settings: &'a Settings, stop: &'a CancellationToken, observer: &'a dyn Observer) -> Self {
        Run { source, sink, settings, stop, observer, counts: RunCounts::default(), record: PhantomData }
    }

    /// Does the task. Cancelling the token stops it at the next page boundary; dropping the future at any moment is safe.
    pub async fn execute(mut self, task: Task) -> Outcome {
        let result = self.perform(task).await;
        Outcome { counts: self.counts, result }
    }

    async fn perform(&mut self, task: Task) -> Result<RunEnd, Error> {
        let state = self.sink.load().await?;
        match task {
            Task::Since(from) => return self.repair(from).await,
            Task::Recent(from) => return self.recent(from).await,
            Task::Changes => {}
            Task::CatchUp if state.first_pass_at.is_some() && state.pass.is_none() => {}
            Task::CatchUp | Task::Full => {
                if self.pass(state).await? == RunEnd::Stopped {
                    return Ok(RunEnd::Stopped);
                }
            }
        }
        self.sweep().await
    }

    /// Asks for a page and counts it.
    pub(super) async fn fetch(&mut self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, Error> {
        self.counts.requests += 1;
        let page = self.source.page(query, page, per_page).await?;
        self.count_page(&page);
        Ok(page)
    }

    pub(super) fn count_page(&mut self, page: &Page<R>) {
        self.counts.pages += 1;
        self.counts.bytes += page.bytes;
    }

    /// Commits a batch and counts it.
    pub(super) async fn commit(&mut self, batch: Batch<R>) -> Result<Committed, Error> {
        let committed = self.sink.commit(batch).await?;
        self.counts.add(&committed.counts);
        Ok(committed)
    }
}
