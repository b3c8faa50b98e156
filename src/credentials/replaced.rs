//! Credentials that a command replaced. Another machine may still have a file of before, and that is
//! no newer word of anybody: what is here is not taken from a file again.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many are remembered; whoever has an older file than that has long been told.
const MOST: usize = 16;

/// Of one organization, the newest last. It is kept inside the seal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced(Vec<Pair>);

/// A client id, and by which its secret is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pair {
    client_id: String,
    secret_digest: String,
}

impl Pair {
    fn of(client_id: &str, secret: &SecretString) -> Pair {
        Pair {
            client_id: client_id.to_owned(),
            secret_digest: digest(secret),
        }
    }
}

impl Replaced {
    /// A command says that these are in force and those are not any more.
    pub fn by(
        &mut self,
        new: (&str, &SecretString),
        old: impl IntoIterator<Item = (String, SecretString)>,
    ) {
        let new = Pair::of(new.0, new.1);
        let old = old
            .into_iter()
            .map(|(client_id, secret)| Pair::of(&client_id, &secret));
        for pair in old.collect::<Vec<_>>() {
            self.0.retain(|known| *known != pair);
            self.0.push(pair);
        }
        self.0.retain(|known| *known != new);
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }

    /// Whether a file's word is one of before: both as they were once, or the one of them that it
    /// has.
    pub(super) fn has(&self, client_id: Option<&str>, secret: Option<&SecretString>) -> bool {
        if client_id.is_none() && secret.is_none() {
            return false;
        }
        let secret = secret.map(digest);
        self.0.iter().any(|pair| {
            client_id.is_none_or(|id| id == pair.client_id)
                && secret
                    .as_ref()
                    .is_none_or(|digest| *digest == pair.secret_digest)
        })
    }
}

fn digest(secret: &SecretString) -> String {
    let digest = Sha256::digest(secret.expose_secret().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn what_a_command_replaced_is_known_again_until_a_command_takes_it_back() {
        let mut replaced = Replaced::default();
        let old = || ("a".to_owned(), secret("1"));
        replaced.by(("b", &secret("2")), [old()]);
        assert!(replaced.has(Some("a"), Some(&secret("1"))));
        assert!(replaced.has(None, Some(&secret("1"))));
        assert!(replaced.has(Some("a"), None));
        assert!(!replaced.has(None, None), "it says nothing of them");
        assert!(!replaced.has(Some("b"), Some(&secret("2"))));
        assert!(!replaced.has(Some("a"), Some(&secret("3"))), "a new word");
        replaced.by(("a", &secret("1")), [("b".to_owned(), secret("2"))]);
        assert!(!replaced.has(Some("a"), Some(&secret("1"))));
        assert!(replaced.has(Some("b"), Some(&secret("2"))));
    }

    #[test]
    fn it_does_not_grow() {
        let mut replaced = Replaced::default();
        for number in 0..3 * MOST {
            let old = ("a".to_owned(), secret(&number.to_string()));
            replaced.by(("a", &secret("new")), [old]);
        }
        assert_eq!(replaced.0.len(), MOST);
        assert!(replaced.has(Some("a"), Some(&secret(&(3 * MOST - 1).to_string()))));
    }
}
