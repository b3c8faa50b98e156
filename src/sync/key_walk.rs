//! A walk by key: everything that changed at or after a moment, oldest change first.
//!
//! Each request asks again from the last time of change seen, and page two is asked for only inside
//! a single second that fills a whole page, until every record of that second was met. So a record
//! that moves while we read moves ahead of us, never behind.

use super::paging::{GROWTH, Paging};
use super::unread::Unread;
use super::walk::BARREN;
use super::window::{advance, latest_seen};
use super::{Error, Run, Sink, Source};
use crate::domain::{FeedState, Gap, Item, Query, Time};
use crate::entities::Record;
use crate::store::Batch;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Readings of one second that bring nothing new before it is left to the overlap: a second that
/// changes for ever must not hold the feed.
const READINGS: u32 = 10;

/// How long the watermark waits for changes that cannot be read: longer, and the window would grow
/// without end. The next full pass brings them.
const WAITING: TimeDelta = TimeDelta::days(1);

/// How a look for changes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swept {
    /// At its end.
    Done,
    /// Told to stop.
    Stopped,
    /// The watermark lies ahead of every clock: what it skipped, only a full pass can tell.
    Ahead,
}

/// What a walk by key may move.
pub(super) enum Checkpoint {
    /// The feed's watermark.
    Upto(Box<Upto>),
    /// Nothing: a repair.
    Untouched,
}

/// How far a sweep has come.
pub(super) struct Upto {
    pub(super) state: FeedState,
    /// The source's clock at its first page: the watermark goes no further.
    pub(super) date: Time,
    /// The watermark when it began.
    pub(super) began: Option<Time>,
    /// The latest time of change that was stored, whatever could not be read before it.
    pub(super) reached: Option<Time>,
    /// Fewer records were shown than were counted.
    pub(super) is_doubtful: bool,
    /// The end was reached, and something was there.
    pub(super) ended: bool,
}

impl Checkpoint {
    const fn doubt(&mut self) {
        if let Checkpoint::Upto(upto) = self {
            upto.is_doubtful = true;
        }
    }

