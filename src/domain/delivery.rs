//! What a plugin would do, may do and did with one person.

use super::{GuardedChange, Time};

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
    /// What pushes changed is taken back, as a person ordered.
    Undo,
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
            Step::Undo => "undo",
        }
    }
}

/// What a plugin would do with one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// What would be done.
    pub step: Step,
    /// Why, when it is skipped.
    pub reason: Option<String>,
    /// Names of fields that would be set.
    pub fields: Vec<String>,
    /// Tags that would be added.
    pub tags: Vec<String>,
    /// Tags that would be taken away.
    pub untags: Vec<String>,
    /// The harm in it, each kind at most once.
    pub guarded_changes: Vec<GuardedChange>,
    /// It would be done in another place than the one that is delivered to.
    pub elsewhere: bool,
}

impl Planned {
    /// Nothing would be done.
    pub fn nothing(supporter_id: i64, step: Step, reason: Option<String>) -> Planned {
        Planned {
            supporter_id,
            step,
            reason,
            fields: Vec::new(),
            tags: Vec::new(),
            untags: Vec::new(),
            guarded_changes: Vec::new(),
            elsewhere: false,
        }
    }
}

/// The reason of whoever said no here and is mailed there all the same, since they were there
/// before us.
pub const STILL_SUBSCRIBED: &str = "the contact was not subscribed by us, and is left alone";

/// What the reason of whoever waits for room on the other side begins with.
pub const WAITS_FOR_ROOM: &str = "waits for room in the plan, ";

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
        /// In a sentence for people, without secrets.
        reason: String,
    },
    /// Sent, and nobody heard what became of it: the call may still be carried out. Until that is
    /// known the ledger keeps what was sent, and where.
    Unheard(String),
    /// Everything but what a person must approve first.
    Held(String),
    /// The other side refused, for this reason; it stays so until somebody asks for another try or
    /// the person changes.
    Rejected(String),
}

impl Fate {
    /// The word in `plugin_deliveries.state`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Fate::Delivered => "delivered",
            Fate::Skipped(_) => "skipped",
            Fate::Deferred { .. } => "deferred",
            Fate::Unheard(_) => "sending",
            Fate::Held(_) => "held",
            Fate::Rejected(_) => "rejected",
        }
    }

    /// Why, if it is not simply delivered.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Fate::Delivered => None,
            Fate::Skipped(reason)
            | Fate::Deferred { reason, .. }
            | Fate::Unheard(reason)
            | Fate::Held(reason)
            | Fate::Rejected(reason) => Some(reason),
        }
    }
}

/// A plugin's word on one person, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// What became of them.
    pub fate: Fate,
    /// Of what the other side holds now; an equal one next time means that nothing has to be sent.
    pub fingerprint: Option<i64>,
    /// When to look again though nothing changed: some tags change with time alone.
    pub review_at: Option<Time>,
    /// What people should know of somebody who was delivered.
    pub note: Option<String>,
    /// What waits for a person's word.
    pub held: Vec<GuardedChange>,
}

impl Verdict {
    /// Nothing is known of the other side, and nothing is to be looked at again.
    pub const fn of(supporter_id: i64, fate: Fate) -> Verdict {
        Verdict {
            supporter_id,
            fate,
            fingerprint: None,
            review_at: None,
            note: None,
            held: Vec::new(),
        }
    }
}
