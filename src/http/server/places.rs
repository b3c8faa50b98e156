//! Who is connected. When places are short, whoever has let us wait longest goes: a flood of silent
//! clients costs itself its places, and never those that ask.

use super::connection::Connection;
use super::limits::Limits;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, Arc<Connection>>,
}

impl Open {
    /// Closes the one that has let us wait longest. Answers whether there was one.
    fn evict(&mut self, is_meant: impl Fn(&Connection) -> bool) -> bool {
        let waiting = self.connections.iter().filter(|(_, one)| is_meant(one));
        let longest = waiting
            .filter_map(|(id, one)| Some((one.waits_since()?, *id)))
            .min();
        let gone = longest.and_then(|(_, id)| self.connections.remove(&id));
        if let Some(gone) = &gone {
            tracing::debug!(peer = ?gone.peer, "places are short: the connection that has let us wait longest is closed");
            gone.close();
        }
        gone.is_some()
    }
}

/// The places of one listener. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) limits: Limits,
    open: Arc<Mutex<Open>>,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    id: u64,
    places: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.open().connections.remove(&self.id);
    }
}

impl Places {
    pub(super) fn new(limits: Limits) -> Places {
        Places {
            limits,
            open: Arc::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for somebody who came; none when even those beyond are all at work.
    pub(super) fn take(&self, peer: Option<IpAddr>) -> Option<Place> {
        let mut open = self.open();
        if let Some(address) = peer.filter(|address| !address.is_loopback()) {
            let is_same = |one: &Connection| one.peer == Some(address);
            let count = open.connections.values().filter(|one| is_same(one)).count();
            if count >= self.limits.per_peer && !open.evict(is_same) {
                return None;
            }
        }
        if open.connections.len() >= self.limits.places {
            open.evict(|_| true);
        }
        // Whoever went may have stood in a place beyond: then the places themselves are as short as
        // before.
        let is_spare = open.connections.len() >= self.limits.places;
        if is_spare && open.connections.len() >= self.limits.places + self.limits.spare {
            return None;
        }
        let (id, connection) = (open.next, Arc::new(Connection::new(peer, is_spare)));
        open.next += 1;
        open.connections.insert(id, Arc::clone(&connection));
        Some(Place {
            connection,
            id,
            places: self.clone(),
        })
    }

    /// Frees a place, as when the process has no descriptors left.
    pub(super) fn evict(&self) {
        self.open().evict(|_| true);
    }

    /// Closes whoever is overdue.
    fn sweep(&self) {
        let now = Instant::now();
        self.open().connections.retain(|_, connection| {
            let overdue = connection.overdue(now, &self.limits);
            if let Some(what) = overdue {
                tracing::debug!(peer = ?connection.peer, what, "a client took too long; its connection is closed");
                connection.close();
            }
            overdue.is_none()
        });
    }

    /// Closes whoever is overdue, for ever.
    pub(super) async fn watch(&self) {
        loop {
            tokio::time::sleep(self.limits.sweep).await;
            self.sweep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn places(limits: Limits) -> Places {
        Places::new(limits)
    }

    async fn pass() {
        tokio::time::advance(Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_longest_makes_room_and_whoever_is_at_work_stays() {
        let places = places(Limits {
            places: 2,
            spare: 1,
            ..Limits::default()
        });
        let first = places.take(None).unwrap();
        pass().await;
        let second = places.take(None).unwrap();
        first.connection.begin_work();
        let third = places.take(None).unwrap();
        second.connection.closed().await;
        assert!(!third.connection.is_spare);
        third.connection.begin_work();
        let beyond = places.take(None).unwrap();
        assert!(
            beyond.connection.is_spare,
            "nobody waits: it gets a place beyond"
        );
        let next = places.take(None).unwrap();
        assert!(
            next.connection.is_spare,
            "the place beyond is all that was free"
        );
        beyond.connection.closed().await;
        next.connection.begin_work();
        assert!(places.take(None).is_none());
        drop(next);
        drop(third);
        assert!(!places.take(None).unwrap().connection.is_spare);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_elsewhere_has_a_limit_of_its_own_and_this_machine_has_none() {
        let places = places(Limits {
            per_peer: 2,
            ..Limits::default()
        });
        let [greedy, other, here] =
            ["192.0.2.1", "192.0.2.2", "127.0.0.1"].map(|text| text.parse::<IpAddr>().ok());
        let others = places.take(other).unwrap();
        pass().await;
        let first = places.take(greedy).unwrap();
        pass().await;
        let second = places.take(greedy).unwrap();
        let third = places.take(greedy).unwrap();
        first.connection.closed().await;
        second.connection.begin_work();
        third.connection.begin_work();
        assert!(places.take(greedy).is_none());
        let many: Vec<_> = (0..10).map(|_| places.take(here).unwrap()).collect();
        assert_eq!(many.len(), 10);
        assert!(others.connection.waits_since().is_some() && places.open().connections.len() == 13);
    }
}
