//! A semaphore that is fair between organizations: so many permits to work at once, given out in
//! turn, so that one with a thousand times more work does not starve the others. tokio's is fair
//! between those who wait, whoever they work for.

use super::queue::FairQueue;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Whoever holds more than its organization's share has a turn of this length at most while others
/// wait.
const TURN_BEYOND_SHARE: Duration = Duration::from_secs(1);

/// Clones share their permits.
#[derive(Debug, Clone)]
pub struct FairSemaphore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: usize,
    state: Mutex<State>,
    /// Somebody began to wait.
    wanted: Notify,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Permits in use, by organization.
    held: HashMap<i64, usize>,
    /// Runs that gave their permit back while they wait for somebody.
    lent: usize,
    /// Of those some who have their answer by now: they go first, for what they read is in memory
    /// meanwhile.
    back: FairQueue<oneshot::Sender<Permit>>,
    waiting: FairQueue<oneshot::Sender<Permit>>,
}

/// The right to work; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    /// Absent when it went on to somebody else.
    semaphore: Option<FairSemaphore>,
    organization: i64,
    since: Instant,
}

impl FairSemaphore {
    /// A semaphore with so many permits, at least one.
    pub fn new(permits: usize) -> FairSemaphore {
        let permits = permits.max(1);
        let state = State {
            free: permits,
            held: HashMap::new(),
            lent: 0,
            back: FairQueue::default(),
            waiting: FairQueue::default(),
        };
        FairSemaphore(Arc::new(Inner {
            permits,
            state: Mutex::new(state),
            wanted: Notify::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the organization's turn. Whoever stops waiting is passed over.
    pub async fn permit(&self, organization: i64) -> Permit {
        self.permit_again(organization, false).await
    }

    /// The same for a run that gave one back before, or for one that begins.
    pub(super) async fn permit_again(&self, organization: i64, again: bool) -> Permit {
        let waited = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                *state.held.entry(organization).or_default() += 1;
                return self.granted(organization);
            }
            let (give, wait) = oneshot::channel();
            let queue = if again {
                &mut state.back
            } else {
                &mut state.waiting
            };
            queue.push(organization, give);
            wait
        };
        self.0.wanted.notify_waiters();
        match waited.await {
            Ok(permit) => permit,
            // The semaphore lives as long as this method's borrow of it, and drops no sender.
            Err(_) => Permit {
                semaphore: None,
                organization,
                since: Instant::now(),
            },
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        let state = self.lock();
        state.back.len() + state.waiting.len()
    }

    fn granted(&self, organization: i64) -> Permit {
        Permit {
            semaphore: Some(self.clone()),
            organization,
            since: Instant::now(),
        }
    }

    /// Gives a permit that came back to the next: of the organizations that wait, to the one that
    /// holds the fewest.
    fn next(&self, from: i64) {
        let mut state = self.lock();
        state.put_back(from);
        loop {
            let State {
                held,
                back,
                waiting,
                ..
            } = &mut *state;
            let least = |one: i64| held.get(&one).copied().unwrap_or(0);
            let Some((organization, next)) = back.pop(least).or_else(|| waiting.pop(least)) else {
                break;
            };
            *held.entry(organization).or_default() += 1;
            drop(state);
            let Err(mut permit) = next.send(self.granted(organization)) else {
                return;
            };
            // It waits no more. What it was given must not come back here by being dropped.
            permit.semaphore = None;
            state = self.lock();
            state.put_back(organization);
        }
        state.free += 1;
    }

    /// Waits until somebody waits for a permit.
    pub(super) async fn wanted(&self) {
        loop {
            let wanted = self.0.wanted.notified();
            tokio::pin!(wanted);
            wanted.as_mut().enable();
            if self.waiting() > 0 {
                return;
            }
            wanted.await;
        }
    }

    /// How long a turn of the organization is now: shorter while it holds more than its share.
    pub(super) fn turn_of(&self, organization: i64, turn: Duration) -> Duration {
        let state = self.lock();
        let all: HashSet<i64> = state
            .held
            .keys()
            .copied()
            .chain(state.back.organizations())
            .chain(state.waiting.organizations())
            .collect();
        let share = (self.0.permits / all.len().max(1)).max(1);
        let is_beyond = state
            .held
            .get(&organization)
            .is_some_and(|held| *held > share);
        if is_beyond {
            turn.min(TURN_BEYOND_SHARE)
        } else {
            turn
        }
    }

    /// Notes that a run goes on without a permit, or has one again. Answers whether that is so for
    /// less than this many.
    pub(super) fn lend(&self, most: usize) -> bool {
        let mut state = self.lock();
        let may = state.lent < most;
        state.lent += usize::from(may);
        may
    }

    pub(super) fn lent_is_back(&self) {
        let mut state = self.lock();
        state.lent = state.lent.saturating_sub(1);
    }

    pub(super) fn permits(&self) -> usize {
        self.0.permits
    }
}

impl State {
    fn put_back(&mut self, organization: i64) {
        if let Some(held) = self.held.get_mut(&organization) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&organization);
            }
        }
    }
}

