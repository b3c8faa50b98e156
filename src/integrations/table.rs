//! A plugin's table, read strictly.

use super::keys;
use crate::config::{misspelt, reason};
use crate::plugin::PluginError;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Reads a plugin's table into its own type; an unknown key is an error, and every error names its
/// key, or where it is. No error quotes a value or a key that nobody knows, since either may be a
/// secret in the wrong place.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn read<T: DeserializeOwned>(plugin: &str, table: &toml::Table) -> Result<T, PluginError> {
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let tracked =
        serde_path_to_error::Deserializer::new(toml::Value::Table(table.clone()), &mut track);
    let result: Result<T, _> = serde_ignored::deserialize(tracked, |key| {
        unknown.get_or_insert(key.to_string());
    });
    let path = track.path().to_string();
    let place = if path == "." {
        format!("plugins.{plugin}")
    } else {
        format!("plugins.{plugin}.{path}")
    };
    let value = result.map_err(|error| PluginError::Configuration {
        key: place,
        cause: reason(error.message()),
    })?;
    match unknown {
        Some(key) => {
            let known = keys::of::<T>();
            Err(match misspelt(&key, known.iter().copied()) {
                Some(near) => PluginError::Configuration {
                    key: format!("plugins.{plugin}.{key}"),
                    cause: format!("there is no such key; did you mean '{near}'?"),
                },
                None => PluginError::Configuration {
                    key: format!("plugins.{plugin}"),
                    cause: format!("it has a key that is none; there are {}", known.join(", ")),
                },
            })
        }
        None => Ok(value),
    }
}

/// The first eight bytes of a SHA-256: tells whether a picture of somebody is still the same.
pub fn fingerprint(bytes: &[u8]) -> i64 {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
