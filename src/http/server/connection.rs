//! One connection: whether it waits for its client, since when, and whether that is too long. A
//! connection that is at work for its client is never too slow; only one that cannot go on without
//! it.

use super::limits::Limits;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a connection is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It was opened, and nothing came yet.
    Opened,
    /// A request was answered, and no other one came yet.
    Idle,
    /// A part of a head came.
    Head,
    /// A handler reads the body.
    Body,
    /// A handler works, or its answer is being made.
    Work,
}

/// The client does not take what is written.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    since: Instant,
    /// Begin of the span in which it must take enough.
    window: Instant,
    /// Bytes that it took in this span.
    taken: usize,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Bytes of the next request came while this one is at work.
    is_ahead: bool,
    blocked: Option<Blocked>,
}

/// What is known of one connection, shared by its task and whoever looks for those that are
/// overdue.
#[derive(Debug)]
pub(super) struct Connection {
    /// Absent on the control socket.
    pub(super) peer: Option<IpAddr>,
    /// It came when all places were taken by connections at work.
    pub(super) is_spare: bool,
    close: CancellationToken,
    state: Mutex<State>,
}

impl Connection {
    pub(super) fn new(peer: Option<IpAddr>, is_spare: bool) -> Connection {
        let state = State {
            phase: Phase::Opened,
            since: Instant::now(),
            is_ahead: false,
            blocked: None,
        };
        Connection {
            peer,
            is_spare,
            close: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        (state.phase, state.since) = (phase, Instant::now());
    }

    /// Bytes came.
    pub(super) fn on_read(&self) {
        let mut state = self.state();
        match state.phase {
            Phase::Opened | Phase::Idle => {
                (state.phase, state.since) = (Phase::Head, Instant::now())
            }
            Phase::Work => state.is_ahead = true,
            Phase::Head | Phase::Body => {}
        }
    }

    /// A head is whole.
    pub(super) fn begin_work(&self) {
        self.enter(Phase::Work);
        self.state().is_ahead = false;
    }

    /// A handler wants the body.
    pub(super) fn begin_body(&self) {
        self.enter(Phase::Body);
    }

    /// The body is there, or nobody wants it any more.
    pub(super) fn end_body(&self) {
        if self.state().phase == Phase::Body {
            self.enter(Phase::Work);
        }
    }

    /// The answer is made.
    pub(super) fn end_work(&self) {
        let is_ahead = self.state().is_ahead;
        self.enter(if is_ahead { Phase::Head } else { Phase::Idle });
    }

    /// The client took so many bytes.
    pub(super) fn on_written(&self, bytes: usize) {
        if let Some(blocked) = &mut self.state().blocked {
            blocked.taken += bytes;
        }
    }

    /// The client takes nothing for now.
    pub(super) fn on_blocked(&self) {
        let now = Instant::now();
        self.state().blocked.get_or_insert(Blocked {
            since: now,
            window: now,
            taken: 0,
        });
    }

    /// All that there was to write is written.
    pub(super) fn on_flushed(&self) {
        let mut state = self.state();
        // It was made long before it was taken: only from now on another request is waited for.
        if state.blocked.take().is_some() && state.phase == Phase::Idle {
            state.since = Instant::now();
        }
    }

    /// Since when it has been waiting for its client; none while it is at work.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        let state = self.state();
        let by_phase = (state.phase != Phase::Work).then_some(state.since);
        let by_write = state.blocked.map(|blocked| blocked.since);
        by_phase.into_iter().chain(by_write).min()
    }

