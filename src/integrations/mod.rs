//! The plugins that are shipped, and what must hold of their configuration.
//!
//! To add one: a module with a type that implements [`Plugin`], a [`Kind`] for it, and a line in [`REGISTRY`].

mod files;
pub mod mailchimp;
pub mod webhook;

pub use files::load_organizations;

use crate::credentials::{self, Applied};
use crate::plugin::{Plugin, PluginError};
use crate::vault::Vault;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Every plugin there is.
pub const REGISTRY: &[Kind] = &[mailchimp::KIND, webhook::KIND];

/// A kind of plugin.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its table in an organization's file: `[plugins.NAME]`.
    pub name: &'static str,
    /// The keys of that table that are secrets: they are sealed, and reach the plugin apart from the table.
    pub secrets: &'static [&'static str],
    /// Checks a table and answers with the place that it would deliver to.
    pub check: fn(&toml::Table) -> Result<String, PluginError>,
    /// Whether a place may belong to one organization only.
    pub exclusive: bool,
    /// Makes a plugin. It is initialized before its first use.
    pub make: fn(Settings) -> Result<Box<dyn Plugin>, PluginError>,
}

/// What a plugin is made from.
#[derive(Clone)]
pub struct Settings {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its table.
    pub table: toml::Table,
    /// Its secrets, by key.
    pub secrets: BTreeMap<String, SecretString>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("classy_id", &self.classy_id).finish_non_exhaustive()
    }
}

impl Settings {
    /// A secret that the plugin cannot do without.
    ///
    /// # Errors
    /// [`PluginError::Configuration`] when there is none.
    pub fn secret(&self, plugin: &str, key: &str) -> Result<SecretString, PluginError> {
        self.secrets.get(key).cloned().ok_or_else(|| PluginError::Configuration {
            key: format!("plugins.{plugin}.{key}"),
            cause: "it is neither in the file nor sealed in the database".to_owned(),
        })
    }
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    REGISTRY.iter().find(|kind| kind.name == name)
}

/// Makes an organization's plugin from its file and its sealed secrets.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn make(vault: &Vault, applied: &Applied, name: &str) -> Result<Box<dyn Plugin>, PluginError> {
    let wrong = |cause: String| PluginError::Configuration { key: format!("plugins.{name}"), cause };
    let kind = kind(name).ok_or_else(|| wrong("there is no such plugin".to_owned()))?;
    let table = applied.file.plugins.get(name).and_then(toml::Value::as_table).cloned();
    let table = table.ok_or_else(|| wrong("the organization's file does not name it".to_owned()))?;
    let credentials = credentials::open(vault, &applied.organization).map_err(|error| wrong(error.to_string()))?;
    let secrets = credentials.map(|credentials| credentials.of_plugin(name)).unwrap_or_default();
    (kind.make)(Settings { classy_id: applied.organization.classy_id, table, secrets })
}

/// The secret keys of a plugin's table; of an unknown plugin none.
pub fn secret_keys(name: &str) -> &'static [&'static str] {
    kind(name).map_or(&[], |kind| kind.secrets)
}

/// Reads a plugin's table into its own type; an unknown key is an error, and every error names its key.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn read<T: DeserializeOwned>(plugin: &str, table: &toml::Table) -> Result<T, PluginError> {
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(toml::Value::Table(table.clone()), &mut track);
    let result: Result<T, _> = serde_ignored::deserialize(tracked, |key| {
        unknown.get_or_insert(key.to_string());
    });
    let path = track.path().to_string();
    let place = if path == "." { format!("plugins.{plugin}") } else { format!("plugins.{plugin}.{path}") };
    // The reader's own text quotes the line, which may hold a secret.
    let value = result.map_err(|error| PluginError::Configuration { key: place, cause: error.message().trim().to_owned() })?;
    match unknown {
        Some(key) => Err(PluginError::Configuration { key: format!("plugins.{plugin}.{key}"), cause: "there is no such key".to_owned() }),
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
