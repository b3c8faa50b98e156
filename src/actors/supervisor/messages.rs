//! What the supervisor hears, and those who wait for its answer.

use crate::credentials::Applied;
use crate::domain::Fault;
use crate::entities::Entity;
use crate::status::{Order, OrganizationReport};
use actix::Message;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// These are the organizations now: begin those that are new, take down those that are gone, begin
/// anew those whose file changed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Configure {
    /// All of them.
    pub(in crate::actors) organizations: Vec<Applied>,
}

/// Sync one organization, and answer when it is done.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct StartSync {
    /// Classy's id.
    pub(in crate::actors) classy_id: i64,
    /// What is to be done.
    pub(in crate::actors) order: Order,
    /// Told how it went, or why nothing was done.
    pub(in crate::actors) reply: oneshot::Sender<Result<OrganizationReport, Fault>>,
}

/// Something may have changed at one organization: look sooner than planned. Says nothing of what
/// changed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Nudge {
    /// Classy's id.
    pub(in crate::actors) classy_id: i64,
    /// Which feeds; none means the plugins.
    pub(in crate::actors) entities: Vec<Entity>,
}

/// Check the leases and rows in the database now: a person changed something there.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct CheckLeases;

/// The same, answered when what the look found is in force.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Settle {
    /// Whose changes; absent: everybody's.
    pub(in crate::actors) classy_id: Option<i64>,
    /// Told when it is, or why that is not known.
    pub(in crate::actors) done: oneshot::Sender<Result<(), Fault>>,
}

/// End everything in order; answered when all actors below are gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct StopAll {
    /// Told when it is done.
    pub(in crate::actors) done: oneshot::Sender<()>,
}

/// An order for an organization that is not served yet.
pub(super) struct EarlyOrder {
    pub(super) start: StartSync,
    pub(super) since: Instant,
}

/// Somebody who waits until a change is in force.
pub(super) struct SettleWaiter {
    /// Whose changes; absent: everybody's.
    pub(super) classy_id: Option<i64>,
    /// The first look that began after the change.
    pub(super) look: u64,
    pub(super) done: oneshot::Sender<Result<(), Fault>>,
}
