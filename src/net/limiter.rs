//! How fast one organization asks: so many requests a minute, evenly spread, and a gate that a
//! neighbour closes by saying "not before".
//!
//! The pace is fixed, or found: it begins slowly, rises while more is wanted and the neighbour
//! answers, up to what it says that it allows, and is halved when it pushes back (additive increase,
//! multiplicative decrease). It is written here because the crates for this, `governor` among them,
//! know only a rate that is set once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Requests that may follow each other at once, at most.
const LARGEST_BURST: f64 = 10.0;

/// Requests a minute with which a pace that is found begins.
const BEGIN: f64 = 240.0;

/// The most that it rises to where the neighbour does not say what it allows: what Classy's
/// documents tell (contract 7).
const DOCUMENTED: f64 = 1_800.0;

/// The share of what is allowed that is used; others may ask with the same credentials.
const SHARE: f64 = 0.95;

/// The least that it falls to.
const LEAST: f64 = 15.0;

/// By how much each answer raises the pace until the neighbour pushed back for the first time.
const FIRST_STEP: f64 = 60.0;

/// By how much a second of asking raises it afterwards, in requests a minute.
const STEP: f64 = 2.0;

/// Within this span being pushed back counts once: requests that were under way side by side are
/// told the same.
const ONCE: Duration = Duration::from_secs(10);

/// How many requests a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As many as the neighbour takes.
    Auto,
    /// So many; 0 is no limit.
    PerMinute(u32),
}

impl From<u32> for Pace {
    fn from(per_minute: u32) -> Pace {
        Pace::PerMinute(per_minute)
    }
}

/// The pace of one organization. All its requests pass here, so that what one of them is told slows
/// all of them.
#[derive(Debug)]
pub struct Limiter {
    is_found: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests a minute; 0 is no limit.
    rate: f64,
    /// When the next request is due if all are spread evenly.
    due: Instant,
    not_before: Option<Instant>,
    /// Somebody waited for the pace since the last answer: only then a higher one is of use.
    is_wanted: bool,
    pushed_back: Option<Instant>,
}

impl State {
    fn interval(&self) -> Duration {
        Duration::from_secs_f64(60.0 / self.rate)
    }

    /// Takes the place of one request, or says how long to wait for it.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if self.rate == 0.0 {
            return Ok(());
        }
        let burst = (self.rate / 60.0).floor().clamp(1.0, LARGEST_BURST);
        let ahead = self.interval().mul_f64(burst - 1.0);
        let due = self.due.max(now);
        let early = due.saturating_duration_since(now).saturating_sub(ahead);
        if early.is_zero() {
            self.due = due + self.interval();
            Ok(())
        } else {
            self.is_wanted = true;
            Err(early)
        }
    }
}

