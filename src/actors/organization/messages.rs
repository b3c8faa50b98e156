//! What an organization's actor hears.

use crate::entities::Entity;
use crate::status::{Order, OrganizationReport};
use actix::Message;
use std::time::Duration;
use tokio::sync::oneshot;

/// Sync these feeds one after the other, and answer when it is done.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct StartSync {
    /// What is to be done.
    pub(in crate::actors) order: Order,
    /// Told how it went. Whoever does not wait any more drops the other end.
    pub(in crate::actors) reply: oneshot::Sender<OrganizationReport>,
}

/// Something may have changed: these feeds look sooner than planned; without any, the plugins do.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Nudge {
    /// The feeds that are to be read.
    pub(in crate::actors) entities: Vec<Entity>,
}

/// End all runs at their next page, then stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Drain {
    /// Runs that have not ended by then are cut off.
    pub(in crate::actors) within: Option<Duration>,
}
