//! One run's turn: it holds a permit while it works, and gives it back while it waits for somebody,
//! so that those who answer slowly do not stop all others.

use super::fair_semaphore::{FairSemaphore, Permit};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A run that waits for somebody for so long gives its permit back when others want it.
const CALM: Duration = Duration::from_secs(1);
/// So many runs may go on without a permit for each permit that there is; beyond, a run keeps its
/// own for longer.
const LENT_PER_PERMIT: usize = 32;
/// But not longer than this.
const LONGEST_CALM: Duration = Duration::from_secs(20);
/// How often one looks whether a run waits, while others want its permit.
const PACE: Duration = Duration::from_millis(200);

/// A run's turn.
#[derive(Debug)]
pub struct Turn {
    semaphore: FairSemaphore,
    organization: i64,
    state: Mutex<State>,
    taking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    permit: Option<Permit>,
    /// Whether it counts among those who go on without one.
    is_lent: bool,
    /// Pieces of work in hand.
    working: usize,
    /// When it last worked, or said that it goes on.
    moved: Instant,
}

/// A piece of work in hand: the permit stays until it is done.
#[derive(Debug)]
pub struct Working<'a>(&'a Turn);

impl Turn {
    /// Waits for the turn.
    pub async fn begin(semaphore: &FairSemaphore, organization: i64) -> Turn {
        let permit = semaphore.permit(organization).await;
        let state = State {
            permit: Some(permit),
            is_lent: false,
            working: 0,
            moved: Instant::now(),
        };
        Turn {
            semaphore: semaphore.clone(),
            organization,
            state: Mutex::new(state),
            taking: tokio::sync::Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a piece of work; waits for a permit when it was given back.
    pub async fn work(&self) -> Working<'_> {
        loop {
            if let Some(working) = self.work_now() {
                return working;
            }
            // One of this run's pieces asks for all.
            let _taking = self.taking.lock().await;
            if self.lock().permit.is_some() {
                continue;
            }
            let permit = self.semaphore.permit_again(self.organization, true).await;
            let mut state = self.lock();
            state.permit = Some(permit);
            state.moved = Instant::now();
            if std::mem::take(&mut state.is_lent) {
                self.semaphore.lent_is_back();
            }
        }
    }

    fn work_now(&self) -> Option<Working<'_>> {
        let mut state = self.lock();
        state.permit.as_ref()?;
        state.working += 1;
        Some(Working(self))
    }

    /// It goes on: somebody answered.
    pub fn mark(&self) {
        self.lock().moved = Instant::now();
    }

    /// Waits until the turn is over: it lasted so long (shorter while the organization holds more
    /// than its share), and others wait.
    pub async fn is_over(&self, turn: Duration) {
        loop {
            self.semaphore.wanted().await;
            let left = match &self.lock().permit {
                Some(permit) => self
                    .semaphore
                    .turn_of(self.organization, turn)
                    .saturating_sub(permit.age()),
                None => PACE,
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(PACE)).await;
        }
    }