impl Permit {
    /// How long it has been held.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.next(self.organization);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Turn;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn organizations_take_turns_however_much_one_of_them_wants() {
        let semaphore = FairSemaphore::new(2);
        let served = Arc::new(Mutex::new(Vec::new()));
        let work = |organization: i64| {
            let (semaphore, served) = (semaphore.clone(), Arc::clone(&served));
            tokio::spawn(async move {
                let _permit = semaphore.permit(organization).await;
                served.lock().unwrap().push(organization);
                tokio::time::sleep(Duration::from_secs(1)).await;
            })
        };
        let mut tasks: Vec<_> = (0..100).map(|_| work(1)).collect();
        tokio::task::yield_now().await;
        tasks.extend((2..=11).map(work));
        for task in tasks {
            task.await.unwrap();
        }
        let served = served.lock().unwrap();
        let last_small = served
            .iter()
            .rposition(|organization| *organization != 1)
            .unwrap();
        assert!(
            last_small < 24,
            "the small ones waited for {last_small} runs"
        );
        assert_eq!(semaphore.lock().free, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_organization_with_many_feeds_makes_room_for_another_within_a_second() {
        let semaphore = FairSemaphore::new(4);
        let mut feeds = Vec::new();
        for _ in 0..5 {
            let semaphore = semaphore.clone();
            feeds.push(tokio::spawn(async move {
                loop {
                    let turn = Turn::begin(&semaphore, 1).await;
                    turn.is_over(Duration::from_secs(10)).await;
                }
            }));
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let start = Instant::now();
        let others = [semaphore.permit(2).await, semaphore.permit(3).await];
        assert!(
            start.elapsed() <= 2 * TURN_BEYOND_SHARE,
            "{:?}",
            start.elapsed()
        );
        drop(others);
        feeds.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_is_passed_over_and_no_permit_is_lost() {
        let semaphore = FairSemaphore::new(1);
        let held = semaphore.permit(1).await;
        let impatient = tokio::time::timeout(Duration::from_secs(1), semaphore.permit(2)).await;
        assert!(impatient.is_err());
        let patient = tokio::spawn({
            let semaphore = semaphore.clone();
            async move { drop(semaphore.permit(3).await) }
        });
        tokio::task::yield_now().await;
        drop(held);
        patient.await.unwrap();
        assert_eq!(semaphore.waiting(), 0);
        assert_eq!(semaphore.lock().free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_turn_ends_when_somebody_waits() {
        let semaphore = FairSemaphore::new(1);
        let permit = Turn::begin(&semaphore, 1).await;
        let turn = Duration::from_secs(10);
        assert!(
            tokio::time::timeout(Duration::from_secs(3600), permit.is_over(turn))
                .await
                .is_err(),
            "nobody waits"
        );
        let other = tokio::spawn({
            let semaphore = semaphore.clone();
            async move { drop(semaphore.permit(2).await) }
        });
        permit.is_over(turn).await;
        drop(permit);
        other.await.unwrap();
    }

    /// The worst waits of 999 small organizations whose runs take 50 ms each, over an hour; with a
    /// giant beside them whose run takes a thousand times as long, or without.
    async fn lags(with_giant: bool) -> Duration {
        let (semaphore, turn, hour) = (
            FairSemaphore::new(8),
            Duration::from_secs(10),
            Duration::from_secs(3_600),
        );
        let start = Instant::now();
        let mut small = Vec::new();
        for organization in 1..1_000_i64 {
            let semaphore = semaphore.clone();
            small.push(tokio::spawn(async move {
                let mut lags = Vec::new();
                let mut due =
                    start + crate::schedule::spread(organization, Duration::from_secs(60));
                while due.duration_since(start) < hour {
                    tokio::time::sleep_until(due).await;
                    let permit = semaphore.permit(organization).await;
                    lags.push(due.elapsed());
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    drop(permit);
                    due += Duration::from_secs(60);
                }
                lags
            }));
        }
        // Four feeds that always have something to read.
        let giant: Vec<_> = (0..if with_giant { 4 } else { 0 })
            .map(|_| {
                let semaphore = semaphore.clone();
                tokio::spawn(async move {
                    while start.elapsed() < hour {
                        let permit = Turn::begin(&semaphore, 0).await;
                        let _working = permit.work().await;
                        let _ = tokio::time::timeout(Duration::from_secs(50), permit.is_over(turn))
                            .await;
                    }
                })
            })
            .collect();
        let mut lags = Vec::new();
        for task in small {
            lags.extend(task.await.unwrap());
        }
        for task in giant {
            task.await.unwrap();
        }
        lags.sort();
        lags[lags.len() * 99 / 100]
    }

    #[tokio::test(start_paused = true)]
    async fn a_giant_does_not_double_the_lag_of_the_small() {
        let (without, with) = (lags(false).await, lags(true).await);
        println!("p99 without the giant {without:?}, with it {with:?}");
        assert!(
            with <= 2 * without.max(Duration::from_millis(50)),
            "{with:?} instead of {without:?}"
        );
    }
}
