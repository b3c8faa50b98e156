//! A walk over a list in progress: what was read and is not committed yet, and how one tells that
//! the list does not end.

use super::Error;
use super::verify::Guard;
use crate::classy;
use crate::domain::{FeedState, Item, Page, Pass, Walked};
use crate::entities::Record;
use crate::store::Fingerprint;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::AtomicU64;
use tokio::time::Instant;

/// Walks of one pass at most: a list from which records vanish all the time must not hold the feed
/// for ever.
pub(super) const WALKS: u32 = 5;

/// Pages in a row that show the same again and end a walk: a source that ignores `page` does so for
/// ever.
pub(super) const BARREN: u32 = 3;

/// Pages in a row without any new record that end a walk: a source may show the same few pages in
/// turn. Live lists repeat a row or two.
pub(super) const STALE: u32 = 10;

/// Pages in a row of which no row can be read that end a walk.
pub(super) const HOPELESS: u32 = 3;

/// Rows that a list may grow by while it is walked, beside twice what it told of.
pub(super) const GROWTH: u64 = 1_000;

/// A walk in progress: what was read and is not committed yet.
pub(super) struct Walk<'a, R> {
    pub(super) state: FeedState,
    pub(super) pass: Pass,
    pub(super) items: Vec<Item<R>>,
    pub(super) fingerprints: Vec<Option<Fingerprint>>,
    /// Ids among them of which a version was committed after their page was asked for: that one may
    /// be the later word.
    pub(super) overtaken: HashSet<i64>,
    /// How many batches this walk committed, for those who ask for pages.
    pub(super) commits: &'a AtomicU64,
    /// The ids of the last commits, with their numbers, as far as pages are under way that were
    /// asked for before.
    pub(super) recent: VecDeque<(u64, HashSet<i64>)>,
    pub(super) pages: usize,
    /// When the first of those pages came.
    pub(super) since: Instant,
    /// The last id of the last committed page.
    pub(super) committed_id: i64,
    pub(super) guard: Guard,
    /// Stored records that this walk did not meet so far.
    pub(super) missing: u64,
    /// Whether every page so far was in the order asked for: only then do id ranges mean something.
    pub(super) ordered: bool,
    /// Rows met above `max_id`; `None` in a walk that was taken up again behind it.
    pub(super) above: Option<u64>,
    /// The largest `total` that a page of this walk told.
    pub(super) most: u64,
    /// The ids of the page before.
    pub(super) shown: Vec<i64>,
    /// Pages in a row that showed the same.
    pub(super) barren: u32,
    /// Pages in a row that brought no new record.
    pub(super) stale: u32,
    /// Ids met since the list was found not to be in order: only then must they be kept to tell
    /// which record is new.
    pub(super) unordered: HashSet<i64>,
    /// Pages in a row of which nothing could be read.
    pub(super) hopeless: u32,
    /// Empty pages in a row where the source counts records.
    pub(super) empty: u32,
    /// Rows shown since this run took the walk up.
    pub(super) rows: u64,
    /// Rows after which the list has shown far more than anybody told of.
    pub(super) limit: u64,
    /// Unread rows as of the last commit.
    pub(super) unread_before: u64,
    pub(super) done: bool,
}

/// A page as it was read ahead.
pub(super) struct Asked<R> {
    /// How many batches had been committed when it was asked for.
    pub(super) after: u64,
    /// With what was made of it; or why it could not be read.
    pub(super) page: Result<(Page<R>, Vec<Option<Fingerprint>>), classy::Error>,
}

impl<R: Record> Walk<'_, R> {
    /// Takes note of the ids of a page that shows `unreadable` rows beside them, before its place
    /// is moved behind them.
    pub(super) fn look_for_news(&mut self, shown: Vec<i64>, unreadable: u64) {
        let is_barren = self.ordered && unreadable == 0 && !shown.is_empty() && shown == self.shown;
        self.barren = if is_barren { self.barren + 1 } else { 0 };
        let (ordered, last_id, unordered) = (self.ordered, self.pass.last_id, &mut self.unordered);
        let news = shown
            .iter()
            .filter(|id| {
                if ordered {
                    **id > last_id
                } else {
                    unordered.insert(**id)
                }
            })
            .count();
        self.stale = if news == 0 && unreadable == 0 {
            self.stale + 1
        } else {
            0
        };
        self.shown = shown;
    }

    /// # Errors
    /// After page `number` it is clear that the list cannot be read, or does not end.
    pub(super) fn check(&self, number: u32) -> Result<(), Error> {
        let endless = |what: String| {
            Err(Error::Endless {
                entity: R::ENTITY,
                what,
            })
        };
        // After a page that could be read in part only, pages that are cut smaller than asked may
        // be met again.
        let is_whole = self.pass.unread == 0;
        match () {
            () if self.hopeless >= HOPELESS => Err(Error::Unreadable {
                entity: R::ENTITY,
                what: self.pass.note.clone(),
            }),
            () if self.barren >= BARREN && is_whole => endless(format!(
                "pages {} to {number} show the same records",
                number - BARREN
            )),
            () if self.stale >= STALE && is_whole => endless(format!(
                "pages {} to {number} show nothing new",
                number + 1 - STALE
            )),
            () if self.rows > self.limit => endless(format!(
                "{} rows were read of a list that told of {}",
                self.rows, self.pass.total
            )),
            () => Ok(()),
        }
    }
}

/// How many rows there were at or below `max_id` by the pages of a walk that is at its end. One
/// that appeared among them while pages were under way side by side pushed another over the border
/// of two pages, past the one that had been looked up before; then a page told of more than were
/// met.
pub(super) fn at_the_end(most: u64, above: Option<u64>) -> u64 {
    above.map_or(0, |above| most.saturating_sub(above))
}

/// Whether a record may have hidden during the walk that just ended.
pub(super) fn hides(pass: &Pass) -> bool {
    if pass.met >= pass.total
        || pass.before
            == Some(Walked {
                total: pass.total,
                met: pass.met,
            })
    {
        return false;
    }
    if pass.walks >= WALKS {
        tracing::warn!(
            walks = WALKS,
            met = pass.met,
            total = pass.total,
            "records vanish all the time; the next reconcile reads again"
        );
        return false;
    }
    true
}
