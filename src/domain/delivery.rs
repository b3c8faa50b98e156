//! What a plugin would do, may do and did with one person.

use super::Time;
use std::fmt;

/// What can go wrong for many at once, and is therefore counted and held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Harm {
    /// Somebody is taken off.
    Unsubscribe,
    /// A tag is taken away and none of its family takes its place.
    Untag,
    /// A name or an address is replaced by another.
    Rename,
}

impl Harm {
    /// All kinds.
    pub const ALL: [Harm; 3] = [Harm::Unsubscribe, Harm::Untag, Harm::Rename];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Harm::Unsubscribe => "unsubscribe",
            Harm::Untag => "untag",
            Harm::Rename => "rename",
        }
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often each kind of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Harms([u64; 3]);

impl Harms {
    /// One of a kind.
    pub fn one(kind: Harm) -> Harms {
        let mut harms = Harms::default();
        harms.add(kind, 1);
        harms
    }

    /// How often.
    pub fn of(&self, kind: Harm) -> u64 {
        self.0[kind as usize]
    }

    /// Counts more.
    pub fn add(&mut self, kind: Harm, count: u64) {
        self.0[kind as usize] += count;
    }

    /// Counts fewer.
    pub fn remove(&mut self, kind: Harm, count: u64) {
        self.0[kind as usize] = self.of(kind).saturating_sub(count);
    }

    /// Counts all of another count.
    pub fn extend(&mut self, other: &Harms) {
        for kind in Harm::ALL {
            self.add(kind, other.of(kind));
        }
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.0 == [0; 3]
    }
}

/// What would be done with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// New there.
    Add,
    /// There already; something differs.
    Change,
    /// There under an older address.
    Move,
    /// Taken off, since consent was withdrawn.
    Unsubscribe,
    /// Nothing, for a reason.
    Skip,
    /// Nothing: as it should be.
    Keep,
}

impl Step {
    /// The word in a preview.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Add => "add",
            Step::Change => "change",
            Step::Move => "move",
            Step::Unsubscribe => "unsubscribe",
            Step::Skip => "skip",
            Step::Keep => "keep",
        }
    }
}

/// What a plugin would do with one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Who.
    pub supporter_id: i64,
    /// What.
    pub step: Step,
    /// Why, when it is skipped.
    pub reason: Option<String>,
    /// Names of fields that would be set.
    pub fields: Vec<String>,
    /// Tags that would be added.
    pub tags: Vec<String>,
    /// Tags that would be taken away.
    pub untags: Vec<String>,
    /// The harm in it.
    pub harms: Harms,
}

impl Planned {
    /// Nothing would be done.
    pub fn nothing(supporter_id: i64, step: Step, reason: Option<String>) -> Planned {
        Planned { supporter_id, step, reason, fields: Vec::new(), tags: Vec::new(), untags: Vec::new(), harms: Harms::default() }
    }
}

/// What became of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// As it should be there.
    Delivered,
    /// Not to be delivered, for this reason.
    Skipped(String),
    /// Not now.
    Deferred {
        /// When to try again.
        until: Time,
        /// Why.
        reason: String,
    },
    /// Everything but what a person must approve first.
    Held(String),
    /// The other side refused, for this reason; it stays so until somebody asks for another try or the person changes.
    Rejected(String),
}

impl Fate {
    /// The word in `plugin_deliveries.state`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Fate::Delivered => "delivered",
            Fate::Skipped(_) => "skipped",
            Fate::Deferred { .. } => "deferred",
            Fate::Held(_) => "held",
            Fate::Rejected(_) => "rejected",
        }
    }

    /// Why, if it is not simply delivered.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Fate::Delivered => None,
            Fate::Skipped(reason) | Fate::Deferred { reason, .. } | Fate::Held(reason) | Fate::Rejected(reason) => Some(reason),
        }
    }
}

/// A plugin's word on one person, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub supporter_id: i64,
    /// What became of them.
    pub fate: Fate,
    /// Of what the other side holds now; an equal one next time means that nothing has to be sent.
    pub fingerprint: Option<i64>,
    /// When to look again though nothing changed: some tags change with time alone.
    pub review_at: Option<Time>,
    /// What people should know of somebody who was delivered.
    pub note: Option<String>,
}

impl Verdict {
    /// Nothing is known of the other side, and nothing is to be looked at again.
    pub const fn of(supporter_id: i64, fate: Fate) -> Verdict {
        Verdict { supporter_id, fate, fingerprint: None, review_at: None, note: None }
    }
}
