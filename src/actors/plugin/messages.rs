//! What a plugin's actor hears, and what it says to its organization.

use crate::actors::PluginReport;
use actix::Message;
use std::sync::Arc;

/// Look: something may have changed. Carries no data, so that a restart, a timer and a nudge run the same code.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Wake;

/// Deliver now. While a delivery goes on, one more follows it, however often this is said.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Deliver {
    /// Comes back in [`PluginEnded`] of the delivery that did it.
    pub(in crate::actors) ticket: u64,
}

/// End the delivery at its next batch, then stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Drain;

/// Stop at once.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Fall;

/// A delivery ended.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct PluginEnded {
    /// How.
    pub(in crate::actors) report: Arc<PluginReport>,
    /// The tickets of those who asked for it.
    pub(in crate::actors) tickets: Vec<u64>,
}
