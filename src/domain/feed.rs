//! What a feed is asked and what it answers: a query, and one page of items in the source's order.

use super::{Address, Clocks, Time};
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
    /// Made or bought at or after a second (`purchased_at`), by rising id: the rolling window of
    /// transactions.
    PurchasedSince(Time),
}

/// A record that has an id and changes.
pub trait Versioned {
    /// Classy's id, unique at Classy.
    fn id(&self) -> i64;
    /// When the source last changed it; some records have none (contract 5).
    fn updated_at(&self) -> Option<Time>;
    /// What it occupies, in bytes.
    fn bytes(&self) -> usize;
}

/// One record as served: good, or refused with its reason. Nothing served is ever silently dropped.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<R> {
    /// A record with strict values.
    Good(R),
    /// A record that could not be read.
    Bad(Reject),
}

impl<R: Versioned> Item<R> {
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

    /// What it occupies, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Item::Good(record) => record.bytes(),
            Item::Bad(reject) => size_of::<Self>() + reject.detail.capacity(),
        }
    }
}

/// Why a record is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// A value that does not fit its field.
    Invalid,
    /// It names another organization as its owner.
    ForeignOrganization,
    /// An amount larger than this database holds exactly.
    AmountTooLarge,
    /// The database refused it, for a reason that only the database knows.
    Database,
}

impl RejectReason {
    /// The word in `rejects.reason`.
    pub const fn as_str(self) -> &'static str {
        match self {
            RejectReason::Invalid => "invalid",
            RejectReason::ForeignOrganization => "foreign_organization",
            RejectReason::AmountTooLarge => "amount_too_large",
            RejectReason::Database => "database",
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
    /// The record says all the same that its person may not be mailed.
    pub opt_out: Option<OptOut>,
}

/// A word of no, which counts however little else of its record can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// The address that the record names, where it can be told: nobody may be mailed there.
    pub address: Option<Address>,
}

/// What the source says about one record that was asked for by its id.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<R> {
    /// It is there.
    Stored(Item<R>),
    /// It does not exist (404, and nothing else).
    Gone,
    /// Neither is known: the record stays as it is, and is asked for again by the next pass.
    Undecided(Doubt),
}

/// Why the source's answer about one record decides nothing. It concerns that record alone: what
/// concerns all of them is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Refused or failed, after the tries that it deserved.
    Status(u16),
    /// No whole answer, though the source answers other questions.
    NoAnswer,
    /// It answers with another record, as after a merge.
    OtherRecord,
    /// The record belongs to another organization now.
    OtherOrganization,
    /// What came cannot be understood.
    Unreadable(String),
    /// It asks to wait for so many seconds, though others are served.
    Wait(u64),
    /// So many others could not be decided that nobody asked.
    NotAsked,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::Status(status) => write!(f, "status {status}"),
            Doubt::NoAnswer => f.write_str("no whole answer"),
            Doubt::OtherRecord => f.write_str("another record came"),
            Doubt::OtherOrganization => f.write_str("it names another organization"),
            Doubt::Unreadable(what) => write!(f, "cannot be understood: {what}"),
            Doubt::Wait(seconds) => write!(f, "it asks to wait for {seconds} s"),
            Doubt::NotAsked => f.write_str("not asked: too many others could not be decided"),
        }
    }
}

/// One page of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<R> {
    /// In the source's order.
    pub items: Vec<Item<R>>,
    /// Records that match the query, as the source counted them for this page.
    pub total: u64,
    /// Rows a page, as the source says that it cut them.
    pub per_page: Option<u32>,
    /// The last page, as the source counts them.
    pub last_page: Option<u32>,
    /// When the answer came.
    pub clocks: Clocks,
    /// Size of the decoded body.
    pub bytes: u64,
    /// Rows at its place that the source does not give, however they are asked for.
    pub unread: u64,
    /// Keys of its first record whose values nobody looks at.
    pub unread_keys: Vec<String>,
}

impl<R: Versioned> Page<R> {
    /// An empty page.
    pub const fn empty(clocks: Clocks) -> Self {
        Page {
            items: Vec::new(),
            total: 0,
            per_page: None,
            last_page: None,
            clocks,
            bytes: 0,
            unread: 0,
            unread_keys: Vec::new(),
        }
    }

    /// Rows that a full page has: as many as were asked for, or as few as the source says.
    pub fn told_size(&self, asked: u32) -> u32 {
        self.per_page
            .filter(|told| *told > 0)
            .map_or(asked, |told| told.min(asked))
    }

    /// The same of a first page, also when the source cuts pages and does not say so: then there is
    /// more, and the page is short.
    pub fn size(&self, asked: u32) -> u32 {
        let (told, shown) = (
            self.told_size(asked),
            u32::try_from(self.items.len()).unwrap_or(u32::MAX),
        );
        if shown > 0 && shown < told && self.unread == 0 && self.total > u64::from(shown) {
            shown
        } else {
            told
        }
    }

    /// The largest id on the page.
    pub fn last_id(&self) -> Option<i64> {
        self.items.iter().filter_map(Item::id).max()
    }

    /// The last known time of change, in the source's order.
    pub fn last_updated_at(&self) -> Option<Time> {
        self.items.iter().rev().find_map(Item::updated_at)
    }
}
