//! Wrong tokens: answered the more slowly the more of them came, from one address and in all, and
//! told in the log without what was shown.
//!
//! A right token is never made to wait, so nobody can keep the owner out by guessing, not even from
//! behind the same proxy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The wait after the first wrong token of an address; it doubles with each.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait of a person at the form, and of a program.
pub(super) const LONGEST_OF_FORM: Duration = Duration::from_secs(5);
pub(super) const LONGEST_OF_PROGRAM: Duration = Duration::from_secs(1);
/// After so long without another, half of the wrong ones are forgotten.
const HALF: Duration = Duration::from_secs(60);
/// From so many in all on, whatever their addresses, each waits at least [`CROWD_WAITS`].
const CROWD: u32 = 100;
const CROWD_WAITS: Duration = Duration::from_secs(1);
/// Addresses that are remembered.
const MOST: usize = 10_000;
/// Answers that wait at once; one more is sent away at once.
const WAITING: usize = 64;
/// The log tells of them at most so often.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What is remembered.
#[derive(Debug)]
pub(super) struct Guesses {
    state: Mutex<State>,
    waiting: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    peers: HashMap<Option<IpAddr>, Wrong>,
    all: Wrong,
    told: Option<Instant>,
    untold: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Wrong {
    count: u32,
    last: Option<Instant>,
}

impl Wrong {
    fn now(&self, now: Instant) -> u32 {
        let halves = self.last.map_or(0, |last| {
            now.saturating_duration_since(last).as_secs() / HALF.as_secs()
        });
        self.count >> halves.min(31)
    }

    fn add(&mut self, now: Instant) -> u32 {
        self.count = self.now(now).saturating_add(1);
        self.last = Some(now);
        self.count
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            state: Mutex::default(),
            waiting: Semaphore::new(WAITING),
        }
    }
}

impl Guesses {
    /// Somebody showed a wrong token: waits. Answers whether the answer may be given; if not, too
    /// many are waiting.
    pub(super) async fn wait(&self, peer: Option<IpAddr>, path: &str, longest: Duration) -> bool {
        let (delay, told) = self.count(peer, Instant::now());
        if let Some(times) = told {
            let peer = peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
            tracing::warn!(peer, path, times, "a wrong token was refused");
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return false;
        };
        tokio::time::sleep(delay.min(longest)).await;
        true
    }

    /// How long it waits, and how many the log is to tell of now.
    fn count(&self, peer: Option<IpAddr>, now: Instant) -> (Duration, Option<u64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.peers.len() >= MOST {
            state.peers.retain(|_, wrong| wrong.now(now) > 1);
            if state.peers.len() >= MOST {
                state.peers.clear();
            }
        }
        let count = state.peers.entry(peer.map(network)).or_default().add(now);
        let crowd = state.all.add(now) > CROWD;
        state.untold += 1;
        let is_due = state
            .told
            .is_none_or(|told| now.saturating_duration_since(told) >= TOLD_EVERY);
        let told = is_due.then(|| std::mem::take(&mut state.untold));
        if is_due {
            state.told = Some(now);
        }
        let delay = FIRST
            .saturating_mul(1 << (count - 1).min(10))
            .min(LONGEST_OF_FORM);
        (if crowd { delay.max(CROWD_WAITS) } else { delay }, told)
    }
}

/// Whoever has one address of the newer kind has a whole network of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(older) => older.into(),
            None => {
                let [a, b, c, d, ..] = address.segments();
                std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        },
        older => older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_one_waits_longer_and_others_do_not_until_there_is_a_crowd() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let peer = |number: u8| Some(IpAddr::from([10, 0, 0, number]));
        let waits: Vec<u128> = (0..7)
            .map(|_| guesses.count(peer(1), now).0.as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000]);
        assert_eq!(guesses.count(peer(2), now).0, FIRST);
        assert!(
            guesses.count(peer(1), now + 4 * HALF).0 < Duration::from_secs(1),
            "it is forgotten by and by"
        );
        let crowd: Vec<Duration> = (3..=120)
            .map(|number| guesses.count(peer(number), now).0)
            .collect();
        assert_eq!((crowd[0], *crowd.last().unwrap()), (FIRST, CROWD_WAITS));
        let six = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let fresh = Guesses::default();
        assert_eq!(fresh.count(six("2001:db8::1"), now).0, FIRST);
        assert_eq!(
            fresh.count(six("2001:db8::2"), now).0,
            2 * FIRST,
            "of the same network"
        );
    }

    #[test]
    fn the_log_tells_of_the_first_and_then_now_and_then_of_many() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        assert_eq!(guesses.count(None, now).1, Some(1));
        assert!((0..20).all(|_| guesses.count(None, now).1.is_none()));
        assert_eq!(guesses.count(None, now + TOLD_EVERY).1, Some(21));
    }
}
