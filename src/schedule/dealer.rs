//! Deals out the right to run: so many at once, to the organizations in turn, so that one with a thousand times more work does not
//! starve the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Deals permits. Clones deal from the same hand.
#[derive(Debug, Clone)]
pub struct Dealer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Somebody began to wait.
    wanted: Notify,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those who wait, by organization, and the organizations in the order of their turns.
    waiting: HashMap<i64, VecDeque<oneshot::Sender<Permit>>>,
    turns: VecDeque<i64>,
}

/// The right to run; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    dealer: Dealer,
    since: Instant,
}

impl Dealer {
    /// A dealer with so many permits, at least one.
    pub fn new(permits: usize) -> Dealer {
        let state = State { free: permits.max(1), waiting: HashMap::new(), turns: VecDeque::new() };
        Dealer(Arc::new(Inner { state: Mutex::new(state), wanted: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the organization's turn. Whoever stops waiting is passed over.
    pub async fn permit(&self, organization: i64) -> Permit {
        let waited = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return self.dealt();
            }
            let (give, wait) = oneshot::channel();
            let queue = state.waiting.entry(organization).or_default();
            queue.push_back(give);
            if queue.len() == 1 {
                state.turns.push_back(organization);
            }
            wait
        };
        self.0.wanted.notify_waiters();
        match waited.await {
            Ok(permit) => permit,
            // The dealer lives as long as this method's borrow of it, and drops no sender.
            Err(_) => self.dealt(),
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.values().map(VecDeque::len).sum()
    }

    fn dealt(&self) -> Permit {
        Permit { dealer: self.clone(), since: Instant::now() }
    }

    /// Gives a permit that came back to the next organization, or keeps it.
    fn next(&self) {
        let mut state = self.lock();
        while let Some(organization) = state.turns.pop_front() {
            let Some(queue) = state.waiting.get_mut(&organization) else { continue };
            let next = queue.pop_front();
            if queue.is_empty() {
                state.waiting.remove(&organization);
            } else {
                state.turns.push_back(organization);
            }
            let Some(next) = next else { continue };
            drop(state);
            match next.send(self.dealt()) {
                Ok(()) => return,
                // It waits no more. What it was given must not come back here by being dropped.
                Err(mut permit) => permit.forget(),
            }
            state = self.lock();
        }
        state.free += 1;
    }
}

impl Permit {
    /// Waits until it was held for `turn` and somebody else waits for one.
    pub async fn is_wanted_after(&self, turn: Duration) {
        tokio::time::sleep_until(self.since + turn).await;
        loop {
            let wanted = self.dealer.0.wanted.notified();
            tokio::pin!(wanted);
            wanted.as_mut().enable();
            if self.dealer.waiting() > 0 {
                return;
            }
            wanted.await;
        }
    }

    /// Makes the drop do nothing: the permit goes on to somebody else.
    fn forget(&mut self) {
        self.dealer = Dealer::new(1);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.dealer.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn organizations_take_turns_however_much_one_of_them_wants() {
        let dealer = Dealer::new(2);
        let served = Arc::new(Mutex::new(Vec::new()));
        let work = |organization: i64| {
            let (dealer, served) = (dealer.clone(), Arc::clone(&served));
            tokio::spawn(async move {
                let _permit = dealer.permit(organization).await;
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
        let last_small = served.iter().rposition(|organization| *organization != 1).unwrap();
        assert!(last_small < 24, "the small ones waited for {last_small} runs");
        assert_eq!(dealer.lock().free, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_is_passed_over_and_no_permit_is_lost() {
        let dealer = Dealer::new(1);
        let held = dealer.permit(1).await;
        let impatient = tokio::time::timeout(Duration::from_secs(1), dealer.permit(2)).await;
        assert!(impatient.is_err());
        let patient = tokio::spawn({
            let dealer = dealer.clone();
            async move { drop(dealer.permit(3).await) }
        });
        tokio::task::yield_now().await;
        drop(held);
        patient.await.unwrap();
        assert_eq!(dealer.waiting(), 0);
        assert_eq!(dealer.lock().free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_turn_ends_when_somebody_waits() {
        let dealer = Dealer::new(1);
        let permit = dealer.permit(1).await;
        let turn = Duration::from_secs(10);
        assert!(tokio::time::timeout(Duration::from_secs(3600), permit.is_wanted_after(turn)).await.is_err(), "nobody waits");
        let other = tokio::spawn({
            let dealer = dealer.clone();
            async move { drop(dealer.permit(2).await) }
        });
        permit.is_wanted_after(turn).await;
        drop(permit);
        other.await.unwrap();
    }
}
