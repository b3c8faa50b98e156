//! What a plugin's actor hears, and what it says to its organization.

use crate::status::PluginReport;
use actix::Message;
use std::sync::Arc;

/// Look: something may have changed. Carries no data, so that a restart, a timer and a nudge run
/// the same code.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Wake {
    /// Somebody's consent may have: it does not wait for a delivery in hand, nor for one that
    /// failed to be due again.
    pub(in crate::actors) is_urgent: bool,
}

/// Deliver now. While a delivery goes on, one more follows it, however often this is said.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Deliver {
    /// Comes back in [`PluginEnded`] of the delivery that did it.
    pub(in crate::actors) ticket: u64,
}

/// A person says that what was wrong may be mended: one that failed tries again at once.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Revive;

/// A delivery ended.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct PluginEnded {
    /// How the delivery ended.
    pub(in crate::actors) report: Arc<PluginReport>,
    /// The tickets of those who asked for it.
    pub(in crate::actors) tickets: Vec<u64>,
}
