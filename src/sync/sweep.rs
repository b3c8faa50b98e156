//! The incremental sweep: what changed since the watermark, read by key, never by page number.
//!
//! The first request asks for the window's latest page. When it holds the whole window, or when every record of it is as
//! stored, the window counts as many records here as there and the rest was read before, the sweep is done with that one
//! request. Otherwise the window is walked from its oldest change: each request asks again from the last time of change
//! seen, and page two is asked for only inside a single second that fills a whole page, until every record of that second
//! was met. So a record that moves while we read moves ahead of us, never behind.

use super::window::{advance, date_of, start};
use super::{Error, Mark, Run, Sink, Source};
use crate::domain::{FeedState, Item, Page, Query, Record, RunEnd, Time};
use crate::store::Batch;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Readings of one second that bring nothing new before it is left to the overlap: a second that changes for ever must not
/// hold the feed.
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
    /// Reads what changed; `passed` when a full pass came just before.
    pub(super) async fn sweep(&mut self, passed: bool) -> Result<RunEnd, Error> {
        let mut state = self.sink.load().await?;
        let overlap = self.settings.overlap;
        let Some(from) = start(&state, overlap) else { return Ok(RunEnd::Complete) };
        let latest = self.fetch(Query::LatestSince(from), 1, self.settings.per_page).await?;
        let date = date_of(latest.date);
        let times = latest.items.iter().filter_map(Item::updated_at);
        let (oldest, seen, total) = (times.clone().min(), times.max(), latest.total);
        let whole = latest.items.len() < self.settings.per_page as usize && total <= latest.items.len() as u64;
        self.observer.mark(Mark { done: latest.items.len() as u64, total: Some(total) });
        if latest.items.is_empty() && total == 0 {
            // Nothing changed, or a slip of the source: neither is worth moving the place from which the next sweep reads.
            return Ok(RunEnd::Complete);
        }
        if whole {
            state.watermark = advance(state.watermark, seen, date);
            state.swept_at = Some(date);
            self.commit(Batch::of(latest.items).at(state)).await?;
            return Ok(RunEnd::Complete);
        }
        // An equal count alone proves little: a changed record counts here with its old time and there with its new one. A
        // page that reaches back to before the last complete sweep shows all that changed since, and settles the matter.
        // Within the overlap after that sweep a quiet page is enough for now; a later sweep reads the window again.
        let settled = oldest.zip(state.swept_at).is_some_and(|(oldest, swept)| oldest < swept - overlap);
        let recent = !passed && oldest.is_some() && state.swept_at.is_some_and(|swept| date - swept < overlap);
        let committed = self.commit(Batch::of(latest.items)).await?;
        if (settled || recent) && committed.quiet() && self.sink.count_since(from).await? == total {
            if settled {
                state.watermark = advance(state.watermark, seen, date);
                state.swept_at = Some(date);
                self.commit(Batch::of(Vec::new()).at(state)).await?;
            }
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
                let shown = !page.items.is_empty();
                self.commit_upto(&mut checkpoint, page.items, last, shown).await?;
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

    /// Reads a second that fills more than a page, until as many different records of it were met as the list has, in readings
    /// between which that number stayed the same. Answers whether anything lies beyond it.
    ///
    /// Two requests may order the records of one second differently: then a reading shows one of them twice and another not
    /// at all, and two readings may even agree on that.
    async fn read_second(&mut self, key: Time, checkpoint: &mut Checkpoint) -> Result<bool, Error> {
        let mut met: BTreeSet<i64> = BTreeSet::new();
        let (mut before, mut beyond, mut idle) = (None, false, 0);
        while idle < READINGS {
            let (mut shown, mut reading) = (0, Vec::new());
            for number in 1.. {
                let page = self.fetch(Query::Since(key), number, self.settings.per_page).await?;
                let more = self.has_more(&page, number) && !page.items.is_empty();
                let tied = page.items.iter().take_while(|item| item.updated_at().is_none_or(|at| at <= key));
                let (length, named) = (tied.clone().count(), reading.len());
                reading.extend(tied.filter_map(Item::id));
                shown += reading.len() - named;
                let passed = length < page.items.len();
                beyond |= passed;
                self.commit_upto(checkpoint, page.items, Some(key), false).await?;
                if passed || !more {
                    break;
                }
            }
            let known = met.len();
            if before == Some(shown) {
                met.extend(reading);
                if met.len() >= shown {
                    return Ok(beyond);
                }
            } else {
                // Who moved away meanwhile must not stand in for one that was not met.
                met.clear();
            }
            idle = if met.len() > known { 0 } else { idle + 1 };
            before = Some(shown);
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
