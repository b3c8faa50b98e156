//! How many requests may be under way at once, how many a minute, and a pause that the other side ordered.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The limits of one organization at one neighbour.
#[derive(Debug)]
pub struct Limiter {
    width: Semaphore,
    rate: Option<DefaultDirectRateLimiter>,
    not_before: Mutex<Option<Instant>>,
}

impl Limiter {
    /// At most `concurrency` at once (at least 1) and `per_minute` a minute; 0 is unlimited.
    pub fn new(concurrency: usize, per_minute: u32) -> Self {
        let rate = NonZeroU32::new(per_minute).map(|per_minute| {
            // Ten seconds' worth at once, so that a sync with nothing to do need not wait.
            let burst = NonZeroU32::new(per_minute.get() / 6).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(Quota::per_minute(per_minute).allow_burst(burst))
        });
        Limiter { width: Semaphore::new(concurrency.max(1)), rate, not_before: Mutex::new(None) }
    }

    /// Waits for a turn. The turn lasts until the permit is dropped; `None` only if the limiter was closed, which it never is.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.width.acquire().await.ok();
        if let Some(rate) = &self.rate {
            rate.until_ready().await;
        }
        loop {
            let pause = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match pause {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return permit,
            }
        }
    }

    /// Nobody gets a turn for so long: the other side said so to one of us, and means all.
    pub fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = not_before.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_and_is_never_shortened() {
        let limiter = Limiter::new(2, 0);
        let begin = Instant::now();
        limiter.pause(Duration::from_secs(20));
        limiter.pause(Duration::from_secs(5));
        drop(limiter.turn().await);
        assert_eq!(begin.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_width_have_a_turn_at_once() {
        let limiter = Limiter::new(2, 0);
        let first = limiter.turn().await;
        let _second = limiter.turn().await;
        assert!(tokio::time::timeout(Duration::from_secs(60), limiter.turn()).await.is_err());
        drop(first);
        assert!(tokio::time::timeout(Duration::from_secs(60), limiter.turn()).await.is_ok());
    }
}
