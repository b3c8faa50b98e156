//! How long to wait before the next try: exponential with full jitter, never before the other side said.

use rand::RngExt;
use std::time::Duration;

/// A schedule of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub first: Duration,
    /// No wait of ours is longer.
    pub cap: Duration,
    /// Tries in all, the first included.
    pub tries: u32,
}

impl Backoff {
    /// The wait after the `tried`-th try failed (from 1), or `None` when it was the last.
    ///
    /// What the other side asked for is waited for in full, and jitter then only adds to it, so that those who were told
    /// the same do not come back together.
    pub fn wait(&self, tried: u32, asked: Option<Duration>) -> Option<Duration> {
        if tried >= self.tries {
            return None;
        }
        let longest = self.first.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1))).min(self.cap);
        let fraction: f64 = rand::rng().random();
        Some(match asked {
            Some(asked) => asked + self.first.mul_f64(fraction),
            None => longest.mul_f64(fraction),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(8), tries: 6 };

    #[test]
    fn waits_grow_to_the_cap_and_end() {
        for tried in 1..6 {
            let longest = Duration::from_millis(500 << (tried - 1));
            for _ in 0..200 {
                assert!(BACKOFF.wait(tried, None).unwrap() <= longest);
            }
        }
        assert_eq!(BACKOFF.wait(6, None), None);
        assert_eq!(BACKOFF.wait(6, Some(Duration::ZERO)), None);
    }

    #[test]
    fn jitter_never_shortens_what_was_asked_for() {
        for _ in 0..200 {
            let wait = BACKOFF.wait(1, Some(Duration::from_secs(42))).unwrap();
            assert!(wait >= Duration::from_secs(42) && wait < Duration::from_secs(43));
        }
    }
}
