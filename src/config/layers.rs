//! The layers of the main configuration: the defaults that are compiled in, the file over them, the
//! environment over both.
//!
//! The `config` crate lays them over each other. What is wrong in a layer is found here before,
//! where its place is still known and can be told without what was written there.

use super::{ConfigError, reason};
use crate::entities::Entity;
use crate::entities::record::About;
use config::{Environment, File, FileFormat};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::sync::LazyLock;
use toml::{Table, Value};

/// Every key with its default and what it does.
pub fn reference() -> &'static str {
    static REFERENCE: LazyLock<String> = LazyLock::new(|| {
        let each = |default: fn(&About) -> &'static str| {
            Entity::ALL
                .map(|entity| format!("{entity} = \"{}\"\n", default(entity.about())))
                .concat()
        };
        include_str!("../../config/default.toml")
            .replace(EACH_CHANGES, &each(|about| about.changes))
            .replace(EACH_RECONCILE, &each(|about| about.reconcile))
    });
    &REFERENCE
}

/// Where the reference has a line for each kind of record.
const EACH_CHANGES: &str = "#: each kind of record: changes\n";
const EACH_RECONCILE: &str = "#: each kind of record: reconcile\n";

const PREFIX: &str = "CLASSY_SYNC";
const SEPARATOR: &str = "__";

/// Whether a path ends behind a key, or goes on below it.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// What each layer says. A key that the defaults lack is unknown.
pub(super) struct Layers {
    defaults: Table,
    known: BTreeSet<String>,
    file: Table,
    environment: HashMap<String, String>,
}

impl Layers {
    /// The defaults alone.
    pub(super) fn defaults() -> Layers {
        let defaults: Table = toml::from_str(reference()).unwrap_or_default();
        let known = super::flat_keys(&defaults).into_iter().collect();
        Layers {
            defaults,
            known,
            file: Table::new(),
            environment: HashMap::new(),
        }
    }

    /// All of them, the later over the earlier.
    pub(super) fn build(&self) -> Result<config::Config, config::ConfigError> {
        config::Config::builder()
            .add_source(File::from_str(&self.defaults.to_string(), FileFormat::Toml))
            .add_source(File::from_str(&self.file.to_string(), FileFormat::Toml))
            .add_source(
                Environment::with_prefix(PREFIX)
                    .separator(SEPARATOR)
                    .source(Some(self.environment.clone())),
            )
            .build()
    }

    /// Puts the default in the place of a value. Whether there was another one.
    pub(super) fn reset(&mut self, path: &str) -> bool {
        let is_it = |known: &&String| path.strip_prefix(known.as_str()).is_some_and(is_end);
        let Some(key) = self.known.iter().find(is_it).cloned() else {
            return false;
        };
        let of_file = remove(&mut self.file, &key);
        let before = self.environment.len();
        self.environment
            .retain(|name, _| key_of(name).as_ref() != Some(&key));
        put_back(&mut self.defaults, &key);
        of_file || self.environment.len() < before
    }

    /// Lays a file's text over what is there. Answers with everything that is wrong with its keys;
    /// those are left out.
    ///
    /// # Errors
    /// It is no TOML.
    pub(super) fn lay_file(
        &mut self,
        place: &str,
        text: &str,
    ) -> Result<Vec<ConfigError>, ConfigError> {
        let mut table: Table = toml::from_str(text)
            .map_err(|error| reason::syntax(place, text, error.span(), error.message()))?;
        let (mut leaves, mut wrong) = (Vec::new(), Vec::new());
        self.leaves(String::new(), table.clone(), &mut leaves);
        for key in leaves {
            if !self.known.contains(&key) {
                wrong.push(
                    match self
                        .known
                        .iter()
                        .any(|known| known.starts_with(&format!("{key}.")))
                    {
                        true => reason::value(place, text, &key, "expected a table"),
                        false => reason::unknown_key(
                            place,
                            text,
                            &key,
                            self.known.iter().map(String::as_str),
                        ),
                    },
                );
                remove(&mut table, &key);
                continue;
            }
            // Two tables would be merged: a secret's `{ file = ... }` over `{ env = ... }` would
            // say both.
            remove(&mut self.defaults, &key);
        }
        self.file = table;
        Ok(wrong)
    }

