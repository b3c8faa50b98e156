//! Decides after each failed try of a request: how long to wait before the next, or that it was the
//! last.

use super::classify::{Fault, RetryClass};
use super::error::Error;
use super::settings::Retries;
use crate::net::{Backoff, RetryBudget, upwards};
use std::time::Duration;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryProfile {
    /// As the settings say.
    Full,
    /// Somebody waits in front of a terminal.
    Brief,
    /// A part of a page that could not be read: there may be many, each may fail for good, and a
    /// failure says nothing of the source as a whole.
    Part,
    /// A record by its id: the same, and a long wait that is asked for may be meant for that record
    /// alone.
    Single,
    /// Whether the source answers at all: after something failed that may have failed alone.
    Control,
}

/// Tries of what may fail for good by itself.
const PART_TRIES: u32 = 3;

/// So long a wait for one record holds all requests of its organization, as any other does; a
/// longer one does not.
const SINGLE_WAIT: Duration = Duration::from_secs(10);

impl RetryProfile {
    /// The longest wait on the source's word.
    pub(super) fn patience(self, retries: &Retries) -> Duration {
        match self {
            RetryProfile::Full
            | RetryProfile::Part
            | RetryProfile::Single
            | RetryProfile::Control => retries.patience,
            RetryProfile::Brief => retries.patience.min(Duration::from_secs(5)),
        }
    }

    /// The longest wait that is sat out when it was told to this very request.
    pub(super) fn sits_out(self, retries: &Retries) -> Duration {
        match self {
            RetryProfile::Single => retries.patience.min(SINGLE_WAIT),
            other => other.patience(retries),
        }
    }

    /// Whether a failure says nothing of the source as a whole.
    pub(super) const fn is_alone(self) -> bool {
        matches!(self, RetryProfile::Part | RetryProfile::Single)
    }
}

/// The failed tries of one request so far.
#[derive(Debug)]
pub(super) struct RetryPolicy<'a> {
    retries: &'a Retries,
    budget: &'a RetryBudget,
    profile: RetryProfile,
    failed: u32,
    last: Option<Error>,
}

impl<'a> RetryPolicy<'a> {
    pub(super) fn new(
        retries: &'a Retries,
        budget: &'a RetryBudget,
        profile: RetryProfile,
    ) -> RetryPolicy<'a> {
        RetryPolicy {
            retries,
            budget,
            profile,
            failed: 0,
            last: None,
        }
    }

    /// The wait before the next try.
    ///
    /// # Errors
    /// There is no next try. If the breaker opened meanwhile, the error is the one that was met
    /// before.
    pub(super) fn next(&mut self, fault: Fault) -> Result<Duration, Error> {
        let Fault { error, again } = fault;
        if matches!(error, Error::BreakerOpen { .. }) {
            return Err(self.last.take().unwrap_or(error));
        }
        let Retries {
            tries, few, edge, ..
        } = *self.retries;
        let backoff = Backoff {
            base: self.retries.base,
            cap: self.retries.cap,
        };
        let retry = self.failed;
        self.failed += 1;
        let (tries, wait) = match again {
            RetryClass::Never | RetryClass::Token => return Err(error),
            RetryClass::Backoff => (tries, backoff.wait(retry)),
            RetryClass::Few => (few, backoff.wait(retry)),
            RetryClass::Told(wait) if wait > self.profile.sits_out(self.retries) => {
                return Err(error);
            }
            RetryClass::Told(wait) => (tries, upwards(wait)),
            RetryClass::Edge => (few, upwards(edge)),
        };
        let tries = match self.profile {
            RetryProfile::Full => tries,
            RetryProfile::Brief | RetryProfile::Single if again == RetryClass::Edge => 1,
            RetryProfile::Brief => tries.min(2),
            RetryProfile::Part | RetryProfile::Single | RetryProfile::Control => {
                tries.min(PART_TRIES)
            }
        };
        // A wait that the source asked for adds no load, so it costs nothing.
        let affordable =
            self.failed < tries && (matches!(again, RetryClass::Told(_)) || self.budget.spend());
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
