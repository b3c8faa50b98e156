//! How fast one organization asks: a token bucket, and a gate that a neighbour closes by saying
//! "not before".

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Requests that may follow each other at once, at most.
const LARGEST_BURST: u32 = 10;

/// The pace of one organization. All its requests pass here, so that what one of them is told slows
/// all of them.
#[derive(Debug)]
pub struct Limiter {
    bucket: Option<RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>>,
    clock: TokioClock,
    not_before: Mutex<Option<Instant>>,
}

impl Limiter {
    /// So many requests a minute, evenly spread but for a small burst; 0 is no limit.
    pub fn new(per_minute: u32) -> Limiter {
        let clock = TokioClock {
            start: Instant::now(),
        };
        let bucket = NonZeroU32::new(per_minute).map(|rate| {
            let burst = NonZeroU32::new((per_minute / 60).clamp(1, LARGEST_BURST))
                .unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(
                Quota::per_minute(rate).allow_burst(burst),
                clock.clone(),
            )
        });
        Limiter {
            bucket,
            clock,
            not_before: Mutex::new(None),
        }
    }

    /// Closes the gate for this long from now; a gate that is closed for longer stays so.
    pub fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut gate = self
            .not_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *gate = Some(gate.map_or(until, |earlier| earlier.max(until)));
    }

    /// How long the gate stays closed; zero when it is open.
    pub fn paused_for(&self) -> Duration {
        let gate = *self
            .not_before
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        gate.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// Waits until one request may be sent.
    ///
    /// # Errors
    /// The gate stays closed for longer than `patience`: the wait that is left.
    pub async fn ready(&self, patience: Duration) -> Result<(), Duration> {
        loop {
            let closed = self.paused_for();
            if closed > patience {
                return Err(closed);
            }
            if !closed.is_zero() {
                tokio::time::sleep(closed).await;
                continue;
            }
            match self.bucket.as_ref().map_or(Ok(()), RateLimiter::check) {
                Ok(()) => return Ok(()),
                // A millisecond more: timers are no finer, and waking too early would only wait
                // again.
                Err(early) => {
                    tokio::time::sleep(
                        early.wait_time_from(self.clock.now()) + Duration::from_millis(1),
                    )
                    .await;
                }
            }
        }
    }
}

/// Tokio's clock for the bucket: it stands still when tests pause it.
#[derive(Debug, Clone)]
struct TokioClock {
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(limiter: &Limiter, requests: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            limiter.ready(Duration::MAX).await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept_after_a_small_burst() {
        let spent = seconds_for(&Limiter::new(240), 244).await;
        assert!((60.0..62.0).contains(&spent), "{spent}");
        let slow = seconds_for(&Limiter::new(5), 6).await;
        assert!((60.0..61.0).contains(&slow), "{slow}");
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_no_limit() {
        assert_eq!(seconds_for(&Limiter::new(0), 10_000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_holds_everybody_and_the_longest_word_counts() {
        let limiter = Limiter::new(0);
        limiter.pause(Duration::from_secs(120));
        limiter.pause(Duration::from_secs(5));
        assert_eq!(
            limiter.ready(Duration::from_secs(60)).await,
            Err(Duration::from_secs(120))
        );
        assert_eq!(seconds_for(&limiter, 3).await, 120.0);
    }
}
