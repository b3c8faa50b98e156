//! What must have happened in a campaign: a state that never occurs proves nothing.

use std::collections::BTreeMap;

/// How often each interesting thing happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sometimes(BTreeMap<&'static str, u64>);

/// Everything that has to occur.
pub const REQUIRED: &[&str] = &[
    "a change that shows late",
    "a clock that jumped",
    "a deletion",
    "a deletion during a pass",
    "a kill between pages",
    "a kill during a request",
    "a kill inside a transaction",
    "a page cut smaller than asked",
    "a page that cannot be served",
    "a page that failed after the source looked",
    "a page that failed before the source looked",
    "a page that lacks a row",
    "a pass resumed at its page",
    "a pass that fell short",
    "a pass walked again",
    "a record appeared behind the watermark",
    "a record marked absent",
    "a record of another organization refused",
    "a record that cannot be read",
    "a record that moved while its page was under way",
    "a record that went back to an earlier version",
    "a record without a time of change",
    "a repair",
    "a restore with a new time of change",
    "a restore with the old time of change",
    "a run stopped at a page",
    "a second that fills more than a page",
    "a slip: an empty page",
    "a stub filled by its record",
    "a time of change ahead of the clock",
    "a suspect that stays undecided",
    "a total that is too small",
    "an edit without a time of change",
    "an older version not stored over a newer one",
    "an older version stored by a full reading",
    "changes that cannot be read for now",
    "hours passed",
    "many changes in one second",
    "mass absence refused",
    "the database failed after it did its work",
    "the database failed before it did anything",
    "the fence lost in mid-run",
    "the list was not found",
];

impl Sometimes {
    pub fn saw(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub fn has(&self, what: &'static str) -> bool {
        self.0.contains_key(what)
    }

    pub fn add(&mut self, other: &Sometimes) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// Required things that never happened.
    pub fn never(&self) -> Vec<&'static str> {
        REQUIRED
            .iter()
            .copied()
            .filter(|what| !self.0.contains_key(what))
            .collect()
    }
}

impl std::fmt::Display for Sometimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|(what, times)| writeln!(f, "{times:>9}  {what}"))
    }
}
