//! Decides after each failed try of a request: how long to wait before the next, or that it was the last.

use super::classify::{Again, Fault};
use super::error::Error;
use super::settings::Retries;
use crate::resilience::{Backoff, RetryBudget, upwards};
use std::time::Duration;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// As the settings say.
    Full,
    /// Somebody waits in front of a terminal.
    Brief,
}

impl Effort {
    /// The longest wait on the source's word.
    pub(super) fn patience(self, retries: &Retries) -> Duration {
        match self {
            Effort::Full => retries.patience,
            Effort::Brief => retries.patience.min(Duration::from_secs(5)),
        }
    }
}

/// The failed tries of one request so far.
#[derive(Debug)]
pub(super) struct Ladder<'a> {
    retries: &'a Retries,
    budget: &'a RetryBudget,
    effort: Effort,
    failed: u32,
    last: Option<Error>,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(retries: &'a Retries, budget: &'a RetryBudget, effort: Effort) -> Ladder<'a> {
        Ladder { retries, budget, effort, failed: 0, last: None }
    }

    /// The wait before the next try.
    ///
    /// # Errors
    /// There is no next try. If the breaker opened meanwhile, the error is the one that was met before.
    pub(super) fn next(&mut self, fault: Fault) -> Result<Duration, Error> {
        let Fault { error, again } = fault;
        if matches!(error, Error::BreakerOpen { .. }) {
            return Err(self.last.take().unwrap_or(error));
        }
        let Retries { tries, few, edge, .. } = *self.retries;
        let backoff = Backoff { base: self.retries.base, cap: self.retries.cap };
        let retry = self.failed;
        self.failed += 1;
        let (tries, wait) = match again {
            Again::Never | Again::Token => return Err(error),
            Again::Backoff => (tries, backoff.wait(retry)),
            Again::Few => (few, backoff.wait(retry)),
            Again::Told(wait) if wait > self.effort.patience(self.retries) => return Err(error),
            Again::Told(wait) => (tries, upwards(wait)),
            Again::Edge => (few, upwards(edge)),
        };
        let tries = match self.effort {
            Effort::Full => tries,
            Effort::Brief if again == Again::Edge => 1,
            Effort::Brief => tries.min(2),
        };
        // A wait that the source asked for adds no load, so it costs nothing.
        let affordable = self.failed < tries && (matches!(again, Again::Told(_)) || self.budget.spend());
        if !affordable {
            return Err(error);
        }
        tracing::info!(
            failed_tries = self.failed,
            most_tries = tries,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            reason = %error,
            "Classy did not answer as it should; asking again after a wait"
        );
        self.last = Some(error);
        Ok(wait)
    }
}
