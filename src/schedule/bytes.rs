//! One budget of bytes for all runs of a process: what is read ahead of the database must not fill
//! the memory, however many organizations send much at the same time.
//!
//! Whoever is about to read a page waits until there is room, organizations in turn. When nothing
//! comes back for a while, one page goes all the same, the one that waited longest: a run that
//! holds pages commits them while the budget is short, and one more page makes it do so. So runs
//! cannot wait for each other for ever.

use super::queue::FairQueue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// After so long without room one page goes all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// A budget. Clones are the same one.
#[derive(Debug, Clone)]
pub struct ByteBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    /// When a page last went, with room or without.
    went: Option<Instant>,
    waiting: FairQueue<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    bytes: usize,
    give: oneshot::Sender<Hold>,
}

/// Bytes that are in use; given back when it is dropped.
#[derive(Debug)]
pub struct Hold {
    budget: ByteBudget,
    bytes: usize,
}

impl ByteBudget {
    /// So many bytes in all.
    pub fn new(total: usize) -> ByteBudget {
        ByteBudget(Arc::new(Inner {
            total,
            state: Mutex::default(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room for so many bytes, but not for ever.
    pub async fn take(&self, organization: i64, bytes: usize) -> Hold {
        let mut waited = {
            let mut state = self.lock();
            if state.waiting.len() == 0 && self.fits(&state, bytes) {
                return self.hold_now(&mut state, bytes);
            }
            let (give, wait) = oneshot::channel();
            state.waiting.push(organization, Waiting { bytes, give });
            wait
        };
        let mut wait = PATIENCE;
        loop {
            if let Ok(Ok(hold)) = timeout(wait, &mut waited).await {
                return hold;
            }
            let mut state = self.lock();
            let idle = state.went.map_or(PATIENCE, |went| went.elapsed());
            if idle >= PATIENCE {
                return self.hold_now(&mut state, bytes);
            }
            wait = PATIENCE - idle;
        }
    }

    /// Holds bytes that are in use already.
    pub fn hold(&self, bytes: usize) -> Hold {
        self.lock().used += bytes;
        Hold {
            budget: self.clone(),
            bytes,
        }
    }

    fn hold_now(&self, state: &mut State, bytes: usize) -> Hold {
        state.used += bytes;
        state.went = Some(Instant::now());
        Hold {
            budget: self.clone(),
            bytes,
        }
    }

    /// Whether there is room; what is larger than everything goes alone.
    fn fits(&self, state: &State, bytes: usize) -> bool {
        state.used == 0 || state.used + bytes <= self.0.total
    }

    /// Whether somebody waits, or everything is in use: whoever can give something back should.
    pub fn is_short(&self) -> bool {
        let state = self.lock();
        state.used >= self.0.total
            || state
                .waiting
                .peek()
                .is_some_and(|first| !first.give.is_closed())
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.lock().used
    }

    fn release(&self, bytes: usize) {
        let mut given = Vec::new();
        {
            let mut state = self.lock();
            state.used = state.used.saturating_sub(bytes);
            while state
                .waiting
                .peek()
                .is_some_and(|next| next.give.is_closed() || self.fits(&state, next.bytes))
            {
                let Some((_, next)) = state.waiting.pop(|_| 0) else {
                    break;
                };
                if !next.give.is_closed() {
                    let hold = self.hold_now(&mut state, next.bytes);
                    given.push((next.give, hold));
                }
            }
        }
        // One that stopped waiting at this moment drops its hold, which comes back here.
        for (give, hold) in given {
            let _ = give.send(hold);
        }
    }
}

impl Hold {
    /// As it turned out to be.
    pub fn resize(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.lock().used += bytes - self.bytes;
        } else if bytes < self.bytes {
            self.budget.release(self.bytes - bytes);
        }
        self.bytes = bytes;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_held_stays_within_the_budget_and_organizations_take_turns() {
        let budget = ByteBudget::new(100);
        let most = Arc::new(Mutex::new(0));
        let order = Arc::new(Mutex::new(Vec::new()));
        let read = |organization: i64| {
            let (budget, most, order) = (budget.clone(), Arc::clone(&most), Arc::clone(&order));
            tokio::spawn(async move {
                let _hold = budget.take(organization, 40).await;
                order.lock().unwrap().push(organization);
                let used = budget.used();
                most.lock().map(|mut most| *most = used.max(*most)).unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            })
        };
        let mut tasks: Vec<_> = (0..50).map(|_| read(1)).collect();
        tokio::task::yield_now().await;
        tasks.extend((2..=6).map(read));
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!((*most.lock().unwrap(), budget.used()), (80, 0));
        let order = order.lock().unwrap();
        assert!(
            order
                .iter()
                .rposition(|organization| *organization != 1)
                .unwrap()
                < 14,
            "{order:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_page_always_goes_and_nobody_waits_for_ever() {
        let budget = ByteBudget::new(100);
        let huge = budget.take(1, 5_000).await;
        assert!(budget.is_short());
        let start = Instant::now();
        let second = budget.take(2, 10).await;
        assert_eq!((start.elapsed(), budget.used()), (PATIENCE, 5_010));
        drop((huge, second));
        assert!(!budget.is_short() && budget.used() == 0);
        let mut hold = budget.take(1, 10).await;
        hold.resize(90);
        let patient = tokio::spawn({
            let budget = budget.clone();
            async move { budget.take(2, 50).await }
        });
        tokio::task::yield_now().await;
        assert!(budget.is_short());
        let start = Instant::now();
        hold.resize(20);
        let other = patient.await.unwrap();
        assert_eq!((start.elapsed(), budget.used()), (Duration::ZERO, 70));
        drop((hold, other));
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_takes_nothing() {
        let budget = ByteBudget::new(100);
        let held = budget.take(1, 100).await;
        assert!(
            timeout(Duration::from_millis(5), budget.take(2, 50))
                .await
                .is_err()
        );
        assert!(
            budget
                .lock()
                .waiting
                .peek()
                .is_none_or(|first| first.give.is_closed())
        );
        drop(held);
        assert_eq!(budget.used(), 0);
        assert_eq!(budget.take(3, 100).await.bytes, 100);
    }
}
