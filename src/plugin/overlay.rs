//! What a preview would have written: it is read from there instead.

use crate::domain::Member;
use crate::store::Leaving;
use std::collections::{BTreeMap, BTreeSet};

/// What a preview would have written.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) state: Option<String>,
    pub(super) members: BTreeMap<String, Option<Member>>,
    pub(super) due: BTreeSet<i64>,
    pub(super) everybody_due: bool,
    pub(super) leavings: Vec<Leaving>,
    pub(super) lifted: (BTreeSet<String>, BTreeSet<i64>),
    /// Traces of what would have been taken back, by supporter.
    pub(super) undone: BTreeMap<i64, i64>,
}