    /// Lays the environment over what is there; an empty variable counts as unset. Answers with the
    /// variable of each key, and with what is wrong.
    pub(super) fn lay_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> (BTreeMap<String, String>, Vec<ConfigError>) {
        let (mut variables, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, text) in environment {
            // A name that is no text is none of ours: ours are letters and underscores.
            let Some(name) = name.to_str() else { continue };
            let Some(key) = key_of(name) else { continue };
            let text = text.to_str();
            let text = text.map(|text| text.trim_matches(super::secret::is_blank));
            if text.is_some_and(str::is_empty) {
                continue;
            }
            if !self.known.contains(&key) {
                let known = self.known.iter().map(String::as_str);
                let error = reason::unknown_key(
                    &format!("environment variable {PREFIX}{SEPARATOR}..."),
                    "",
                    &key,
                    known,
                );
                wrong.push(match error {
                    ConfigError::UnknownKey {
                        near: Some(near),
                        key,
                        ..
                    } => ConfigError::UnknownKey {
                        place: format!("environment variable {name}"),
                        key,
                        near: Some(near),
                    },
                    other => other,
                });
                continue;
            }
            let Some(text) = text else {
                let (place, cause) = (
                    format!("environment variable {name}"),
                    "it is not UTF-8 text".to_owned(),
                );
                wrong.push(ConfigError::Value { place, key, cause });
                continue;
            };
            self.environment.insert(name.to_owned(), text.to_owned());
            variables.insert(key, name.to_owned());
        }
        (variables, wrong)
    }

    /// The dotted keys of a table. What is one value in the defaults (a secret's place, too) is one
    /// value here.
    fn leaves(&self, path: String, table: Table, found: &mut Vec<String>) {
        for (name, value) in table {
            let key = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            match value {
                Value::Table(inner) if !self.known.contains(&key) && !inner.is_empty() => {
                    self.leaves(key, inner, found)
                }
                // An empty table says nothing.
                Value::Table(inner)
                    if inner.is_empty()
                        && self
                            .known
                            .iter()
                            .any(|known| known.starts_with(&format!("{key}."))) => {}
                _ => found.push(key),
            }
        }
    }
}

/// The dotted key that a variable gives, if it is one of ours.
fn key_of(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(PREFIX)?.strip_prefix(SEPARATOR)?;
    Some(rest.to_ascii_lowercase().replace(SEPARATOR, "."))
}

/// Takes the value of a dotted key out. Whether it was there.
fn remove(table: &mut Table, key: &str) -> bool {
    match key.split_once('.') {
        None => table.remove(key).is_some(),
        Some((first, rest)) => table
            .get_mut(first)
            .and_then(Value::as_table_mut)
            .is_some_and(|inner| remove(inner, rest)),
    }
}

/// Puts the default of a dotted key back.
fn put_back(defaults: &mut Table, key: &str) {
    let whole: Table = toml::from_str(reference()).unwrap_or_default();
    let (mut from, mut to) = (&whole, defaults);
    let mut rest = key;
    while let Some((first, below)) = rest.split_once('.') {
        let (Some(Value::Table(inner)), Some(Value::Table(place))) =
            (from.get(first), to.get_mut(first))
        else {
            return;
        };
        (from, to, rest) = (inner, place, below);
    }
    if let Some(value) = from.get(rest) {
        to.insert(rest.to_owned(), value.clone());
    }
}

/// What an error of the crate says was expected; never the value, which its own text quotes.
pub(super) fn expected(error: config::ConfigError) -> String {
    match error {
        config::ConfigError::Type { expected, .. } => format!("expected {expected}"),
        config::ConfigError::At { error, .. } => expected(*error),
        config::ConfigError::Message(message) => message,
        _ => String::new(),
    }
}
