//! A secret in a configuration: itself, the name of an environment variable, or a file.

use super::ConfigError;
use crate::domain::keep_secret;
use crate::files;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A secret is smaller.
const MOST_BYTES: u64 = 64 * 1_024;

/// Where a secret is, or the secret.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Spelled")]
pub enum Secret {
    /// Written down.
    Plain(SecretString),
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
}

/// The spellings: a text, `{ env = "NAME" }` or `{ file = "PATH" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Spelled {
    Plain(SecretString),
    Place(Place),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    env: Option<String>,
    file: Option<PathBuf>,
}

impl TryFrom<Spelled> for Secret {
    type Error = String;

    fn try_from(spelled: Spelled) -> Result<Self, Self::Error> {
        match spelled {
            Spelled::Plain(secret) => Ok(Secret::Plain(secret)),
            Spelled::Place(Place {
                env: Some(name),
                file: None,
            }) => Ok(Secret::Env(name)),
            Spelled::Place(Place {
                env: None,
                file: Some(path),
            }) => Ok(Secret::File(path)),
            Spelled::Place(_) => {
                Err("expected a text, { env = \"NAME\" } or { file = \"PATH\" }".to_owned())
            }
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Secret {
    /// Where it is; never what it is, also when that was written in the place of a name.
    pub fn describe(&self) -> String {
        match self {
            Secret::Plain(_) => "\"[hidden]\"".to_owned(),
            Secret::Env(name) => format!(
                "{{ env = \"{}\" }}",
                shown_variable(name).unwrap_or("[hidden]")
            ),
            Secret::File(path) if is_shown(path) => format!("{{ file = \"{}\" }}", path.display()),
            Secret::File(_) => "{ file = \"[hidden]\" }".to_owned(),
        }
    }

    /// Whether it is in an environment variable that is not set, or empty: as good as left out.
    pub fn is_unset(&self) -> bool {
        let is_empty = |value: std::ffi::OsString| {
            value
                .to_str()
                .is_some_and(|text| text.trim_matches(is_blank).is_empty())
        };
        matches!(self, Secret::Env(name) if variable(name).is_none_or(is_empty))
    }

    /// Gets it, without what editors and files of variables put around it. `place` and `key` say in
    /// an error where it was asked for.
    ///
    /// # Errors
    /// [`ConfigError::Secret`].
    pub fn resolve(&self, place: &Path, key: &str) -> Result<SecretString, ConfigError> {
        let wrong = |cause: String| ConfigError::Secret {
            place: place.display().to_string(),
            key: key.to_owned(),
            cause,
        };
        let (text, source) = match self {
            Secret::Plain(secret) => (secret.clone(), "its value".to_owned()),
            Secret::Env(name) => {
                let source = shown_variable(name).map_or_else(
                    || "the environment variable".to_owned(),
                    |name| format!("the environment variable {name}"),
                );
                let value = variable(name).ok_or_else(|| wrong(format!("{source} is not set")))?;
                let text = value
                    .into_string()
                    .map_err(|_| wrong(format!("{source} is not UTF-8 text")))?;
                (SecretString::from(text), source)
            }
            Secret::File(path) => {
                let whole = place
                    .parent()
                    .map_or_else(|| path.clone(), |folder| folder.join(path));
                let source = if is_shown(path) || whole.exists() {
                    whole.display().to_string()
                } else {
                    "the file (its name is not repeated: it may be the secret)".to_owned()
                };
                let text = files::read_text(&whole, MOST_BYTES)
                    .map_err(|error| wrong(format!("{source}: {error}")))?;
                (SecretString::from(text), source)
            }
        };
        let secret = clean_secret(text.expose_secret())
            .map_err(|cause| wrong(format!("{source} {cause}")))?;
        keep_secret(&secret);
        Ok(secret)
    }
}

/// A secret without what surrounds it: blanks, line ends, a byte order mark, a pair of quotes.
///
/// # Errors
/// Nothing is left, or something within it cannot belong to a secret; the text goes on after the
/// name of its source.
pub fn clean_secret(text: &str) -> Result<SecretString, &'static str> {
    let text = text.trim_matches(is_blank);
    let inner = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = inner.unwrap_or(text).trim_matches(is_blank);
    if text.is_empty() {
        return Err("is empty");
    }
    if text.chars().any(is_blank) {
        return Err("has a blank or a line break in the middle; a secret is one word");
    }
    if text.chars().any(char::is_control) {
        return Err("has an invisible character in it; copy the secret again");
    }
    Ok(SecretString::from(text))
}

/// White space, and what editors add that cannot be seen: a byte order mark, a space of no width.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}')
}

/// The name of a variable for people, if it is one. Anything else may be the secret itself, written
/// where its variable's name belongs.
pub fn shown_variable(name: &str) -> Option<&str> {
    let is_word = |word: &str| {
        word.len() <= 20
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let is_name = name.contains('_')
        && name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && name.split('_').all(is_word);
    is_name.then_some(name)
}

/// A path as secrets have them, for the same reason.
fn is_shown(path: &Path) -> bool {
    path.exists() || path.is_absolute() && path.parent().is_some_and(Path::exists)
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    // Asking for a name that cannot be one is an error of the caller in some versions of the
    // library.
    if name.is_empty() || name.contains(['=', '\0']) {
        None
    } else {
        std::env::var_os(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_secret_is_taken_off_and_what_is_within_is_named() {
        let clean = |text: &str| clean_secret(text).map(|secret| secret.expose_secret().to_owned());
        for text in [
            "abc",
            " abc ",
            "abc\n",
            "abc\r\n",
            "\u{feff}abc",
            "\"abc\"",
            "'abc'\n",
            "\tabc\u{200b}",
            "\"abc \" ",
        ] {
            assert_eq!(clean(text).as_deref(), Ok("abc"), "{text:?}");
        }
        assert_eq!(clean("a\"b'c").as_deref(), Ok("a\"b'c"));
        assert!(
            ["", " ", "\n", "\u{feff}", "\"\"", "' '"]
                .iter()
                .all(|text| clean(text) == Err("is empty"))
        );
        assert!(
            [
                "a b",
                "a\nb",
                "a\u{a0}b",
                "a\u{0}b",
                "a\u{1b}[31mb",
                "\0abc"
            ]
            .iter()
            .all(|text| clean(text).is_err())
        );
    }

    #[test]
    fn a_secret_in_the_place_of_a_name_is_not_shown() {
        let place = Path::new("/nowhere/file.toml");
        for secret in [
            Secret::Env("s3cr3tValue".to_owned()),
            Secret::Env("A=B".to_owned()),
            Secret::File(PathBuf::from("s3cr3tValue")),
            // It begins like a path, and no folder is there.
            Secret::File(PathBuf::from("/s3cr3tFolder/s3cr3tValue")),
        ] {
            let error = secret.resolve(place, "k").unwrap_err().to_string();
            let said = format!("{} {secret:?} {error}", secret.describe());
            assert!(!said.contains("s3cr3t") && !said.contains("A=B"), "{said}");
        }
        let named = Secret::Env("ACME_CLASSY_SECRET_THAT_IS_NOT_SET".to_owned())
            .resolve(place, "k")
            .unwrap_err()
            .to_string();
        assert!(
            named.contains("ACME_CLASSY_SECRET_THAT_IS_NOT_SET is not set"),
            "{named}"
        );
    }
}
