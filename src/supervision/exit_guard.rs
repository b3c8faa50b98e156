//! How an owner learns that a child is gone: by a guard that the child carries, and that speaks
//! when it is dropped.

use actix::{Message, WeakRecipient};
use std::sync::Arc;

/// How a child went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It panicked.
    Panicked,
    /// It stopped in order.
    Stopped,
}

/// A child is gone.
#[derive(Debug, Clone)]
pub struct ChildDied {
    /// The child, by its name.
    pub name: Arc<str>,
    /// In which life.
    pub generation: u64,
    /// How its life ended.
    pub cause: Cause,
}

impl Message for ChildDied {
    type Result = ();
}

/// A field of every supervised actor. Speaks when the actor is dropped, also while it unwinds.
#[derive(Debug)]
pub struct ExitGuard {
    name: Arc<str>,
    generation: u64,
    owner: WeakRecipient<ChildDied>,
}

impl ExitGuard {
    /// For a child's life.
    pub(super) const fn new(
        name: Arc<str>,
        generation: u64,
        owner: WeakRecipient<ChildDied>,
    ) -> ExitGuard {
        ExitGuard {
            name,
            generation,
            owner,
        }
    }

    /// The child's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Which of its lives this is, from 1.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let cause = if std::thread::panicking() {
            Cause::Panicked
        } else {
            Cause::Stopped
        };
        // An owner that is gone too needs no word.
        if let Some(owner) = self.owner.upgrade() {
            owner.do_send(ChildDied {
                name: Arc::clone(&self.name),
                generation: self.generation,
                cause,
            });
        }
    }
}
