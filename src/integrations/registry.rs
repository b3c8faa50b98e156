//! Every plugin there is, and how one is made for an organization.

use super::kind::{Kind, Settings};
use super::{mailchimp, webhook};
use crate::credentials::{self, Applied};
use crate::plugin::{Hooks, Plugin, PluginError};
use crate::vault::Vault;

/// Every plugin there is.
pub const REGISTRY: &[Kind] = &[mailchimp::KIND, webhook::KIND];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    REGISTRY.iter().find(|kind| kind.name == name)
}

/// Makes an organization's plugin from its file and its sealed secrets.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn make(vault: &Vault, applied: &Applied, name: &str) -> Result<Box<dyn Plugin>, PluginError> {
    let (kind, settings) = settings(vault, applied, name)?;
    (kind.make)(settings)
}

/// What sets the webhooks of a plugin's other side up; `None` of a kind that has none.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn hooks(
    vault: &Vault,
    applied: &Applied,
    name: &str,
) -> Result<Option<Box<dyn Hooks>>, PluginError> {
    let (kind, settings) = settings(vault, applied, name)?;
    kind.hooks.map(|make| make(settings)).transpose()
}

/// The place that an organization's plugin delivers to.
///
/// # Errors
/// [`PluginError::Configuration`].
pub fn destination(vault: &Vault, applied: &Applied, name: &str) -> Result<String, PluginError> {
    let (kind, settings) = settings(vault, applied, name)?;
    (kind.check)(&settings.table)?;
    (kind.destination)(&settings)
}

fn settings(
    vault: &Vault,
    applied: &Applied,
    name: &str,
) -> Result<(&'static Kind, Settings), PluginError> {
    let wrong = |cause: String| PluginError::Configuration {
        key: format!("plugins.{name}"),
        cause,
    };
    let kind = kind(name).ok_or_else(|| wrong("there is no such plugin".to_owned()))?;
    let table = applied
        .file
        .plugins
        .get(name)
        .and_then(toml::Value::as_table)
        .cloned();
    let table =
        table.ok_or_else(|| wrong("the organization's file does not name it".to_owned()))?;
    let credentials = credentials::open(vault, &applied.organization)
        .map_err(|error| wrong(error.to_string()))?;
    let secrets = credentials
        .map(|credentials| credentials.of_plugin(name))
        .unwrap_or_default();
    Ok((
        kind,
        Settings {
            classy_id: applied.organization.classy_id,
            table,
            secrets,
        },
    ))
}

/// The secret keys of a plugin's table; of an unknown plugin none.
pub fn secret_keys(name: &str) -> &'static [&'static str] {
    kind(name).map_or(&[], |kind| kind.secrets)
}
