//! A run that ended, in memory: what paces are compared by.

use super::entity::Entity;
use crate::domain::{Mode, Time};
use std::time::Duration;

/// A run that read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedRun {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The kind of record that the feed reads.
    pub entity: Entity,
    /// The kind of run: full ones and looks for changes are compared with their like.
    pub mode: Mode,
    /// What it took.
    pub took: Duration,
    /// Requests it made.
    pub requests: u64,
    /// Records it met.
    pub seen: u64,
    /// When it ended.
    pub at: Time,
}
