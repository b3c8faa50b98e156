//! Who decides: a tree of actors, each a mailbox, a state machine and timers. None of them awaits the network or the database;
//! work is a run, a plain async function of a lower floor on the shared runtime, that hands one value back.
//!
//! ```text
//! supervisor -> organization -> entity_sync x 4
//!            |               -> plugin x enabled
//!            -> health (on an arbiter of its own)
//! ```
//!
//! Commands go down by address, events go up by weak recipient. What others may see is published on the [`Board`], never asked of an
//! actor. Whoever is outside speaks through a [`Handle`].

mod board;
mod entity_sync;
mod handle;
mod health;
mod journal;
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

pub use board::{Activity, Board, Condition, FeedStatus, OrganizationStatus, PluginStatus, RunStatus, Totals};
pub use handle::Handle;
pub use journal::Journal;
pub use monitor::{Drills, watch};
pub use plan::{Every, Plan};
pub use report::{FeedReport, OrganizationReport, PluginReport};
pub use shared::{Order, PluginChoice, Shared};
pub use surroundings::{HookSecrets, Surroundings};
