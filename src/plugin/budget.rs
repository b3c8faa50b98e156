//! How much harm is left to be done in one delivery.

use crate::domain::{Harm, Harms};
use crate::store::HarmEntry;
use std::sync::{Mutex, PoisonError};

/// What is left of a kind: what everybody may, and what a person granted.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    free: u64,
    granted: u64,
}

/// The allowance of one delivery. What is taken and not written down with a send is given back by [`Budget::restore`].
#[derive(Debug, Default)]
pub struct Budget {
    left: Mutex<[Left; 3]>,
    /// Taken and not yet written down.
    taken: Mutex<(Harms, Harms)>,
}

impl Budget {
    pub(super) fn new(allowance: [(u64, u64); 3]) -> Budget {
        let left = allowance.map(|(free, granted)| Left { free, granted });
        Budget { left: Mutex::new(left), taken: Mutex::default() }
    }

    /// Nothing is held: for a preview, which does nothing.
    pub(super) fn unlimited() -> Budget {
        Budget::new([(u64::MAX, 0); 3])
    }

    /// Takes one of a kind; `false` when it must be held.
    pub fn take(&self, kind: Harm) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = &mut left[kind as usize];
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if left.free > 0 {
            left.free -= 1;
            taken.0.add(kind, 1);
        } else if left.granted > 0 {
            left.granted -= 1;
            taken.1.add(kind, 1);
        } else {
            return false;
        }
        true
    }

    /// Takes all or nothing.
    pub fn take_all(&self, harms: &Harms) -> bool {
        let mut got: Vec<Harm> = Vec::new();
        for kind in Harm::ALL {
            for _ in 0..harms.of(kind) {
                if !self.take(kind) {
                    self.restore(&got);
                    return false;
                }
                got.push(kind);
            }
        }
        true
    }

    /// Gives back what was not done after all.
    pub fn restore(&self, kinds: &[Harm]) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds {
            // A grant is the last that is taken, so it is the first that comes back.
            let (source, pool) = if taken.1.of(*kind) > 0 {
                (&mut taken.1, &mut left[*kind as usize].granted)
            } else {
                (&mut taken.0, &mut left[*kind as usize].free)
            };
            source.remove(*kind, 1);
            *pool += 1;
        }
    }

    /// What was taken since the last call, to be written down.
    pub(super) fn settle(&self) -> [(HarmEntry, Harms); 2] {
        let (free, granted) = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        [(HarmEntry::Done, free), (HarmEntry::Used, granted)]
    }
}
