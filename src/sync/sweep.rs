//! The incremental sweep: what changed since the watermark, read by key, never by page number.
//!
//! The first request asks for the window's latest page. When it holds the whole window, or when every record of it is as
//! stored and the window counts as many records here as there, the sweep is done with that one request. Otherwise the
//! window is walked from its oldest change: each request asks again from the last time of change seen, and page two is
//! asked for only inside a single second that fills a whole page, until two readings of that second agree. So a record
//! that moves while we read moves ahead of us, never behind.

use super::window::{advance, date_of, start};
use super::{Error, Mark, Run, Sink, Source};
use crate::domain::{FeedState, Item, Page, Query, Record, RunEnd, Time};
use crate::store::Batch;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Readings of one second before it is left to the overlap: a second that changes for ever must not hold the feed.
const READINGS: u32 = 10;

/// What a walk by key may move.
pub(super) enum Checkpoint {
    /// The feed's watermark, not beyond the source's clock at the sweep's first page.
    Upto(Box<FeedState>, Time),
    /// Nothing: a repair.
    Untouched,
}

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    pub(super) async fn sweep(&mut self) -> Result<RunEnd, Error> {
        let mut state = self.sink.load().await?;
        let Some(from) = start(&state, self.settings.overlap) else { return Ok(RunEnd::Complete) };
        let latest = self.fetch(Query::LatestSince(from), 1, self.settings.per_page).await?;
        let date = date_of(latest.date);
        let seen = latest.items.iter().filter_map(Item::updated_at).max();
        let total = latest.total;
        let whole = latest.items.len() < self.settings.per_page as usize && total <= latest.items.len() as u64;
        self.observer.mark(Mark { done: latest.items.len() as u64, total: Some(total) });
        if whole {
            state.watermark = advance(state.watermark, seen, date);
            state.swept_at = Some(date);
            self.commit(Batch::of(latest.items).at(state)).await?;
            return Ok(RunEnd::Complete);
        }
        let committed = self.commit(Batch::of(latest.items)).await?;
        if committed.quiet() && self.sink.count_since(from).await? == total {
            state.watermark = advance(state.watermark, seen, date);
            state.swept_at = Some(date);
            self.commit(Batch::of(Vec::new()).at(state)).await?;
            return Ok(RunEnd::Complete);
        }
        self.walk_by_key(from, Checkpoint::Upto(Box::new(state), date)).await
    }

    /// Reads everything that changed at or after `key`, oldest change first.
    pub(super) async fn walk_by_key(&mut self, from: Time, mut checkpoint: Checkpoint) -> Result<RunEnd, Error> {
        let mut key = from;
        let mut done = 0;
        loop {
            if self.stop.is_cancelled() {
                return Ok(RunEnd::Stopped);
            }
            let page = self.fetch(Query::Since(key), 1, self.settings.per_page).await?;
            done += page.items.len() as u64;
            self.observer.mark(Mark { done, total: None });
            let last = page.last_updated_at();
            let more = self.has_more(&page, 1);
            let Some(last) = last.filter(|last| more && *last >= key) else {
                if more {
                    return Err(Error::Unordered { entity: R::ENTITY });
                }
                self.commit_upto(&mut checkpoint, page.items, last, true).await?;
                return Ok(RunEnd::Complete);
            };
            self.commit_upto(&mut checkpoint, page.items, Some(last), false).await?;
            if last > key {
                key = last;
            } else if self.read_second(key, &mut checkpoint).await? {
                // Everything of this second was read; the next request need not meet it again.
                key += TimeDelta::seconds(1);
            } else {
                self.commit_upto(&mut checkpoint, Vec::new(), Some(key), true).await?;
                return Ok(RunEnd::Complete);
            }
        }
    }

    fn has_more(&self, page: &Page<R>, number: u32) -> bool {
        let full = page.items.len() >= self.settings.per_page as usize;
        let before = u64::from(number - 1) * u64::from(self.settings.per_page);
        full || page.total > before + page.items.len() as u64
    }

    /// Reads a second that fills more than a page, until two readings agree. Answers whether anything lies beyond it.
    async fn read_second(&mut self, key: Time, checkpoint: &mut Checkpoint) -> Result<bool, Error> {
        let mut before: Option<BTreeSet<(Option<i64>, Option<Time>)>> = None;
        let mut beyond = false;
        for _ in 0..READINGS {
            let mut reading = BTreeSet::new();
            for number in 1.. {
                let page = self.fetch(Query::Since(key), number, self.settings.per_page).await?;
                let more = self.has_more(&page, number) && !page.items.is_empty();
                beyond = page.items.iter().filter_map(Item::updated_at).any(|at| at > key);
                reading.extend(page.items.iter().filter(|item| item.updated_at() == Some(key)).map(|item| (item.id(), item.updated_at())));
                self.commit_upto(checkpoint, page.items, Some(key), false).await?;
                if beyond || !more {
                    break;
                }
            }
            if before.as_ref() == Some(&reading) {
                return Ok(beyond);
            }
            before = Some(reading);
        }
        tracing::warn!(entity = %R::ENTITY, readings = READINGS, "a second with many changes did not come to rest; the next sweep reads it again");
        Ok(beyond)
    }

    async fn commit_upto(&mut self, checkpoint: &mut Checkpoint, items: Vec<Item<R>>, seen: Option<Time>, end: bool) -> Result<(), Error> {
        let batch = match checkpoint {
            Checkpoint::Untouched if items.is_empty() => return Ok(()),
            Checkpoint::Untouched => Batch::of(items),
            Checkpoint::Upto(state, date) => {
                state.watermark = advance(state.watermark, seen, *date);
                if end {
                    state.swept_at = Some(*date);
                }
                Batch::of(items).at((**state).clone())
            }
        };
        self.commit(batch).await?;
        Ok(())
    }
}
