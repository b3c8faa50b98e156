//! Supervision for actors: what actix does not do, in small parts.
//!
//! | part | what |
//! |---|---|
//! | [`Nursery`] | makes a child and makes it anew, one generation after the other |
//! | [`Obituary`] | tells the owner that a child is gone, however it went |
//! | [`Book`] | how often a child died lately, and how long it has to wait |
//! | [`Kill`] | a tree of cancellations that keeps the first cause |
//! | [`Progress`] | the pulse of a run, sampled by whoever watches |
//! | [`Roster`] | all children and their runs; outlives the one that watches |
//! | [`run`] | one task on the shared runtime, joined back into its actor |
//!
//! An actor's supervisor in actix does not restart after a panic, and keeps the old state when it does restart. Here the owner makes
//! the child from a factory, so each life begins fresh; who watches decides when.

mod book;
mod kill;
pub(crate) mod mischief;
mod nursery;
mod obituary;
mod progress;
mod roster;
pub mod run;
#[cfg(test)]
mod tests;

pub use book::{Book, Policy, Sentence};
pub use kill::Kill;
pub use nursery::Nursery;
pub use obituary::{Cause, ChildDied, Obituary};
pub use progress::Progress;
pub use roster::{Abandon, Child, Life, Respawn, Roster, Watched};
