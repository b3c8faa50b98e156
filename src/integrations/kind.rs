//! What the program knows of a plugin before there is one.

use crate::plugin::{Hooks, Plugin, PluginError};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// A kind of plugin.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its table in an organization's file: `[plugins.NAME]`.
    pub name: &'static str,
    /// The keys of that table that are secrets: they are sealed, and reach the plugin apart from
    /// the table.
    pub secrets: &'static [&'static str],
    /// Checks a table by itself.
    pub check: fn(&toml::Table) -> Result<(), PluginError>,
    /// Checks the form of one of its secrets by itself.
    pub check_secret: fn(&str, &SecretString) -> Result<(), PluginError>,
    /// The place that would be delivered to, as it is stored and shown: nothing of it is secret.
    pub destination: fn(&Settings) -> Result<String, PluginError>,
    /// Whether a place may belong to one organization only.
    pub exclusive: bool,
    /// Makes a plugin. It is initialized before its first use.
    pub make: fn(Settings) -> Result<Box<dyn Plugin>, PluginError>,
    /// The webhooks of its other side, if it has some that can be set up.
    pub hooks: Option<MakeHooks>,
}

/// Makes what sets webhooks up.
pub type MakeHooks = fn(Settings) -> Result<Box<dyn Hooks>, PluginError>;

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
        f.debug_struct("Settings")
            .field("classy_id", &self.classy_id)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// A secret that the plugin cannot do without.
    ///
    /// # Errors
    /// [`PluginError::Configuration`] when there is none.
    pub fn secret(&self, plugin: &str, key: &str) -> Result<SecretString, PluginError> {
        self.secrets
            .get(key)
            .cloned()
            .ok_or_else(|| PluginError::Configuration {
                key: format!("plugins.{plugin}.{key}"),
                cause: "it is neither in the file nor sealed in the database".to_owned(),
            })
    }
}
