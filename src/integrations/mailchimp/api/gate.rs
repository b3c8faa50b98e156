//! How many requests of one key are under way at once, over the whole process: two organizations
//! may share an account, and Mailchimp counts per user.

use crate::integrations::mailchimp::settings::MOST_CONNECTIONS;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// What a success gives back of the width that a refusal took.
const RECOVERY: f64 = 0.1;

type Gates = HashMap<[u8; 32], Weak<Gate>>;

/// By a hash of the key. A gate lives as long as somebody uses it.
static GATES: LazyLock<Mutex<Gates>> = LazyLock::new(Mutex::default);

/// The gate of one key.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    /// Halved when Mailchimp says that it is too much, and widened slowly again.
    width: f64,
}

/// One request under way.
#[derive(Debug)]
pub(crate) struct Pass<'a>(&'a Gate);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.freed.notify_waiters();
    }
}

impl Gate {
    /// The gate of a key; the same one for everybody who has the key.
    pub(crate) fn of(key: &[u8]) -> Arc<Gate> {
        let name: [u8; 32] = Sha256::digest(key).into();
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(&name).and_then(Weak::upgrade) {
            return gate;
        }
        gates.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::new(Gate::new());
        gates.insert(name, Arc::downgrade(&gate));
        gate
    }

    fn new() -> Gate {
        Gate {
            state: Mutex::new(State {
                in_flight: 0,
                width: MOST_CONNECTIONS as f64,
            }),
            freed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, most: usize, reserve: usize) -> Option<Pass<'_>> {
        let mut state = self.state();
        let width = (state.width as usize).clamp(1, most.max(1)) + reserve;
        if state.in_flight >= width {
            return None;
        }
        state.in_flight += 1;
        Some(Pass(self))
    }

    /// Waits until fewer than `most` are under way, or fewer than Mailchimp can bear now; `reserve`:
    /// so many places more, for what does not wait behind others.
    pub(crate) async fn pass(&self, most: usize, reserve: usize) -> Pass<'_> {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Registered before the look, so that no release in between is missed.
            freed.as_mut().enable();
            if let Some(pass) = self.enter(most, reserve) {
                return pass;
            }
            freed.await;
        }
    }

    /// Mailchimp said that it is too much.
    pub(crate) fn narrow(&self, most: usize) {
        let mut state = self.state();
        state.width = (state.width.min(most as f64) / 2.0).max(1.0);
    }

    /// A request went well.
    pub(crate) fn widen(&self) {
        let mut state = self.state();
        state.width = (state.width + RECOVERY).min(MOST_CONNECTIONS as f64);
        drop(state);
        self.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_same_key_has_the_same_gate() {
        let (one, same, other) = (Gate::of(b"k1"), Gate::of(b"k1"), Gate::of(b"k2"));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn it_narrows_at_once_and_widens_slowly() {
        let gate = Gate::new();
        gate.narrow(4);
        let passes: Vec<_> = std::iter::from_fn(|| gate.enter(4, 0)).collect();
        assert_eq!(passes.len(), 2);
        (0..10).for_each(|_| gate.widen());
        let more: Vec<_> = std::iter::from_fn(|| gate.enter(4, 0)).collect();
        assert_eq!(more.len(), 1);
        (0..10).for_each(|_| gate.narrow(4));
        drop((passes, more));
        assert_eq!(
            std::iter::from_fn(|| gate.enter(4, 0))
                .collect::<Vec<_>>()
                .len(),
            1,
            "never shut"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_as_soon_as_somebody_is_through() {
        let gate = Gate::new();
        let first = gate.pass(1, 0).await;
        let second = gate.pass(1, 0);
        tokio::pin!(second);
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(first);
        drop(second.await);
        assert_eq!(gate.state().in_flight, 0);
    }

    #[test]
    fn what_waits_for_nobody_has_a_place_of_its_own() {
        let gate = Gate::new();
        let all: Vec<_> = std::iter::from_fn(|| gate.enter(2, 0)).collect();
        let ahead = gate.enter(2, 1);
        assert!(all.len() == 2 && ahead.is_some() && gate.enter(2, 1).is_none());
    }
}
