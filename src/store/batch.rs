//! What one page transaction is given and what it reports.

use super::row::Fingerprint;
use crate::domain::{FeedState, Item, Pass, RunCounts, Time};
use std::collections::HashSet;

/// Everything that one transaction writes for a feed.
#[derive(Debug, Clone)]
pub struct Batch<R> {
    /// Records and rejects, in the order in which they were asked for: of two equal versions the
    /// later wins.
    pub items: Vec<Item<R>>,
    /// For the first of the items, or for none: what was made of them beforehand (see
    /// `TenantStore::fingerprints`).
    pub fingerprints: Vec<Option<Fingerprint>>,
    /// What the records may replace.
    pub reading: Reading,
    /// The checkpoint after this batch; `None` leaves it as it is (a repair).
    pub state: Option<FeedState>,
    /// In a reconcile: what the source changed before this should be here already, so an insert
    /// counts as `missing` and an update as `stale` in `state.pass`.
    pub expected_before: Option<Time>,
    /// Stored ids that the walk did not meet: to be asked for singly.
    pub suspects: Vec<i64>,
    /// Suspects that the source says do not exist: marked `absent_since`.
    pub absent: Vec<i64>,
    /// Suspects of which the source said what they are.
    pub decided: Vec<i64>,
    /// Suspects of which it did not, and why: they stay.
    pub undecided: Vec<(i64, String)>,
    /// A walk begins or the pass is over: suspects that nobody asked for yet are forgotten.
    pub forget_suspects: bool,
}

impl<R> Batch<R> {
    /// Only records and rejects.
    pub fn of(items: Vec<Item<R>>) -> Self {
        Batch {
            items,
            fingerprints: Vec::new(),
            reading: Reading::Changes,
            state: None,
            expected_before: None,
            suspects: Vec::new(),
            absent: Vec::new(),
            decided: Vec::new(),
            undecided: Vec::new(),
            forget_suspects: false,
        }
    }

    /// Whether it belongs to a feed that was never read whole. Giving totals are not told before
    /// that, so its batches leave them to [`refresh_totals`](super::TenantStore::refresh_totals):
    /// a person's many gifts lie on many pages, and each would write the person's row again.
    pub(super) fn is_of_first_pass(&self) -> bool {
        self.state
            .as_ref()
            .is_some_and(|state| state.first_pass_at.is_none())
    }

    /// The same with a checkpoint.
    #[must_use]
    pub fn at(mut self, state: FeedState) -> Self {
        self.state = Some(state);
        self
    }
}

/// What the records of a batch may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// They were met while looking for changes: an older version never replaces a newer one, since
    /// it may come from an answer that is out of date.
    Changes,
    /// They are what the source says now, whatever their date: it may have gone back to an earlier
    /// version. But for these ids, of which a version was stored after their page was asked for:
    /// nobody knows which of the two the source says now.
    Full {
        /// Ids that are read as if looking for changes.
        but: HashSet<i64>,
    },
}

impl Reading {
    /// Whether an older version of this record is believed.
    pub fn believes(&self, id: i64) -> bool {
        matches!(self, Reading::Full { but } if !but.contains(&id))
    }
}

/// What a page transaction did.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// `seen`, `inserted`, `updated`, `restored`, `unchanged`, `older`, `rejected` and `absent` of
    /// this batch.
    pub counts: RunCounts,
    /// The checkpoint as written.
    pub state: Option<FeedState>,
    /// Totals that this batch touches were not brought up to date: they are when the pass is over.
    pub leaves_totals: bool,
}

/// What a pass finds out about the incremental, see [`Batch::expected_before`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Late {
    pub(super) missing: u64,
    pub(super) stale: u64,
    pub(super) restored: u64,
}

impl Late {
    pub(super) const fn add(&mut self, other: Late) {
        self.missing += other.missing;
        self.stale += other.stale;
        self.restored += other.restored;
    }

    pub(super) const fn add_to(self, pass: &mut Pass) {
        pass.missing += self.missing;
        pass.stale += self.stale;
        pass.restored += self.restored;
    }
}

impl Committed {
    /// Whether every record was as stored already.
    pub fn quiet(&self) -> bool {
        let RunCounts {
            inserted,
            updated,
            older,
            rejected,
            absent,
            ..
        } = self.counts;
        inserted + updated + older + rejected + absent == 0
    }
}
