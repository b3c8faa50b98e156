//! What one page transaction is given and what it reports.

use super::row::RowText;
use crate::domain::{FeedState, Item, RunCounts, Time};

/// Everything that one transaction writes for a feed.
#[derive(Debug, Clone)]
pub struct Batch<R> {
    /// Records and rejects, in the order in which they were asked for: of two equal versions the later wins.
    pub items: Vec<Item<R>>,
    /// For the first of the items, or for none: what was made of them beforehand (see `TenantStore::row_texts`).
    pub texts: Vec<Option<RowText>>,
    /// The checkpoint after this batch; `None` leaves it as it is (a repair).
    pub state: Option<FeedState>,
    /// In a reconcile: what the source changed before this should be here already, so an insert counts as
    /// `missing` and an update as `stale` in `state.pass`.
    pub expected_before: Option<Time>,
    /// Stored ids that the walk did not meet: to be asked for singly.
    pub suspects: Vec<i64>,
    /// Suspects that the source says do not exist: marked `absent_since`.
    pub absent: Vec<i64>,
    /// The pass is over: its suspects are forgotten.
    pub forget_suspects: bool,
}

impl<R> Batch<R> {
    /// Only records and rejects.
    pub fn of(items: Vec<Item<R>>) -> Self {
        Batch {
            items,
            texts: Vec::new(),
            state: None,
            expected_before: None,
            suspects: Vec::new(),
            absent: Vec::new(),
            forget_suspects: false,
        }
    }

    /// The same with a checkpoint.
    #[must_use]
    pub fn at(mut self, state: FeedState) -> Self {
        self.state = Some(state);
        self
    }
}

/// What a page transaction did.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// `seen`, `inserted`, `updated`, `unchanged`, `older`, `rejected` and `absent` of this batch.
    pub counts: RunCounts,
    /// The checkpoint as written.
    pub state: Option<FeedState>,
}

impl Committed {
    /// Whether every record was as stored already.
    pub fn quiet(&self) -> bool {
        let RunCounts { inserted, updated, older, rejected, absent, .. } = self.counts;
        inserted + updated + older + rejected + absent == 0
    }
}