impl Limiter {
    /// With a pace, beginning now.
    pub fn new(pace: Pace) -> Limiter {
        let rate = match pace {
            Pace::Auto => BEGIN,
            Pace::PerMinute(rate) => f64::from(rate),
        };
        Limiter {
            is_found: pace == Pace::Auto,
            state: Mutex::new(State {
                rate,
                due: Instant::now(),
                not_before: None,
                is_wanted: false,
                pushed_back: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a minute as of now; 0 is no limit.
    pub fn per_minute(&self) -> f64 {
        self.state().rate
    }

    /// A request was answered; `allowed` is how many a minute the neighbour says that it allows.
    pub fn answered(&self, allowed: Option<u32>) {
        if !self.is_found {
            return;
        }
        let state = &mut *self.state();
        let most = allowed.map_or(DOCUMENTED, |allowed| f64::from(allowed) * SHARE);
        if std::mem::take(&mut state.is_wanted) {
            state.rate += match state.pushed_back {
                None => FIRST_STEP,
                Some(_) => STEP * 60.0 / state.rate,
            };
        }
        state.rate = state.rate.min(most).max(LEAST);
    }

    /// The neighbour said that it is too much (429, 503).
    pub fn pushed_back(&self) {
        if !self.is_found {
            return;
        }
        let now = Instant::now();
        let state = &mut *self.state();
        if state.pushed_back.is_none_or(|before| now - before >= ONCE) {
            state.rate = (state.rate / 2.0).max(LEAST);
            state.pushed_back = Some(now);
        }
    }

    /// Closes the gate for this long from now; a gate that is closed for longer stays so.
    pub fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let gate = &mut self.state().not_before;
        *gate = Some(gate.map_or(until, |earlier| earlier.max(until)));
    }

    /// How long the gate stays closed; zero when it is open.
    pub fn paused_for(&self) -> Duration {
        self.state().not_before.map_or(Duration::ZERO, |until| {
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
            let taken = self.state().take(Instant::now());
            match taken {
                Ok(()) => return Ok(()),
                // A millisecond more: timers are no finer, and waking too early would only wait
                // again.
                Err(early) => tokio::time::sleep(early + Duration::from_millis(1)).await,
            }
        }
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

    /// The same, each answered at once.
    async fn answered_in(limiter: &Limiter, requests: usize, allowed: Option<u32>) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            limiter.ready(Duration::MAX).await.unwrap();
            limiter.answered(allowed);
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_is_kept_after_a_small_burst() {
        let spent = seconds_for(&Limiter::new(240.into()), 244).await;
        assert!((60.0..62.0).contains(&spent), "{spent}");
        let slow = seconds_for(&Limiter::new(5.into()), 6).await;
        assert!((60.0..61.0).contains(&slow), "{slow}");
    }

    #[tokio::test(start_paused = true)]
    async fn zero_is_no_limit() {
        assert_eq!(seconds_for(&Limiter::new(0.into()), 10_000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_holds_everybody_and_the_longest_word_counts() {
        let limiter = Limiter::new(0.into());
        limiter.pause(Duration::from_secs(120));
        limiter.pause(Duration::from_secs(5));
        assert_eq!(
            limiter.ready(Duration::from_secs(60)).await,
            Err(Duration::from_secs(120))
        );
        assert_eq!(seconds_for(&limiter, 3).await, 120.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_that_is_found_reads_720_pages_in_half_a_minute_where_1800_are_allowed() {
        for allowed in [Some(1_800), None] {
            let spent = answered_in(&Limiter::new(Pace::Auto), 720, allowed).await;
            assert!((22.0..30.0).contains(&spent), "{allowed:?}: {spent}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_exceeds_what_the_neighbour_allows() {
        let limiter = Limiter::new(Pace::Auto);
        let spent = answered_in(&limiter, 120, Some(60)).await;
        assert!(spent > 110.0, "{spent}");
        assert!(limiter.per_minute() <= 57.0);
    }

    #[tokio::test(start_paused = true)]
    async fn pushed_back_it_is_halved_once_and_rises_slowly() {
        let limiter = Limiter::new(Pace::Auto);
        answered_in(&limiter, 200, None).await;
        let before = limiter.per_minute();
        assert_eq!(before, DOCUMENTED);
        for _ in 0..4 {
            limiter.pushed_back();
        }
        assert_eq!(limiter.per_minute(), before / 2.0);
        // Ten seconds of asking bring back about 20 requests a minute.
        answered_in(&limiter, 150, None).await;
        let risen = limiter.per_minute() - before / 2.0;
        assert!((10.0..40.0).contains(&risen), "{risen}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_stays_where_it_is_while_nobody_wants_more() {
        let limiter = Limiter::new(Pace::Auto);
        for _ in 0..100 {
            limiter.ready(Duration::MAX).await.unwrap();
            limiter.answered(None);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(limiter.per_minute(), BEGIN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_that_is_set_stays_as_it_is() {
        let limiter = Limiter::new(60.into());
        limiter.pushed_back();
        answered_in(&limiter, 20, Some(1_800)).await;
        assert_eq!(limiter.per_minute(), 60.0);
    }
}
