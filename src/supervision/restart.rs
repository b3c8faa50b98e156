//! How often each child died lately, and how long it waits before it is started again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a child that died waits before it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The wait after the first death; it doubles with each further one inside the window.
    pub first: Duration,
    /// The longest wait, and the wait of a degraded child.
    pub cap: Duration,
    /// Deaths inside the window after which a child is degraded.
    pub limit: u32,
    /// How long a death counts.
    pub window: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        RestartPolicy {
            first: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            limit: 4,
            window: Duration::from_secs(600),
        }
    }
}

/// What comes after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartDecision {
    /// The next life begins after this.
    pub after: Duration,
    /// It died so often that somebody should look.
    pub degraded: bool,
    /// Deaths inside the window, this one included.
    pub deaths: u32,
}

/// The deaths of all children, as long as they count.
#[derive(Debug)]
pub struct RestartTracker {
    policy: RestartPolicy,
    deaths: HashMap<Arc<str>, VecDeque<Instant>>,
}

impl RestartTracker {
    /// No child has died yet.
    pub fn new(policy: RestartPolicy) -> RestartTracker {
        RestartTracker {
            policy,
            deaths: HashMap::new(),
        }
    }

    /// Writes a death down. The wait is shortened by up to a fifth, so that children that died
    /// together do not come back together.
    pub fn died(&mut self, name: &Arc<str>) -> RestartDecision {
        let now = Instant::now();
        let RestartPolicy {
            first,
            cap,
            limit,
            window,
        } = self.policy;
        let deaths = self.deaths.entry(Arc::clone(name)).or_default();
        deaths.retain(|at| now.duration_since(*at) < window);
        deaths.push_back(now);
        let count = u32::try_from(deaths.len()).unwrap_or(u32::MAX);
        let degraded = count > limit;
        let doubled =
            first.saturating_mul(1_u32.checked_shl((count - 1).min(31)).unwrap_or(u32::MAX));
        let wait = if degraded { cap } else { doubled.min(cap) };
        RestartDecision {
            after: wait.mul_f64(1.0 - 0.2 * rand::random::<f64>()),
            degraded,
            deaths: count,
        }
    }

    /// Forgets a child that is no more.
    pub fn forget(&mut self, name: &str) {
        self.deaths.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(decision: RestartDecision) -> f64 {
        decision.after.as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_then_the_child_is_degraded_and_a_quiet_window_clears_it() {
        let mut tracker = RestartTracker::new(RestartPolicy::default());
        let name: Arc<str> = "child".into();
        for (wait, degraded) in [
            (1.0, false),
            (2.0, false),
            (4.0, false),
            (8.0, false),
            (60.0, true),
            (60.0, true),
        ] {
            let decision = tracker.died(&name);
            assert!(
                (wait * 0.8..=wait).contains(&seconds(decision)),
                "{decision:?}"
            );
            assert_eq!(decision.degraded, degraded);
            tokio::time::advance(decision.after).await;
        }
        assert_eq!(
            tracker.died(&"other".into()).deaths,
            1,
            "each child counts for itself"
        );
        tokio::time::advance(Duration::from_secs(601)).await;
        assert_eq!(tracker.died(&name).deaths, 1);
    }
}
