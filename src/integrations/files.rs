//! The organizations' files, with the tables of their plugins checked: each by itself, and against
//! each other.

use super::{REGISTRY, Settings, kind};
use crate::config::{
    self, ConfigError, OrganizationFile, Read, Secret, encoded_key, misspelt, plain_key,
};
use crate::plugin::PluginError;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Reads every file of the folder; a wrong one is an error of its own, the first of it.
pub fn load_organizations(dir: &Path) -> Vec<Result<OrganizationFile, ConfigError>> {
    let first = |faults: Vec<ConfigError>| faults.into_iter().next();
    read_organizations(dir)
        .into_iter()
        .filter_map(|file| file.map_or_else(|faults| first(faults).map(Err), |file| Some(Ok(file))))
        .collect()
}

/// The same with everything that is wrong. Two that deliver to one place are both wrong: neither
/// may change what is the other's.
pub fn read_organizations(dir: &Path) -> Vec<Read> {
    let mut places: BTreeMap<(String, String), Vec<PathBuf>> = BTreeMap::new();
    let files: Vec<Read> = config::load_organizations(dir)
        .into_iter()
        .map(|file| {
            let file = file?;
            let (delivers_to, faults) = check(&file);
            for place in delivers_to {
                places.entry(place).or_default().push(file.path.clone());
            }
            if faults.is_empty() {
                Ok(file)
            } else {
                Err(faults)
            }
        })
        .collect();
    let shared = |file: &OrganizationFile| {
        places.iter().find_map(|((plugin, place), paths)| {
            let other = paths.iter().find(|path| **path != file.path)?;
            paths.contains(&file.path).then(|| ConfigError::Value {
                place: file.path.display().to_string(),
                key: format!("plugins.{plugin}"),
                cause: format!(
                    "{} delivers to {place}, too; a place belongs to one organization",
                    other.display()
                ),
            })
        })
    };
    files
        .into_iter()
        .map(|file| file.and_then(|file| shared(&file).map_or(Ok(file), |fault| Err(vec![fault]))))
        .collect()
}

/// Everything that is wrong with the secrets that a file gives: they cannot be had, or have a form
/// that none of their kind has. The program goes on without such a one where it can (its feeds,
/// when a plugin's key is missing).
pub fn secret_faults(file: &OrganizationFile) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    let mut look =
        |key: &str, secret: &Secret, check: &dyn Fn(&SecretString) -> Result<(), String>| {
            // A variable that is not set is as good as left out: it may be sealed.
            if secret.is_unset() {
                return;
            }
            let place = || file.path.display().to_string();
            let resolved = secret.resolve(&file.path, key);
            faults.extend(match resolved.map(|secret| check(&secret)) {
                Ok(Ok(())) => None,
                Ok(Err(cause)) => Some(ConfigError::Secret {
                    place: place(),
                    key: key.to_owned(),
                    cause,
                }),
                Err(error) => Some(error),
            });
        };
    if let Some(secret) = &file.classy.client_secret {
        look("classy.client_secret", secret, &|_| Ok(()));
    }
    for (key, secret, check) in hooks(file) {
        if let Some(secret) = secret {
            look(key, secret, &|secret| {
                check(secret.expose_secret())
                    .map(drop)
                    .map_err(str::to_owned)
            });
        }
    }
    for (name, table) in &file.plugins {
        let Some(kind) = kind(name) else { continue };
        for key in kind.secrets {
            let secret = table
                .get(key)
                .and_then(|value| value.clone().try_into::<Secret>().ok());
            if let Some(secret) = secret {
                look(&format!("plugins.{name}.{key}"), &secret, &|secret| {
                    (kind.check_secret)(key, secret).map_err(|error| match error {
                        PluginError::Configuration { cause, .. } => cause,
                        other => other.to_string(),
                    })
                });
            }
        }
    }
    faults
}

/// Makes a key of a secret, or says what was expected.
type ReadKey = fn(&str) -> Result<Zeroizing<Vec<u8>>, &'static str>;

fn hooks(file: &OrganizationFile) -> [(&'static str, &Option<Secret>, ReadKey); 2] {
    [
        ("hooks.classy", &file.hooks.classy, encoded_key),
        ("hooks.mailchimp", &file.hooks.mailchimp, plain_key),
    ]
}

/// Secrets of hooks that would let anybody in. One that cannot be had is told when hooks are
/// opened.
fn check_hooks(file: &OrganizationFile) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    for (key, secret, check) in hooks(file) {
        let Some(secret) = secret.as_ref().filter(|secret| !secret.is_unset()) else {
            continue;
        };
        let wrong = |cause: &str| ConfigError::Secret {
            place: file.path.display().to_string(),
            key: key.to_owned(),
            cause: cause.to_owned(),
        };
        match secret.resolve(&file.path, key) {
            Ok(secret) => faults.extend(check(secret.expose_secret()).err().map(wrong)),
            Err(error) if matches!(secret, Secret::Plain(_)) => faults.push(error),
            Err(_) => {}
        }
    }
    faults
}

/// The places that belong to this organization alone, and what is wrong with hooks and plugins.
fn check(file: &OrganizationFile) -> (Vec<(String, String)>, Vec<ConfigError>) {
    let (mut places, mut faults) = (Vec::new(), check_hooks(file));
    for (name, value) in &file.plugins {
        match check_plugin(file, name, value) {
            Ok(place) => places.extend(place.map(|place| (name.clone(), place))),
            Err(error) => faults.push(error),
        }
    }
    (places, faults)
}

/// The place that belongs to this organization alone, if the plugin has such.
fn check_plugin(
    file: &OrganizationFile,
    name: &str,
    value: &toml::Value,
) -> Result<Option<String>, ConfigError> {
    let (place, key) = (file.path.display().to_string(), format!("plugins.{name}"));
    let Some(kind) = kind(name) else {
        // What is no plugin's name may be anything, a secret, too.
        let near = misspelt(name, REGISTRY.iter().map(|kind| kind.name))
            .map(|near| format!("plugins.{near}"));
        let key = if near.is_some() {
            format!("'{key}'")
        } else {
            "in [plugins]: it has no plugin of that name".to_owned()
        };
        return Err(ConfigError::UnknownKey { place, near, key });
    };
    let Some(table) = value.as_table() else {
        return Err(ConfigError::Value {
            place,
            key,
            cause: "expected a table".to_owned(),
        });
    };
    let failed = |error: PluginError| match error {
        PluginError::Configuration { key, cause } => ConfigError::Value {
            place: place.clone(),
            key,
            cause,
        },
        other => ConfigError::Value {
            place: place.clone(),
            key: key.clone(),
            cause: other.to_string(),
        },
    };
    (kind.check)(table).map_err(failed)?;
    if !kind.exclusive {
        return Ok(None);
    }
    let settings = Settings {
        classy_id: file.classy_id,
        table: table.clone(),
        secrets: BTreeMap::new(),
    };
    (kind.destination)(&settings).map(Some).map_err(failed)
}
