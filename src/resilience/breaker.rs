//! A circuit breaker: after failures in a row nobody calls for a while, then one call is let through to try.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Counts failures of one neighbour and stops the calls that would fail anyway.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One call is under way to see whether the neighbour is well; if it never reports back, another may try later.
    Probation {
        until: Instant,
    },
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// How long until a call is let through.
    pub rest: Duration,
}

impl Breaker {
    /// Opens for `rest` after `threshold` failures in a row.
    pub const fn new(threshold: u32, rest: Duration) -> Self {
        Breaker { threshold, rest, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks whether a call may be made now.
    ///
    /// # Errors
    /// [`Open`] while the breaker rests or another call is on probation.
    pub fn admit(&self) -> Result<(), Open> {
        let now = Instant::now();
        self.with(|state| match *state {
            State::Closed { .. } => Ok(()),
            State::Open { until } | State::Probation { until } if now < until => Err(Open { rest: until - now }),
            State::Open { .. } | State::Probation { .. } => {
                *state = State::Probation { until: now + self.rest };
                Ok(())
            }
        })
    }

    /// A call succeeded, or failed through no fault of the neighbour's health.
    pub fn succeeded(&self) {
        self.with(|state| *state = State::Closed { failures: 0 });
    }

    /// A call failed.
    pub fn failed(&self) {
        let until = Instant::now() + self.rest;
        self.with(|state| {
            *state = match *state {
                State::Closed { failures } if failures + 1 < self.threshold => State::Closed { failures: failures + 1 },
                State::Closed { .. } | State::Probation { .. } => State::Open { until },
                State::Open { until } => State::Open { until },
            };
        });
    }

    /// Whether calls are being stopped.
    pub fn is_open(&self) -> bool {
        self.with(|state| !matches!(state, State::Closed { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_lets_one_call_try() {
        let breaker = Breaker::new(3, Duration::from_secs(30));
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        breaker.failed();
        assert!(breaker.admit().is_ok(), "two in a row are not three");
        breaker.failed();
        assert_eq!(breaker.admit(), Err(Open { rest: Duration::from_secs(30) }));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(breaker.admit().is_ok(), "one may try");
        assert!(breaker.admit().is_err(), "only one");
        breaker.failed();
        assert!(breaker.admit().is_err(), "it failed: open again");
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(breaker.admit().is_ok());
        breaker.succeeded();
        assert!(breaker.admit().is_ok() && breaker.admit().is_ok() && !breaker.is_open());
    }
}
