//! Whether single records are asked for: when several in a row ask to wait for long while lists are
//! served, the wait is meant for all of them, and none is asked for until it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many in a row mean all of them.
const ENOUGH: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Singles(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Records in a row that asked to wait.
    limited: u32,
    not_before: Option<Instant>,
}

impl Singles {
    /// How long none is to be asked for.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let left = self
            .lock()
            .not_before?
            .saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// One asked to wait for so long.
    pub(super) fn limited(&self, wait: Duration) {
        let mut state = self.lock();
        state.limited += 1;
        if state.limited >= ENOUGH {
            state.not_before = Some(Instant::now() + wait);
        }
    }

    /// One was answered.
    pub(super) fn answered(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
