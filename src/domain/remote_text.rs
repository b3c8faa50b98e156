//! Texts of others, such as a service's reason for a refusal, made fit to be logged, stored and
//! shown.

use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::sync::{LazyLock, PoisonError, RwLock};

/// What this process was given in confidence, so that it is known again when somebody repeats it.
static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretString>,
    /// Of each; that two may have the same costs one of them its place, once in many lives.
    hashes: HashSet<u64>,
    hasher: std::hash::RandomState,
}

/// A shorter one would be found within ordinary words.
const SHORTEST: usize = 6;
/// The same of a piece of an address.
const SHORTEST_PIECE: usize = 10;

/// From now on this text is left out of whatever others say. Of an address, which holds a token in
/// its path, query or password, each part is.
pub fn keep_secret(secret: &SecretString) {
    let text = secret.expose_secret();
    let (server, path) = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .unwrap_or_default();
    let password = server
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .map(|(_, password)| password);
    // Short pieces of a path are words: `services`, `v1`.
    let pieces = path
        .split(['/', '?', '&', '=', '#'])
        .filter(|piece| piece.len() >= SHORTEST_PIECE);
    let parts: Vec<&str> = password.into_iter().chain(pieces).collect();
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for part in std::iter::once(text)
        .chain(parts)
        .filter(|part| part.len() >= SHORTEST)
    {
        let hash = std::hash::BuildHasher::hash_one(&known.hasher, part);
        if known.hashes.insert(hash) {
            known.secrets.push(SecretString::from(part));
        }
    }
}

/// Without what this process was given in confidence.
fn without_secrets(text: &str) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut plain = text.to_owned();
    // Whatever was changed in writing (letters of another size in a host's name) is the same
    // secret.
    let mut lower = text.to_ascii_lowercase();
    for secret in &known.secrets {
        let wanted = secret.expose_secret().to_ascii_lowercase();
        while let Some(place) = lower.find(&wanted) {
            plain.replace_range(place..place + wanted.len(), "(hidden)");
            lower.replace_range(place..place + wanted.len(), "(hidden)");
        }
    }
    plain
}

/// Characters that are kept.
const MOST: usize = 200;
/// A run of letters and digits this long is a key, not a word.
const KEY: usize = 16;

/// Without the secrets of this process, without addresses of people, without what looks like a key
/// (services repeat the one that they refuse), without characters that move a terminal's cursor or
/// turn the direction of a text, and not too long.
pub fn scrubbed(text: &str) -> String {
    let text = without_secrets(text);
    let words = text
        .split(|c: char| c.is_whitespace() || is_invisible(c))
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            word if word.contains('@') || word.contains("%40") => "(address)",
            word if has_key(word) => "(hidden)",
            word => word,
        });
    let mut plain = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = plain.char_indices().nth(MOST) {
        plain.truncate(end);
    }
    plain
}

/// Controls, and what turns or hides text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn has_key(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/')))
        .any(|run| {
            run.len() >= KEY
                && run.bytes().any(|byte| byte.is_ascii_digit())
                && run.bytes().any(|byte| byte.is_ascii_alphabetic())
        })
}

#[cfg(test)]
mod tests {
    use super::{keep_secret, scrubbed};

    #[test]
    fn what_was_given_in_confidence_is_left_out_whatever_it_looks_like() {
        keep_secret(&"correct-horse-battery".into());
        keep_secret(&"https://hooks.example/services/plain-words-token?key=other-words".into());
        keep_secret(&"a".into());
        for (text, wanted) in [
            ("no app (correct-horse-battery)", "no app ((hidden))"),
            ("at Correct-Horse-Battery.example", "at (hidden).example"),
            (
                "of /services/plain-words-token and other-words",
                "of /services/(hidden) and (hidden)",
            ),
            ("a word at hooks.example", "a word at hooks.example"),
        ] {
            assert_eq!(scrubbed(text), wanted);
        }
    }

    #[test]
    fn people_keys_and_escapes_are_left_out() {
        for (text, wanted) in [
            ("Ada.L@x.org, is  odd", "(address) is odd"),
            ("see /lists/1?email=ada%40x.org", "see (address)"),
            (
                "API Key 0123456789abcdef0123456789abcdef-us6 is invalid",
                "API Key (hidden) is invalid",
            ),
            ("key=\"kAnArY9f8e7D6c5b4A3\"", "(hidden)"),
            (
                "\u{1b}[2J\u{1b}]0;owned\u{7}Gone\r\nnow\u{202e}txt",
                "[2J ]0;owned Gone now txt",
            ),
            (
                "https://mailchimp.com/developer/marketing/docs/errors/",
                "https://mailchimp.com/developer/marketing/docs/errors/",
            ),
        ] {
            assert_eq!(scrubbed(text), wanted);
        }
        assert_eq!(scrubbed(&"é".repeat(500)).chars().count(), 200);
    }
}
