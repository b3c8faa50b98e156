//! A secret in a configuration: itself, the name of an environment variable, or a file.

use super::ConfigError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where a secret is, or the secret.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Spelled")]
pub enum Secret {
    /// Written down.
    Plain(SecretString),
    /// In this environment variable.
    Env(String),
    /// In this file, without its last line end.
    File(PathBuf),
}

/// The spellings: a text, `{ env = "NAME" }` or `{ file = "PATH" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Spelled {
    Plain(SecretString),
    Place { env: Option<String>, file: Option<PathBuf> },
}

impl TryFrom<Spelled> for Secret {
    type Error = String;

    fn try_from(spelled: Spelled) -> Result<Self, Self::Error> {
        match spelled {
            Spelled::Plain(secret) => Ok(Secret::Plain(secret)),
            Spelled::Place { env: Some(name), file: None } => Ok(Secret::Env(name)),
            // A file in the configuration lies over a variable in the defaults.
            Spelled::Place { file: Some(path), .. } => Ok(Secret::File(path)),
            Spelled::Place { .. } => Err("expected a text, { env = \"NAME\" } or { file = \"PATH\" }".to_owned()),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Secret {
    /// Where it is; never what it is.
    pub fn describe(&self) -> String {
        match self {
            Secret::Plain(_) => "\"[hidden]\"".to_owned(),
            Secret::Env(name) => format!("{{ env = \"{name}\" }}"),
            Secret::File(path) => format!("{{ file = \"{}\" }}", path.display()),
        }
    }

    /// Whether it is in an environment variable that is not set: as good as left out.
    pub fn is_unset(&self) -> bool {
        matches!(self, Secret::Env(name) if std::env::var_os(name).is_none())
    }

    /// Gets it. `place` and `key` say in an error where it was asked for.
    ///
    /// # Errors
    /// [`ConfigError::Secret`].
    pub fn resolve(&self, place: &Path, key: &str) -> Result<SecretString, ConfigError> {
        let missing = |cause: String| ConfigError::Secret { place: place.display().to_string(), key: key.to_owned(), cause };
        let secret = match self {
            Secret::Plain(secret) => secret.clone(),
            Secret::Env(name) => {
                std::env::var(name).map(SecretString::from).map_err(|_| missing(format!("the environment variable {name} is not set")))?
            }
            Secret::File(path) => {
                let path = place.parent().map_or_else(|| path.clone(), |folder| folder.join(path));
                let text = std::fs::read_to_string(&path).map_err(|error| missing(format!("{}: {error}", path.display())))?;
                SecretString::from(text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r').to_owned())
            }
        };
        if secret.expose_secret().is_empty() {
            return Err(missing("it is empty".to_owned()));
        }
        Ok(secret)
    }
}
