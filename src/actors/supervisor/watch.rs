//! What is known of organizations that nobody serves.

use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Which organizations nobody serves, and what was done about it.
#[derive(Debug, Default)]
pub(super) struct UnservedWatch {
    pub(super) since: BTreeMap<i64, Instant>,
    pub(super) told: BTreeSet<i64>,
    pub(super) adopted: BTreeSet<i64>,
    pub(super) there: Vec<String>,
}

impl UnservedWatch {
    /// Those that this process takes though another one should have them. They are shared out anew
    /// when processes come or go.
    pub(super) const fn adopted(&self) -> &BTreeSet<i64> {
        &self.adopted
    }
}
