//! Whether Classy answers at all, as all requests of one organization found together: the trouble
//! at hand, and for how long nobody has answered; and the same of each list, which may fail alone.
//! A page or a record that fails alone is no trouble of this kind.

use super::error::Error;
use crate::clock;
use crate::domain::{Trouble, TroubleKind};
use crate::entities::Entity;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Contact(Mutex<States>);

/// Of all requests together, and of each list alone: one may fail while the others are served.
#[derive(Debug, Default)]
struct States {
    all: State,
    lists: [State; Entity::ALL.len()],
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<Trouble>,
    /// Requests that wait for an answer.
    asking: u32,
    /// The last answer, or when the first of them began to wait.
    heard_at: Option<Instant>,
    /// Why somebody waits before asking again, and when something was answered after it.
    waits_for: Option<(Trouble, Option<Instant>)>,
    /// How often somebody waited for long before asking.
    waits: u64,
}

/// How it goes at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Why nothing comes; absent when the last answer was as it should be.
    pub trouble: Option<Trouble>,
    /// Somebody waits, and nothing was answered for so long.
    pub silent_for: Option<Duration>,
    /// Why somebody waits before asking again. What passes soon is nothing to tell of, but explains
    /// what is late meanwhile.
    pub waits_for: Option<Trouble>,
    /// How often somebody waited for long before asking, so far: what is late or slow for that is
    /// not slow by itself.
    pub waits: u64,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Asking<'a>(&'a Contact, Option<Entity>);

impl States {
    /// The state of all, and of the list that a request is about.
    fn of(&mut self, list: Option<Entity>) -> impl Iterator<Item = &mut State> {
        let States { all, lists } = self;
        let one = list.and_then(|list| lists.get_mut(place(list)));
        std::iter::once(all).chain(one)
    }
}

/// So long after the first answer a wait still explains what is late: what was waited for is read
/// meanwhile.
const READ_WITHIN: Duration = Duration::from_secs(15);

impl State {
    fn waits_for(&self) -> Option<&Trouble> {
        let (met, answered_at) = self.waits_for.as_ref()?;
        answered_at
            .is_none_or(|at| at.elapsed() < READ_WITHIN)
            .then_some(met)
    }

    fn heard(&self) -> Heard {
        let silent_for = self
            .heard_at
            .filter(|_| self.asking > 0)
            .map(|at| at.elapsed());
        Heard {
            trouble: self.trouble.clone(),
            silent_for,
            waits_for: self.waits_for().cloned(),
            waits: self.waits,
        }
    }
}

impl Contact {
    /// From now on somebody waits, until the value is dropped.
    pub(super) fn asking(&self, list: Option<Entity>) -> Asking<'_> {
        for state in self.lock().of(list) {
            state.asking += 1;
            if state.asking == 1 {
                state.heard_at = Some(Instant::now());
            }
        }
        Asking(self, list)
    }

    /// Something was answered as it should be.
    pub(super) fn works(&self, list: Option<Entity>) {
        for state in self.lock().of(list) {
            (state.trouble, state.heard_at) = (None, Some(Instant::now()));
            if let Some((_, answered_at)) = &mut state.waits_for {
                answered_at.get_or_insert_with(Instant::now);
            }
        }
    }

    /// Somebody waits before asking again, since the source, or what stands in front of it, said so.
    pub(super) fn waits_for(&self, met: &Trouble, list: Option<Entity>) {
        for state in self.lock().of(list) {
            let since = state.waits_for().map_or(met.since, |before| before.since);
            state.waits += 1;
            let waits_for = Trouble {
                since,
                ..met.clone()
            };
            state.waits_for = Some((waits_for, None));
        }
    }

    /// Somebody had to wait for long until they could ask.
    pub(super) fn waited(&self, list: Option<Entity>) {
        for state in self.lock().of(list) {
            state.waits += 1;
        }
    }

    /// It failed, for a reason that may concern every request; others are no news. `host` is who
    /// was asked.
    pub(super) fn failed(&self, error: &Error, host: &str, list: Option<Entity>) {
        let Some(met) = error.trouble(host) else {
            return;
        };
        for state in self.lock().of(list) {
            let since = state
                .trouble
                .as_ref()
                .map_or(met.since, |before| before.since);
            state.trouble = Some(Trouble {
                since,
                ..met.clone()
            });
            if met.kind != TroubleKind::Silent {
                state.heard_at = Some(Instant::now());
            }
        }
    }

    /// How it goes with all requests.
    pub(super) fn pulse(&self) -> Heard {
        self.lock().all.heard()
    }

    /// The same of each list.
    pub(super) fn lists(&self) -> [Heard; Entity::ALL.len()] {
        self.lock().lists.each_ref().map(State::heard)
    }

    fn lock(&self) -> MutexGuard<'_, States> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        for state in self.0.lock().of(self.1) {
            state.asking = state.asking.saturating_sub(1);
        }
    }
}

/// A list's place among [`Entity::ALL`].
pub(super) fn place(list: Entity) -> usize {
    Entity::ALL
        .iter()
        .position(|one| *one == list)
        .unwrap_or_default()
}

impl Error {
    /// Why nothing comes from `host`, when it is a reason of that kind, without what changes from
    /// try to try.
    pub fn trouble(&self, host: &str) -> Option<Trouble> {
        let (kind, named, text) = match self {
            Error::Unreachable { host, detail } => (
                TroubleKind::Unreachable,
                Some(host),
                format!("nobody answers at {host} ({detail})"),
            ),
            Error::Untrusted { host, .. } => (TroubleKind::Untrusted, Some(host), self.to_string()),
            Error::Timeout { host, .. }
            | Error::TooSlow { host, .. }
            | Error::Interrupted { host, .. } => {
                (TroubleKind::Silent, Some(host), self.to_string())
            }
            Error::Unavailable { status } => (
                TroubleKind::Unavailable,
                None,
                format!("Classy answers {status}"),
            ),
            Error::EdgeBlocked { host, .. } => (TroubleKind::Blocked, Some(host), self.to_string()),
            Error::Redirect { .. } => (
                TroubleKind::Redirected,
                None,
                format!("Classy's address answers with an {self}"),
            ),
            Error::Protocol { what, .. } => (
                TroubleKind::Nonsense,
                None,
                format!("Classy's answers cannot be understood ({what})"),
            ),
            Error::RateLimited { .. } => (
                TroubleKind::Limited,
                None,
                "Classy asks to wait, and nothing is read meanwhile".to_owned(),
            ),
            _ => return None,
        };
        Some(Trouble {
            kind,
            host: named.map_or(host, String::as_str).to_owned(),
            text,
            since: clock::now(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_explains_what_is_late_until_it_can_have_been_read() {
        let contact = Contact::default();
        let list = Some(Entity::Campaigns);
        let after = Duration::from_secs(40);
        let met = Error::RateLimited { after }.trouble("api.test").unwrap();
        contact.waits_for(&met, list);
        let waits = || {
            let of_list = contact.lists()[place(Entity::Campaigns)]
                .waits_for
                .is_some();
            (contact.pulse().waits_for.is_some(), of_list)
        };
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(waits(), (true, true));
        // Another list is answered: this one waits on.
        contact.works(Some(Entity::Supporters));
        tokio::time::advance(READ_WITHIN).await;
        assert_eq!(waits(), (false, true));
        contact.works(list);
        assert_eq!(waits(), (false, true), "it is read now");
        tokio::time::advance(READ_WITHIN).await;
        assert_eq!(waits(), (false, false));
        assert_eq!(contact.lists()[place(Entity::Campaigns)].waits, 1);
    }
}
