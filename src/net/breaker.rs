//! A circuit breaker: after enough failures in a row the neighbour is left alone for a while, then
//! one request on probation decides whether it is back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A neighbour that is either trusted, left alone or on probation. Clones share one state.
#[derive(Debug, Clone)]
pub struct Breaker {
    threshold: u32,
    shortest: Duration,
    longest: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// How often it opened since the last success: the pause doubles.
    opened: u32,
    /// Set while open or on probation.
    until: Option<Instant>,
    /// The one request on probation is out.
    probing: bool,
}

/// The breaker is open: nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// When asking again makes sense.
    pub after: Duration,
}

impl Breaker {
    /// Opens after `threshold` failures in a row, first for `shortest`, each time twice as long, at
    /// most for `longest`.
    pub fn new(threshold: u32, shortest: Duration, longest: Duration) -> Breaker {
        Breaker {
            threshold: threshold.max(1),
            shortest,
            longest,
            state: Arc::default(),
        }
    }

    /// Asks to send one request.
    ///
    /// # Errors
    /// The breaker is open, or its one request on probation is still out.
    pub fn admit(&self) -> Result<Admission, Open> {
        let mut state = self.lock();
        let Some(until) = state.until else {
            return Ok(self.admission(false));
        };
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Err(Open { after: left });
        }
        if state.probing {
            return Err(Open {
                after: self.shortest,
            });
        }
        state.probing = true;
        drop(state);
        Ok(self.admission(true))
    }

    /// Leave for a question that decides whether the failures that opened it were the neighbour's
    /// at all. Its success closes the breaker, its failure changes nothing.
    pub fn control(&self) -> Admission {
        self.admission(false)
    }

    /// How long nothing will be sent; absent when closed or ready for probation.
    pub fn open_for(&self) -> Option<Duration> {
        let left = self.lock().until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn admission(&self, probation: bool) -> Admission {
        Admission {
            breaker: self.clone(),
            probation,
            told: false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State) {
        let pause = self
            .shortest
            .saturating_mul(1_u32.checked_shl(state.opened.min(31)).unwrap_or(u32::MAX))
            .min(self.longest);
        state.opened = state.opened.saturating_add(1);
        state.until = Some(Instant::now() + pause);
        state.probing = false;
    }
}

/// Leave to send one request. Dropped without a word (the request was cancelled), it changes
/// nothing.
#[derive(Debug)]
#[must_use = "the breaker learns from what became of the request"]
pub struct Admission {
    breaker: Breaker,
    probation: bool,
    told: bool,
}

impl Admission {
    /// The neighbour works.
    pub fn succeeded(mut self) {
        self.told = true;
        *self.breaker.lock() = State::default();
    }

    /// The neighbour failed.
    pub fn failed(mut self) {
        self.told = true;
        let mut state = self.breaker.lock();
        state.failures = state.failures.saturating_add(1);
        // Requests that were under way when it opened do not lengthen the pause.
        if self.probation || (state.until.is_none() && state.failures >= self.breaker.threshold) {
            self.breaker.open(&mut state);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.probation && !self.told {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(3, Duration::from_secs(30), Duration::from_secs(100))
    }

    fn fail(breaker: &Breaker, times: usize) {
        (0..times).for_each(|_| breaker.admit().unwrap().failed());
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_the_third_failure_in_a_row_and_says_for_how_long() {
        let breaker = breaker();
        fail(&breaker, 2);
        breaker.admit().unwrap().succeeded();
        fail(&breaker, 3);
        assert_eq!(
            breaker.admit().unwrap_err(),
            Open {
                after: Duration::from_secs(30)
            }
        );
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(breaker.open_for(), Some(Duration::from_secs(20)));
    }

    #[tokio::test(start_paused = true)]
    async fn probation_is_of_one_and_its_success_closes() {
        let breaker = breaker();
        fail(&breaker, 3);
        tokio::time::advance(Duration::from_secs(30)).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err());
        probe.succeeded();
        fail(&breaker, 2);
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probation_opens_for_longer_up_to_the_limit() {
        let breaker = breaker();
        fail(&breaker, 3);
        for pause in [60, 100, 100] {
            tokio::time::advance(breaker.open_for().unwrap()).await;
            fail(&breaker, 1);
            assert_eq!(breaker.open_for(), Some(Duration::from_secs(pause)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probation_leaves_the_place_to_the_next() {
        let breaker = breaker();
        fail(&breaker, 3);
        tokio::time::advance(Duration::from_secs(30)).await;
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_were_under_way_do_not_lengthen_the_pause() {
        let breaker = breaker();
        let under_way: Vec<Admission> = (0..10).map(|_| breaker.admit().unwrap()).collect();
        under_way.into_iter().for_each(Admission::failed);
        assert_eq!(breaker.open_for(), Some(Duration::from_secs(30)));
    }
}
