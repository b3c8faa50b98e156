//! Which other processes of the database see what an alert tells of.

use crate::domain::Time;
use crate::health::causes::told_for_many;
use crate::store::AlertRow;

/// The cause: Classy's id of the organization, and the key.
pub(super) type Cause = (Option<i64>, String);

/// Looks without a sign after which a process is taken for gone; longer than another one takes to
/// serve what it left.
pub(super) const STILL: u32 = 8;

/// An alert that another process tells of.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) row: AlertRow,
    /// Looks in a row at which it was as before.
    pub(super) still: u32,
    /// This process sees the same, and has not said so yet.
    pub(super) is_seen: bool,
}

impl Other {
    pub(super) const fn new(row: AlertRow) -> Other {
        Other {
            row,
            still: 0,
            is_seen: false,
        }
    }
}

/// What is known of others who see what an entry tells of.
#[derive(Debug)]
pub(super) struct Company {
    /// As it was last read.
    last_seen_at: Option<Time>,
    /// It was written here since.
    pub(super) is_ours: bool,
    /// Looks since another process saw it.
    quiet: u32,
    /// The count that was last written.
    pub(super) count: u64,
}

impl Default for Company {
    fn default() -> Self {
        Company {
            last_seen_at: None,
            is_ours: false,
            quiet: u32::MAX,
            count: 0,
        }
    }
}

impl Company {
    /// Whether another process sees it, or did a moment ago.
    pub(super) const fn is_there(&self) -> bool {
        self.quiet < STILL
    }

    pub(super) fn read(&mut self, row: &AlertRow) {
        let moved = !self.is_ours
            && self
                .last_seen_at
                .is_some_and(|before| before != row.last_seen_at);
        self.quiet = if moved {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        (self.last_seen_at, self.is_ours) = (Some(row.last_seen_at), false);
    }
}

/// Whether one alert tells of it for all processes of a database.
pub(super) fn is_common(cause: &Cause) -> bool {
    cause.0.is_none() && told_for_many(&cause.1).is_some()
}
