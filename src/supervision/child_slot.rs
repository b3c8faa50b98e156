//! Makes a child, and makes it anew after its death: each life begins with fresh state.

use super::{Cause, ChildDied, ExitGuard};
use actix::{Actor, Addr, WeakRecipient};
use std::sync::Arc;

/// One child of one owner.
pub struct ChildSlot<A: Actor> {
    name: Arc<str>,
    owner: WeakRecipient<ChildDied>,
    make: Box<dyn Fn(ExitGuard) -> Addr<A>>,
    generation: u64,
    child: Option<Addr<A>>,
}

impl<A: Actor> std::fmt::Debug for ChildSlot<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChildSlot")
            .field("name", &self.name)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl<A: Actor> ChildSlot<A> {
    /// A place for a child; nobody is in it yet. The owner is held weakly: two actors that hold
    /// each other never stop.
    pub fn new(
        name: Arc<str>,
        owner: WeakRecipient<ChildDied>,
        make: impl Fn(ExitGuard) -> Addr<A> + 'static,
    ) -> ChildSlot<A> {
        ChildSlot {
            name,
            owner,
            make: Box::new(make),
            generation: 0,
            child: None,
        }
    }

    /// Begins a life, unless one is going on. Answers with its generation.
    pub fn start(&mut self) -> u64 {
        if self.child.is_none() {
            self.generation += 1;
            self.child = Some((self.make)(ExitGuard::new(
                Arc::clone(&self.name),
                self.generation,
                self.owner.clone(),
            )));
        }
        self.generation
    }

    /// Takes note of a death. `None` when it was an earlier life's.
    pub fn died(&mut self, death: &ChildDied) -> Option<Cause> {
        if death.name != self.name || death.generation != self.generation || self.child.is_none() {
            return None;
        }
        self.child = None;
        Some(death.cause)
    }

    /// The child, while it lives.
    pub const fn child(&self) -> Option<&Addr<A>> {
        self.child.as_ref()
    }

    /// Its name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }
}
