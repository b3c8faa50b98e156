//! What a run is asked to do.

use super::{FeedState, Mode, Time};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The pass that is not complete, if there is one, then what changed.
    CatchUp,
    /// A full pass from its beginning or where it stopped, then what changed meanwhile.
    Full,
    /// What changed, though a pass is not complete: a long pass yields to it and goes on
    /// afterwards.
    Changes,
    /// Everything that changed at or after a moment, again; the checkpoint stays.
    Since(Time),
    /// Transactions bought at or after a moment, again: for changes that move no time of change.
    /// The checkpoint stays.
    Recent(Time),
}

impl Task {
    /// The kind of run that comes of it; `schema_version` is the one of the columns of today.
    pub fn mode(self, state: &FeedState, schema_version: i64) -> Mode {
        match self {
            Task::Full => Mode::Full,
            Task::CatchUp if state.needs_pass(schema_version) => Mode::Full,
            Task::CatchUp | Task::Changes => Mode::Incremental,
            Task::Since(_) | Task::Recent(_) => Mode::Repair,
        }
    }
}
