//! Supervision of actors: what actix does not do, in small parts.
//!
//! | part | what |
//! |---|---|
//! | [`ChildSlot`] | makes a child and makes it anew, one generation after the other |
//! | [`ExitGuard`] | tells the owner that a child is gone, however it went |
//! | [`RestartTracker`] | how often a child died lately, and how long it has to wait |
//! | [`KillSwitch`] | a tree of cancellations that keeps the first cause |
//! | [`Progress`] | the pulse of a run, sampled by whoever watches |
//! | [`ActorRegistry`] | all children and their runs; outlives the one that watches |
//! | [`run`] | one task on the shared runtime, joined back into its actor |
//!
//! An actor's supervisor in actix does not restart after a panic, and keeps the old state when it
//! does restart. Here the owner makes the child from a factory, so each life begins fresh; who
//! watches decides when.

mod child_slot;
mod exit_guard;
pub(crate) mod failpoint;
mod kill_switch;
mod progress;
mod registry;
mod restart;
pub mod run;
#[cfg(test)]
mod tests;

pub use child_slot::ChildSlot;
pub use exit_guard::{Cause, ChildDied, ExitGuard};
pub use kill_switch::KillSwitch;
pub use progress::Progress;
pub use registry::{Abandon, ActorRegistry, Child, Life, Respawn, Watched};
pub use restart::{RestartDecision, RestartPolicy, RestartTracker};
