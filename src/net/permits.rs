//! How many requests are under way at the same time: a fixed number, or as many as the pace needs
//! at the time that answers take.

use super::Pace;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Fewer than this make a slow first answer slower than it need be.
const LEAST: usize = 4;

/// More than the mean needs, since answers take unequally long.
const SPARE: f64 = 1.5;

/// The weight of the last answer in the mean.
const WEIGHT: f64 = 0.2;

/// The places of requests under way.
#[derive(Debug)]
pub struct Permits {
    semaphore: Semaphore,
    most: usize,
    found: Option<Mutex<Found>>,
}

#[derive(Debug)]
struct Found {
    given: usize,
    /// The mean time that an answer takes, in seconds.
    takes: f64,
}

impl Permits {
    /// At most `most`: at once where the pace is set, and as answers show the need where it is
    /// found.
    pub fn new(pace: Pace, most: usize) -> Permits {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let given = match pace {
            Pace::Auto => most.min(LEAST),
            Pace::PerMinute(_) => most,
        };
        let found = (pace == Pace::Auto).then_some(Mutex::new(Found { given, takes: 0.0 }));
        Permits {
            semaphore: Semaphore::new(given),
            most,
            found,
        }
    }

    /// Waits for a place; nothing is only returned after the end of the process began.
    pub async fn take(&self) -> Option<SemaphorePermit<'_>> {
        self.semaphore.acquire().await.ok()
    }

    /// An answer took this long at so many requests a minute: as many places as that needs.
    pub fn fit(&self, per_minute: f64, took: Duration) {
        let Some(found) = &self.found else {
            return;
        };
        let found = &mut *found.lock().unwrap_or_else(PoisonError::into_inner);
        found.takes += WEIGHT * (took.as_secs_f64() - found.takes);
        let needed = (per_minute / 60.0 * found.takes * SPARE).ceil() as usize + 1;
        let wanted = needed.clamp(LEAST.min(self.most), self.most);
        if wanted > found.given {
            self.semaphore.add_permits(wanted - found.given);
            found.given = wanted;
        } else {
            // Those that are taken are given up at a later answer.
            found.given -= self.semaphore.forget_permits(found.given - wanted);
        }
    }

    /// How many there are now.
    #[cfg(test)]
    fn given(&self) -> Option<usize> {
        let found = self.found.as_ref()?;
        Some(found.lock().unwrap_or_else(PoisonError::into_inner).given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(permits: &Permits, per_minute: f64, seconds: f64) -> Option<usize> {
        for _ in 0..50 {
            permits.fit(per_minute, Duration::from_secs_f64(seconds));
        }
        permits.given()
    }

    #[test]
    fn as_many_as_the_pace_needs_at_the_time_that_answers_take() {
        let permits = Permits::new(Pace::Auto, 16);
        assert_eq!(permits.given(), Some(4));
        assert_eq!(after(&permits, 1_800.0, 0.05), Some(4));
        assert_eq!(after(&permits, 1_800.0, 0.25), Some(13));
        assert_eq!(after(&permits, 1_800.0, 5.0), Some(16));
        assert_eq!(after(&permits, 240.0, 0.05), Some(4));
        assert_eq!(permits.semaphore.available_permits(), 4);
    }

    #[test]
    fn a_number_that_is_set_stays() {
        let permits = Permits::new(Pace::PerMinute(240), 2);
        permits.fit(1_800.0, Duration::from_secs(5));
        assert_eq!(permits.semaphore.available_permits(), 2);
        assert_eq!(Permits::new(Pace::Auto, 1).given(), Some(1));
    }
}
