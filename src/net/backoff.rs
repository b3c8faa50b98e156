//! Exponential backoff with full jitter: after a burst of failures the tries spread out instead of
//! coming back together.

use std::time::Duration;

/// How long to wait before a try is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait; it doubles with each further one.
    pub base: Duration,
    /// Upper bound of any wait.
    pub cap: Duration,
}

impl Backoff {
    /// The longest wait before the retry with this number, counted from 0.
    pub fn ceiling(&self, retry: u32) -> Duration {
        self.base
            .saturating_mul(1_u32.checked_shl(retry.min(31)).unwrap_or(u32::MAX))
            .min(self.cap)
    }

    /// A wait anywhere between none and the ceiling.
    pub fn wait(&self, retry: u32) -> Duration {
        self.ceiling(retry).mul_f64(rand::random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_millis(500),
        cap: Duration::from_secs(60),
    };

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let seconds: Vec<f64> = [0, 1, 2, 6, 7, 40, u32::MAX]
            .iter()
            .map(|retry| BACKOFF.ceiling(*retry).as_secs_f64())
            .collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 32.0, 60.0, 60.0, 60.0]);
    }

    #[test]
    fn waits_fill_the_whole_range_below_the_ceiling() {
        let waits: Vec<Duration> = (0..1000).map(|_| BACKOFF.wait(7)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(60)));
        assert!(
            waits.iter().any(|wait| *wait < Duration::from_secs(20))
                && waits.iter().any(|wait| *wait > Duration::from_secs(40))
        );
    }
}