    const fn reach_the_end(&mut self, shown: bool) {
        if let Checkpoint::Upto(upto) = self {
            upto.ended = shown;
        }
    }
}

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Reads everything that changed at or after `key`, oldest change first; `told` is how much
    /// that is, if anybody said.
    pub(super) async fn walk_by_key(
        &mut self,
        from: Time,
        told: u64,
        mut checkpoint: Checkpoint,
    ) -> Result<Swept, Error> {
        let rejected = self.counts.rejected;
        let (mut key, mut done, mut most) = (from, 0, told);
        // What the source counted from the last key on, and how much of that lies before the
        // present one.
        let mut before: Option<(u64, u64)> = None;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Swept::Stopped);
            }
            let per_page = self.settings.per_page;
            let page = self.fetch(Query::Since(key), 1, per_page).await?;
            if done == 0 {
                most = most.max(page.total);
            }
            done += page.items.len() as u64 + page.unread;
            self.mark(done, None);
            if done > 4 * most + GROWTH {
                return Err(Error::Endless {
                    entity: R::ENTITY,
                    what: format!("{done} changes were read where it told of {most}"),
                });
            }
            if before.is_some_and(|(counted, shown)| counted.saturating_sub(page.total) > shown) {
                // Fewer were shown before this key than were counted: perhaps they moved on,
                // perhaps they are lacking.
                checkpoint.doubt();
            }
            let (last, total) = (page.last_updated_at(), page.total);
            let more = Paging::new(per_page).has_more(&page, 1);
            let Some(last) = last.filter(|last| more && *last >= key) else {
                // An empty page where the source counts more is a lack, and is told as one.
                if more && !page.items.is_empty() {
                    return Err(Error::Unordered { entity: R::ENTITY });
                }
                checkpoint.reach_the_end(!page.items.is_empty());
                self.commit_upto(&mut checkpoint, page.items, key).await?;
                break;
            };
            let shown = page
                .items
                .iter()
                .filter(|item| item.updated_at().is_none_or(|at| at < last))
                .count() as u64;
            self.commit_upto(&mut checkpoint, page.items, key).await?;
            if last > key {
                before = Some((total, shown));
                key = last;
                continue;
            }
            let (beyond, shown) = self.read_second(key, &mut checkpoint).await?;
            if !beyond {
                checkpoint.reach_the_end(true);
                break;
            }
            // Everything of this second was read; the next request need not meet it again.
            before = Some((total, shown));
            key += TimeDelta::seconds(1);
        }
        if let Checkpoint::Upto(upto) = checkpoint {
            self.conclude(*upto, from, most, self.counts.rejected - rejected)
                .await?;
        }
        Ok(Swept::Done)
    }

    /// Ends a walk: the watermark moves to what was reached; but when changes are lacking that the
    /// source counts, it waits for them where it was, for a day at most.
    async fn conclude(
        &mut self,
        upto: Upto,
        from: Time,
        told: u64,
        rejected: u64,
    ) -> Result<(), Error> {
        let Upto {
            mut state,
            date,
            began,
            reached,
            ended,
            ..
        } = upto;
        let stored = self.sink.count_since(from).await? + rejected;
        if self.unread.rows == 0 && stored < told {
            // Some may have vanished meanwhile, or have been stored with another time.
            let now = self
                .fetch(Query::LatestSince(from), 1, self.settings.per_page)
                .await?;
            let counted = told.min(now.total);
            self.unread.add(
                counted.saturating_sub(stored),
                &format!("the source counts {counted} changes, and shows fewer"),
            );
            self.commit(Batch::of(now.items)).await?;
        }
        let Unread { rows, note } = self.unread.clone();
        let waits = rows > 0 && began.is_none_or(|began| date - began < WAITING);
        if waits {
            state.watermark = began;
        } else {
            state.watermark = advance(state.watermark, reached);
            state.swept_at = if ended { Some(date) } else { state.swept_at };
        }
        // A clock that was ahead then is no reason to wait longer.
        let since = state.gap.as_ref().map_or(date, |gap| gap.since.min(date));
        state.gap = (rows > 0).then_some(Gap {
            since,
            records: rows,
            reason: note,
        });
        self.commit(Batch::of(Vec::new()).at(state)).await?;
        Ok(())
    }

    /// Reads a second that fills more than a page, until as many different records of it were met
    /// as the list has, in readings between which that number stayed the same. Answers whether
    /// anything lies beyond it, and how many records it has.
    ///
    /// Two requests may order the records of one second differently: then a reading shows one of
    /// them twice and another not at all, and two readings may even agree on that.
    async fn read_second(
        &mut self,
        key: Time,
        checkpoint: &mut Checkpoint,
    ) -> Result<(bool, u64), Error> {
        let mut met: BTreeSet<i64> = BTreeSet::new();
        let (mut before, mut beyond, mut idle) = (None, false, 0);
        while idle < READINGS {
            let (mut shown, mut reading, mut named_ids, mut barren) =
                (0, Vec::new(), BTreeSet::new(), 0);
            let mut paging = Paging::new(self.settings.per_page);
            for number in 1.. {
                let page = self
                    .fetch(Query::Since(key), number, paging.per_page)
                    .await?;
                let more =
                    paging.has_more(&page, number) && !(page.items.is_empty() && page.unread == 0);
                let tied = page
                    .items
                    .iter()
                    .take_while(|item| item.updated_at().is_none_or(|at| at <= key));
                let (length, named) = (tied.clone().count(), reading.len());
                // Rows without a number are new as far as anybody knows.
                let is_new = tied.clone().fold(page.unread > 0, |is_new, item| {
                    item.id().is_none_or(|id| named_ids.insert(id)) || is_new
                });
                barren = if is_new { 0 } else { barren + 1 };
                reading.extend(tied.filter_map(Item::id));
                shown += reading.len() - named;
                let passed = length < page.items.len();
                beyond |= passed;
                self.commit_upto(checkpoint, page.items, key).await?;
                if passed || !more {
                    break;
                }
                if barren >= BARREN {
                    let what = format!(
                        "pages {} to {number} of one second show the same records",
                        number - BARREN
                    );
                    return Err(Error::Endless {
                        entity: R::ENTITY,
                        what,
                    });
                }
                paging.check::<R>()?;
            }
            let known = met.len();
            if before == Some(shown) {
                met.extend(reading);
                if met.len() >= shown {
                    return Ok((beyond, met.len() as u64));
                }
            } else {
                // Who moved away meanwhile must not stand in for one that was not met.
                met.clear();
            }
            idle = if met.len() > known { 0 } else { idle + 1 };
            before = Some(shown);
        }
        tracing::warn!(entity = %R::ENTITY, readings = READINGS, "a second with many changes did not come to rest; the next sweep reads it again");
        Ok((beyond, met.len() as u64))
    }

    /// Commits what was read. The watermark follows the keys: that everything before a key was
    /// shown, only the count at the key tells.
    async fn commit_upto(
        &mut self,
        checkpoint: &mut Checkpoint,
        items: Vec<Item<R>>,
        key: Time,
    ) -> Result<(), Error> {
        let batch = match checkpoint {
            Checkpoint::Untouched if items.is_empty() => return Ok(()),
            Checkpoint::Untouched => Batch::of(items),
            Checkpoint::Upto(upto) => {
                // Never past a change that could not be read, and not within a second that is not
                // read to its end.
                if self.unread.rows == 0 && !upto.is_doubtful {
                    upto.state.watermark = advance(
                        upto.state.watermark,
                        upto.reached.map(|reached| reached.min(key)),
                    );
                }
                upto.reached = advance(upto.reached, latest_seen(&items, upto.date));
                Batch::of(items).at(upto.state.clone())
            }
        };
        self.commit(batch).await?;
        Ok(())
    }
}
