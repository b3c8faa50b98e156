//! What a feed's actor hears, and what it says to its organization.

use crate::domain::{Fault, Task};
use crate::status::FeedReport;
use actix::Message;
use std::sync::Arc;

/// Keep to the schedule from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Begin;

/// Another plan is in force.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Replan;

/// Read now. While a run goes on, one more follows it, however often this is said.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Sync {
    /// What is to be done.
    pub(in crate::actors) task: Task,
    /// Who asks.
    pub(in crate::actors) reason: &'static str,
    /// Comes back in [`FeedEnded`] of the run that did it.
    pub(in crate::actors) ticket: Option<u64>,
}

/// A run of a feed ended.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct FeedEnded {
    /// How the run ended.
    pub(in crate::actors) report: Arc<FeedReport>,
    /// The tickets of those who asked for it.
    pub(in crate::actors) tickets: Vec<u64>,
    /// The failure, when there was one.
    pub(in crate::actors) fault: Option<Fault>,
    /// The failure concerns the organization's other feeds too, or nobody wants them any more.
    pub(in crate::actors) is_over: bool,
}