    /// What its client was too slow with, by now.
    pub(super) fn overdue(&self, now: Instant, limits: &Limits) -> Option<&'static str> {
        let mut state = self.state();
        if let Some(blocked) = &mut state.blocked
            && now.duration_since(blocked.window) >= limits.write
        {
            if blocked.taken < limits.write_least {
                return Some("reading the answer");
            }
            (blocked.window, blocked.taken) = (now, 0);
        }
        let (within, what) = match state.phase {
            Phase::Opened => (limits.first_byte, "sending anything"),
            // Its answer is still being taken.
            Phase::Idle if state.blocked.is_some() => return None,
            Phase::Idle => (limits.idle, "sending another request"),
            Phase::Head => (limits.head, "sending a request's head"),
            Phase::Body => (limits.body, "sending a request's body"),
            Phase::Work => return None,
        };
        (now.duration_since(state.since) >= within).then_some(what)
    }

    /// Ends it.
    pub(super) fn close(&self) {
        self.close.cancel();
    }

    /// Until it is to end.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Limits = Limits {
        places: 1,
        spare: 1,
        per_peer: 1,
        first_byte: Duration::from_secs(1),
        head: Duration::from_secs(2),
        idle: Duration::from_secs(3),
        body: Duration::from_secs(4),
        write: Duration::from_secs(5),
        write_least: 1_000,
        sweep: Duration::from_secs(1),
    };

    async fn pass(seconds: f64) {
        tokio::time::advance(Duration::from_secs_f64(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_does_not_put_the_deadline_of_a_head_off() {
        let connection = Connection::new(None, false);
        let overdue = || connection.overdue(Instant::now(), &LIMITS);
        pass(0.9).await;
        assert_eq!(overdue(), None);
        for _ in 0..3 {
            connection.on_read();
            assert_eq!(overdue(), None);
            pass(0.6).await;
        }
        connection.on_read();
        pass(0.3).await;
        assert_eq!(overdue(), Some("sending a request's head"));
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_for_the_client_has_its_end_and_work_has_none() {
        let connection = Connection::new(None, false);
        let overdue = || connection.overdue(Instant::now(), &LIMITS);
        pass(1.0).await;
        assert_eq!(overdue(), Some("sending anything"));
        connection.on_read();
        connection.begin_work();
        pass(1_000.0).await;
        assert_eq!((overdue(), connection.waits_since()), (None, None));
        connection.begin_body();
        pass(4.0).await;
        assert_eq!(overdue(), Some("sending a request's body"));
        connection.end_body();
        assert_eq!(overdue(), None);
        connection.end_work();
        pass(2.9).await;
        assert_eq!(overdue(), None);
        pass(0.1).await;
        assert_eq!(overdue(), Some("sending another request"));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_a_drop_now_and_then_is_as_good_as_whoever_takes_nothing() {
        let connection = Connection::new(None, false);
        let overdue = || connection.overdue(Instant::now(), &LIMITS);
        connection.begin_work();
        connection.on_blocked();
        assert!(connection.waits_since().is_some());
        for _ in 0..5 {
            pass(1.0).await;
            connection.on_written(100);
        }
        assert_eq!(overdue(), Some("reading the answer"));
        connection.on_written(500);
        assert_eq!(overdue(), None, "enough in this span");
        pass(5.0).await;
        assert_eq!(overdue(), Some("reading the answer"), "nothing in the next");
        connection.on_flushed();
        assert_eq!((overdue(), connection.waits_since()), (None, None));
    }

    /// A large answer is made in a moment, and taken over minutes.
    #[tokio::test(start_paused = true)]
    async fn whoever_still_reads_an_answer_that_is_made_is_not_waited_for_to_ask_again() {
        let connection = Connection::new(None, false);
        let overdue = || connection.overdue(Instant::now(), &LIMITS);
        connection.on_read();
        connection.begin_work();
        connection.on_blocked();
        connection.end_work();
        for _ in 0..5 {
            pass(2.0).await;
            connection.on_written(2_000);
            assert_eq!(overdue(), None);
        }
        connection.on_flushed();
        pass(2.9).await;
        assert_eq!(overdue(), None);
        pass(0.1).await;
        assert_eq!(overdue(), Some("sending another request"));
    }
}
