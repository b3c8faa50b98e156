//! The organizations' files, with the tables of their plugins checked: each by itself, and against each other.

use super::{REGISTRY, kind};
use crate::config::{self, ConfigError, OrganizationFile, nearest};
use crate::plugin::PluginError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads every file of the folder; a wrong one is an error of its own. Two that deliver to one place are both wrong: neither may
/// change what is the other's.
pub fn load_organizations(dir: &Path) -> Vec<Result<OrganizationFile, ConfigError>> {
    let mut places: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
    let files: Vec<_> = config::load_organizations(dir)
        .into_iter()
        .map(|file| {
            let file = file?;
            for place in check(&file)? {
                places.entry(place).or_default().push(file.path.clone());
            }
            Ok(file)
        })
        .collect();
    let shared = |file: &OrganizationFile| {
        places.iter().find_map(|((plugin, place), paths)| {
            let other = paths.iter().find(|path| **path != file.path)?;
            paths.contains(&file.path).then(|| ConfigError::Value {
                place: file.path.display().to_string(),
                key: format!("plugins.{plugin}"),
                cause: format!("{} delivers to {place}, too; a place belongs to one organization", other.display()),
            })
        })
    };
    files.into_iter().map(|file| file.and_then(|file| shared(&file).map_or(Ok(file), Err))).collect()
}

/// The places that belong to this organization alone.
fn check(file: &OrganizationFile) -> Result<Vec<(String, String)>, ConfigError> {
    let place = file.path.display().to_string();
    let mut places = Vec::new();
    for (name, value) in &file.plugins {
        let key = format!("plugins.{name}");
        let Some(kind) = kind(name) else {
            let near = nearest(name, REGISTRY.iter().map(|kind| kind.name)).map(|near| format!("plugins.{near}"));
            return Err(ConfigError::UnknownKey { place, near, key });
        };
        let Some(table) = value.as_table() else {
            return Err(ConfigError::Value { place, key, cause: "expected a table".to_owned() });
        };
        let destination = (kind.check)(table).map_err(|error| match error {
            PluginError::Configuration { key, cause } => ConfigError::Value { place: place.clone(), key, cause },
            other => ConfigError::Value { place: place.clone(), key, cause: other.to_string() },
        })?;
        if kind.exclusive {
            places.push((name.clone(), destination));
        }
    }
    Ok(places)
}
