//! What an organization's actor hears.

use crate::actors::{Order, OrganizationReport};
use crate::domain::Entity;
use actix::Message;
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
    /// Which.
    pub(in crate::actors) entities: Vec<Entity>,
}

/// End all runs at their next page, then stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Drain;
