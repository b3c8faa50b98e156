//! Browsers that showed the token. They are kept here and not in their cookies, so that a logout, a
//! restart, a new token and the end of their time end them wherever a copy of the cookie is.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds that a session lasts.
pub(super) const LASTS: i64 = 12 * 3_600;
/// So far our clock may have been ahead when a session began; one of further ahead is over.
const AHEAD: i64 = 3_600;
/// Sessions at once; whoever begins one more ends the oldest.
const MOST: usize = 1_000;

/// A SHA-256.
pub(super) type Sum = [u8; 32];

/// All sessions, by the digest of what their cookies hold: what is compared is never what somebody
/// sent.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Sum, Session>>,
}

#[derive(Debug)]
struct Session {
    until: i64,
    /// Of the token that was shown.
    token: Sum,
}

impl Sessions {
    /// Begins one for whoever showed the token of this digest; answers with what the cookie holds.
    pub(super) fn begin(&self, token: Sum, now: i64) -> String {
        let id: String = rand::random::<Sum>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut open = self.lock();
        open.retain(|_, session| now < session.until);
        if open.len() >= MOST {
            let oldest = open
                .iter()
                .min_by_key(|(_, session)| session.until)
                .map(|(id, _)| *id);
            oldest.and_then(|oldest| open.remove(&oldest));
        }
        open.insert(
            sum(&id),
            Session {
                until: now + LASTS,
                token,
            },
        );
        id
    }

    /// Whether it began with the token of this digest, which is still the one, and goes on.
    pub(super) fn is_open(&self, id: &str, token: &Sum, now: i64) -> bool {
        self.lock().get(&sum(id)).is_some_and(|session| {
            now < session.until && session.until - now <= LASTS + AHEAD && session.token == *token
        })
    }

    /// Ends one.
    pub(super) fn end(&self, id: &str) {
        self.lock().remove(&sum(id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sum, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sum(text: &str) -> Sum {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_at_its_time_at_logout_and_with_its_token() {
        let (sessions, token, other) = (Sessions::default(), [1; 32], [2; 32]);
        let id = sessions.begin(token, 1_000);
        assert!(sessions.is_open(&id, &token, 1_000 + LASTS - 1));
        assert!(!sessions.is_open(&id, &token, 1_000 + LASTS), "it is over");
        assert!(
            !sessions.is_open(&id, &other, 1_000),
            "the token was changed"
        );
        assert!(!sessions.is_open("", &token, 1_000) && !sessions.is_open(&id[1..], &token, 1_000));
        sessions.end(&id);
        assert!(!sessions.is_open(&id, &token, 1_000), "it was ended");
    }

    #[test]
    fn there_are_never_more_than_so_many_and_the_oldest_goes() {
        let (sessions, token) = (Sessions::default(), [1; 32]);
        let first = sessions.begin(token, 0);
        let others: Vec<String> = (1..=MOST as i64)
            .map(|now| sessions.begin(token, now))
            .collect();
        assert!(
            !sessions.is_open(&first, &token, 1)
                && others.iter().all(|id| sessions.is_open(id, &token, 1))
        );
        assert_eq!(sessions.lock().len(), MOST);
    }
}
