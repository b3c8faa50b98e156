//! The rate limit (contract 7): a bucket of requests for each application that fills again
//! steadily.

use std::collections::HashMap;
use tokio::time::Instant;

/// All applications' buckets.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// What is left in each, and when that was.
    left: HashMap<i64, (f64, Instant)>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    /// Whole requests that are left.
    pub(super) remaining: u32,
    /// Seconds until the next one is there, when there was none for this one.
    pub(super) wait_s: Option<u64>,
}

impl Buckets {
    /// Takes one request out of an application's bucket of `per_minute`. A request that is refused
    /// costs nothing.
    pub(super) fn take(&mut self, application: i64, per_minute: u32, now: Instant) -> Taken {
        let (size, a_second) = (f64::from(per_minute), f64::from(per_minute) / 60.0);
        let (left, since) = self.left.entry(application).or_insert((size, now));
        *left = (*left + now.duration_since(*since).as_secs_f64() * a_second).min(size);
        *since = now;
        if *left < 1.0 {
            return Taken {
                remaining: 0,
                wait_s: Some(((1.0 - *left) / a_second).ceil() as u64),
            };
        }
        *left -= 1.0;
        Taken {
            remaining: *left as u32,
            wait_s: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_at_once_and_fills_again_steadily() {
        let (mut buckets, start) = (Buckets::default(), Instant::now());
        let mut at = |seconds: u64| buckets.take(1, 6, start + Duration::from_secs(seconds));
        assert_eq!(
            (0..6).map(|_| at(0).remaining).collect::<Vec<_>>(),
            [5, 4, 3, 2, 1, 0]
        );
        assert_eq!(
            at(0),
            Taken {
                remaining: 0,
                wait_s: Some(10)
            }
        );
        assert_eq!(
            at(4),
            Taken {
                remaining: 0,
                wait_s: Some(6)
            }
        );
        assert_eq!(
            at(10),
            Taken {
                remaining: 0,
                wait_s: None
            }
        );
        assert_eq!(at(10_000).remaining, 5, "no more than a bucket full");
        assert_eq!(
            buckets.take(2, 6, start).remaining,
            5,
            "another application has its own"
        );
    }
}
