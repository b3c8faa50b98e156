//! What a push changed of one contact, written down before it is sent, so that it can be taken
//! back; and what became of that.

use super::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What fields hold, by our tags for them. Personal, so its `Debug` tells the tags only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Values(pub BTreeMap<String, String>);

impl Values {
    /// What a field holds; blank when there is nothing.
    pub fn get(&self, tag: &str) -> &str {
        self.0.get(tag).map_or("", String::as_str)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// One push to one contact: what was there right before, and what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Its number; later pushes have higher ones. 0 before it is written down.
    pub id: i64,
    /// For whom it was sent.
    pub supporter_id: i64,
    /// The other side's id of the contact.
    pub remote_id: String,
    /// What the other side calls the contact whatever its address is, if it was known.
    pub contact_id: Option<String>,
    /// Fields that it changes, as they were.
    pub before: Values,
    /// The same fields, as they were sent.
    pub after: Values,
    /// Tags that it puts on.
    pub put_on: BTreeSet<String>,
    /// Tags that it takes off.
    pub taken_off: BTreeSet<String>,
    /// A trace of all that was to be there after it.
    pub mark: i64,
}

impl Image {
    /// Whether it changes nothing.
    pub fn is_blank(&self) -> bool {
        self.after.0.is_empty() && self.put_on.is_empty() && self.taken_off.is_empty()
    }
}

/// What became of taking back what pushes changed of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it was before, but for what others changed since.
    TakenBack,
    /// It was as before already.
    AsBefore,
    /// Others changed all of it since, and that is left alone.
    ChangedSince,
    /// They left meanwhile, or their contact is not there any more: nothing is written about them.
    Left(String),
    /// Not now; it can be said again later.
    NotYet(String),
}

impl Outcome {
    /// Whether the contact stays as it is now, so that the same is not sent again by itself: not
    /// over what somebody else wrote, either.
    pub const fn keeps_as_it_is(&self) -> bool {
        matches!(
            self,
            Outcome::TakenBack | Outcome::AsBefore | Outcome::ChangedSince
        )
    }

    /// The word in `plugin_images.outcome`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Outcome::TakenBack => "taken_back",
            Outcome::AsBefore => "as_before",
            Outcome::ChangedSince => "changed_since",
            Outcome::Left(_) => "left",
            Outcome::NotYet(_) => "not_yet",
        }
    }
}

/// What is, would be or was taken back of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Names of fields that hold again what they held.
    pub fields: Vec<String>,
    /// Tags that are put on again.
    pub tags: Vec<String>,
    /// Tags that are taken off.
    pub untags: Vec<String>,
    /// Fields that somebody else changed since, which are left alone.
    pub changed: Vec<String>,
    /// The trace of the last push that is taken back: the same is not sent again by itself.
    pub mark: i64,
}

impl Taking {
    /// Nothing is written, for a reason.
    pub const fn nothing(supporter_id: i64, outcome: Outcome, mark: i64) -> Taking {
        Taking {
            supporter_id,
            outcome,
            fields: Vec::new(),
            tags: Vec::new(),
            untags: Vec::new(),
            changed: Vec::new(),
            mark,
        }
    }

    /// In a sentence, what is to be said beside the words and names.
    pub fn detail(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Left(why) | Outcome::NotYet(why) => Some(why.clone()),
            _ if !self.changed.is_empty() => Some(format!(
                "changed since by somebody else, and left alone: {}",
                self.changed.join(", ")
            )),
            _ => None,
        }
    }
}

/// What a person ordered to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoScope {
    /// Pushes from this moment on.
    pub since: Time,
    /// And up to this one: what is pushed after the person looked is not meant.
    pub last_image: i64,
    /// Only of these people; none: of everybody.
    pub supporters: Vec<i64>,
}