    /// Gives the permit back once the run does nothing but wait while others want it. Answers when
    /// it did; `work` takes it again.
    pub async fn gives_back(&self) {
        loop {
            self.semaphore.wanted().await;
            if self.try_give_back() {
                return;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    fn try_give_back(&self) -> bool {
        let mut state = self.lock();
        let calm = state.moved.elapsed();
        if state.permit.is_none() || state.working > 0 || calm < CALM {
            return false;
        }
        let is_lent = self
            .semaphore
            .lend(LENT_PER_PERMIT * self.semaphore.permits());
        if !is_lent && calm < LONGEST_CALM {
            return false;
        }
        state.is_lent = is_lent;
        let permit = state.permit.take();
        drop(state);
        drop(permit);
        true
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.lock().is_lent {
            self.semaphore.lent_is_back();
        }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.working -= 1;
        state.moved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::{sleep, timeout};

    const TURN: Duration = Duration::from_secs(10);

    /// Reads pages that take so long each, and works on each of them for a moment.
    async fn run(
        semaphore: FairSemaphore,
        organization: i64,
        pages: u32,
        wait: Duration,
    ) -> Duration {
        let start = Instant::now();
        let turn = Turn::begin(&semaphore, organization).await;
        let read = async {
            for _ in 0..pages {
                sleep(wait).await;
                let _working = turn.work().await;
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::pin!(read);
        loop {
            tokio::select! {
                biased;
                () = &mut read => return start.elapsed(),
                () = turn.gives_back() => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_wait_for_minutes_do_not_stop_ninety_quick_ones() {
        let semaphore = FairSemaphore::new(2);
        let slow: Vec<_> = (1..=2)
            .map(|id| tokio::spawn(run(semaphore.clone(), id, 3, Duration::from_secs(360))))
            .collect();
        tokio::task::yield_now().await;
        let quick: Vec<_> = (10..100)
            .map(|id| tokio::spawn(run(semaphore.clone(), id, 4, Duration::from_millis(30))))
            .collect();
        for one in quick {
            let took = one.await.unwrap();
            assert!(took < Duration::from_secs(15), "{took:?}");
        }
        for one in slow {
            assert!(one.await.unwrap() < Duration::from_secs(3 * 361));
        }
        assert_eq!((semaphore.waiting(), semaphore.lend(1)), (0, true));
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_work_at_once_than_there_are_permits() {
        let semaphore = FairSemaphore::new(2);
        let (now, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let one = |organization: i64| {
            let (semaphore, now, most) = (semaphore.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let turn = Turn::begin(&semaphore, organization).await;
                let read = async {
                    for page in 0..5 {
                        sleep(Duration::from_millis(
                            500 * (1 + (organization.unsigned_abs() + page) % 7),
                        ))
                        .await;
                        let _working = turn.work().await;
                        {
                            let mut now = now.lock().unwrap();
                            *now += 1;
                            let mut most = most.lock().unwrap();
                            *most = (*most).max(*now);
                        }
                        sleep(Duration::from_millis(300)).await;
                        *now.lock().unwrap() -= 1;
                    }
                };
                tokio::pin!(read);
                loop {
                    tokio::select! {
                        () = &mut read => return,
                        () = turn.gives_back() => {}
                    }
                }
            })
        };
        for task in (1..40).map(one).collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(*most.lock().unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_works_keeps_the_permit_and_who_waits_alone_does_too() {
        let semaphore = FairSemaphore::new(1);
        let turn = Turn::begin(&semaphore, 1).await;
        assert!(
            timeout(Duration::from_secs(3_600), turn.gives_back())
                .await
                .is_err(),
            "nobody wants it"
        );
        let working = turn.work().await;
        let other = tokio::spawn({
            let semaphore = semaphore.clone();
            async move { drop(Turn::begin(&semaphore, 2).await) }
        });
        assert!(
            timeout(Duration::from_secs(3_600), turn.gives_back())
                .await
                .is_err(),
            "it works"
        );
        turn.is_over(TURN).await;
        drop(working);
        let start = Instant::now();
        turn.gives_back().await;
        assert!(start.elapsed() <= CALM + PACE);
        other.await.unwrap();
        drop(turn.work().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_slow_ones_ends_and_the_last_quick_one_is_served_soon() {
        let semaphore = FairSemaphore::new(2);
        let slow: Vec<_> = (1..=200)
            .map(|id| tokio::spawn(run(semaphore.clone(), id, 1, Duration::from_secs(60))))
            .collect();
        tokio::task::yield_now().await;
        let quick = tokio::spawn(run(semaphore.clone(), 1_000, 4, Duration::from_millis(30)));
        let took = quick.await.unwrap();
        assert!(took < Duration::from_secs(240), "{took:?}");
        for one in slow {
            one.await.unwrap();
        }
    }
}
