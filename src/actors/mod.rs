//! Who decides: a tree of actors, each a mailbox, a state machine and timers. None of them awaits
//! the network or the database; work is a run, a plain async function of a lower floor on the
//! shared runtime, that hands one value back.
//!
//! ```text
//! supervisor -> organization -> entity_sync x 4
//!            |               -> plugin x enabled
//!            -> health (on an arbiter of its own)
//! ```
//!
//! A feed's actor and a plugin's are two names of one `worker::Worker`.
//!
//! Commands go down by address, events go up by weak recipient. What others may see is published on
//! the [`Board`](crate::status::Board), never asked of an actor. Whoever is outside speaks through
//! a [`Handle`].

mod entity_sync;
mod handle;
mod health;
mod monitor;
mod organization;
mod plan;
mod plugin;
mod report;
mod shared;
mod supervisor;
mod surroundings;
#[cfg(test)]
mod tests;
mod worker;

pub use handle::Handle;
pub use monitor::{TestAlerts, watch};
pub use plan::{Every, Plan};
pub use shared::Shared;
pub use surroundings::Surroundings;
