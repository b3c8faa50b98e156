//! One run: what it is given and what it counts. `execute` says which parts it goes through.

use super::unread::Unread;
use super::{Error, Sink, Source};
use crate::domain::{Page, RunCounts, RunEnd};
use crate::entities::Record;
use crate::store::{Batch, Committed};
use chrono::TimeDelta;
use std::collections::BTreeSet;
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
    /// How long the pages of a full pass wait for that many, so that a slow source is saved as it
    /// comes.
    pub commit_after: Duration,
    /// How far before the watermark an incremental begins, for records that become visible late.
    pub overlap: TimeDelta,
    /// The share of stored records that may be missing from a pass before that is taken for a fault
    /// of the API.
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
    /// Records that were new, differed or were gone, and are saved.
    pub changed: u64,
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

/// How a run ended, with what it counted; the counts are there when it failed, too.
#[derive(Debug)]
pub struct Outcome {
    /// What it counted.
    pub counts: RunCounts,
    /// How it ended.
    pub result: Result<RunEnd, Error>,
    /// What a person should know though nothing failed.
    pub notes: Vec<String>,
    /// Keys that the source's records have and nobody reads.
    pub unread_keys: BTreeSet<String>,
}

/// One run of one feed.
pub struct Run<'a, R, S, K> {
    pub(super) source: &'a S,
    pub(super) sink: &'a K,
    pub(super) settings: &'a Settings,
    pub(super) stop: &'a CancellationToken,
    pub(super) observer: &'a dyn Observer,
    pub(super) counts: RunCounts,
    pub(super) notes: Vec<String>,
    pub(super) unread_keys: BTreeSet<String>,
    /// What could not be read of the walk or sweep in hand.
    pub(super) unread: Unread,
    /// A page failed alone: others may, too.
    pub(super) is_wary: bool,
    /// Totals that what it wrote touches are not up to date.
    pub(super) left_totals: bool,
    record: PhantomData<fn() -> R>,
}

impl<'a, R, S, K> Run<'a, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Prepares a run.
    pub fn new(
        source: &'a S,
        sink: &'a K,
        settings: &'a Settings,
        stop: &'a CancellationToken,
        observer: &'a dyn Observer,
    ) -> Self {
        let (counts, notes, unread_keys, unread) = (
            RunCounts::default(),
            Vec::new(),
            BTreeSet::new(),
            Unread::default(),
        );
        Run {
            source,
            sink,
            settings,
            stop,
            observer,
            counts,
            notes,
            unread_keys,
            unread,
            is_wary: false,
            left_totals: false,
            record: PhantomData,
        }
    }

    /// Keeps a word for people.
    pub(super) fn note(&mut self, text: String) {
        tracing::warn!(entity = %R::ENTITY, note = text, "something to know of this run");
        self.notes.push(text);
    }

    pub(super) fn count_page(&mut self, page: &Page<R>) {
        self.counts.pages += 1;
        self.counts.bytes += page.bytes;
        for key in &page.unread_keys {
            if !self.unread_keys.contains(key) {
                self.unread_keys.insert(key.clone());
            }
        }
    }

    /// How far it is, told to whoever watches.
    pub(super) fn mark(&self, done: u64, total: Option<u64>) {
        let changed = self.counts.inserted + self.counts.updated + self.counts.absent;
        self.observer.mark(Mark {
            done,
            total,
            changed,
        });
    }

    /// Commits a batch and counts it.
    pub(super) async fn commit(&mut self, batch: Batch<R>) -> Result<Committed, Error> {
        let committed = self.sink.commit(batch).await?;
        self.counts.add(&committed.counts);
        self.left_totals |= committed.leaves_totals && !committed.quiet();
        Ok(committed)
    }

    /// Brings the totals up to date that the batches of a first pass left out; `read` records were
    /// read, for those who watch that it goes on.
    pub(super) async fn refresh_totals(&mut self, read: u64) -> Result<(), Error> {
        let mut next = Some(0);
        while let Some(after) = next {
            next = self.sink.refresh_totals(after).await?;
            self.mark(read, None);
        }
        self.left_totals = false;
        Ok(())
    }
}
