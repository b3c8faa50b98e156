//! What a feed is asked and what it answers: a query, and one page of items in the source's order.

use super::{Record, Time};
use std::fmt;

/// Which records of a feed are wanted, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// Every record, by rising id (`sort=id:asc`).
    All,
    /// Changed at or after a second, oldest change first.
    Since(Time),
    /// Changed at or after a second, latest change first.
    LatestSince(Time),
    /// Made or bought at or after a second (`purchased_at`), by rising id: the rolling window of transactions.
    PurchasedSince(Time),
}

/// One record as served: good, or refused with its reason. Nothing served is ever silently dropped.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<R> {
    /// A record with strict values.
    Good(R),
    /// A record that could not be read.
    Bad(Reject),
}

impl<R: Record> Item<R> {
    /// The id, when it can be read.
    pub fn id(&self) -> Option<i64> {
        match self {
            Item::Good(record) => Some(record.id()),
            Item::Bad(reject) => reject.source_id,
        }
    }

    /// The time of the last change, when it can be read.
    pub fn updated_at(&self) -> Option<Time> {
        match self {
            Item::Good(record) => record.updated_at(),
            Item::Bad(reject) => reject.updated_at,
        }
    }
}

/// Why a record is not stored, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// A value that does not fit its field.
    Invalid,
    /// It names another organization as its owner.
    ForeignOrganization,
    /// Its id is stored for another organization.
    ForeignId,
    /// It links to a record of another organization; stored with that link empty.
    ForeignParent,
    /// An amount larger than this database holds exactly.
    AmountTooLarge,
}

impl RejectReason {
    /// The word in `rejects.reason`.
    pub const fn as_str(self) -> &'static str {
        match self {
            RejectReason::Invalid => "invalid",
            RejectReason::ForeignOrganization => "foreign_organization",
            RejectReason::ForeignId => "foreign_id",
            RejectReason::ForeignParent => "foreign_parent",
            RejectReason::AmountTooLarge => "amount_too_large",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that was refused. Carries no value of the record, only where it went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The record's id, when it could be read.
    pub source_id: Option<i64>,
    /// Its time of change, when it could be read.
    pub updated_at: Option<Time>,
    /// The kind of fault.
    pub reason: RejectReason,
    /// Field and expectation (`total_gross_amount: not a decimal number`); never the value.
    pub detail: String,
}

/// One page of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<R> {
    /// In the source's order.
    pub items: Vec<Item<R>>,
    /// Records that match the query, as the source counted them for this page.
    pub total: u64,
    /// The source's own clock (`Date`) when it answered.
    pub date: Option<Time>,
    /// Size of the decoded body.
    pub bytes: u64,
}

impl<R: Record> Page<R> {
    /// The largest id on the page.
    pub fn last_id(&self) -> Option<i64> {
        self.items.iter().filter_map(Item::id).max()
    }

    /// The last known time of change, in the source's order.
    pub fn last_updated_at(&self) -> Option<Time> {
        self.items.iter().rev().find_map(Item::updated_at)
    }
}
