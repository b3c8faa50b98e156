//! The one place that reads the machine's clock.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::time::{Duration, Instant};

/// Now, in UTC, to the microsecond that every database keeps. For stamps such as `last_sync_at`;
/// how far a feed has been read is judged by the source's clock, never by this.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// What passed between two looks, by two clocks: the machine's own, which may be set and goes on
/// while the machine sleeps, and the one by which timers run.
#[derive(Debug)]
pub struct Looks {
    at: DateTime<Utc>,
    counted: Instant,
}

/// What passed since the look before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// By the machine's clock.
    pub wall: TimeDelta,
    /// As timers count.
    pub counted: Duration,
}

impl Looks {
    /// From now on.
    pub fn begin() -> Looks {
        Looks {
            at: now(),
            counted: Instant::now(),
        }
    }

    /// What passed since the last call.
    pub fn passed(&mut self) -> Passed {
        let before = std::mem::replace(self, Looks::begin());
        Passed {
            wall: self.at - before.at,
            counted: self.counted - before.counted,
        }
    }
}

/// A jump of less than this is none.
const JUMP: TimeDelta = TimeDelta::seconds(30);

impl Passed {
    /// Whether the machine slept, or its clock was set: timers do not know of it.
    pub fn jumped(self) -> bool {
        let counted = TimeDelta::from_std(self.counted).unwrap_or(TimeDelta::MAX);
        (self.wall - counted).abs() > JUMP
    }

    /// Whether nobody here could do anything for a while: the machine slept, or the process was
    /// stopped, between two looks that should be so far apart.
    pub fn was_away(self, every: Duration) -> bool {
        let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
        self.wall > every.checked_add(&JUMP).unwrap_or(TimeDelta::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_told_from_a_stop_and_both_from_a_slow_look() {
        let of = |wall: i64, counted: u64| Passed {
            wall: TimeDelta::seconds(wall),
            counted: Duration::from_secs(counted),
        };
        let every = Duration::from_secs(5);
        for (passed, jumped, away) in [
            (of(5, 5), false, false),
            (of(34, 34), false, false),
            (of(100, 100), false, true),
            (of(172_800, 5), true, true),
            (of(-7_200, 5), true, false),
        ] {
            assert_eq!(
                (passed.jumped(), passed.was_away(every)),
                (jumped, away),
                "{passed:?}"
            );
        }
        let mut looks = Looks::begin();
        let passed = looks.passed();
        assert!(!passed.jumped() && !passed.was_away(every), "{passed:?}");
    }
}
