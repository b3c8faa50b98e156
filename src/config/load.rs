//! The main configuration: layers, types, bounds.

use super::duration::duration;
use super::layers::{self, Layers};
use super::{ConfigError, Secret, Sync, check_url, reason};
use crate::entities::Entity;
use crate::files;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The file that is read when it is there and none is named.
const DEFAULT_FILE: &str = "classy-sync.toml";
/// The one variable that makes a configuration by itself.
const DATABASE: &str = "CLASSY_SYNC__DATABASE__URL";
/// A configuration is smaller.
const MOST_BYTES: u64 = 1_024 * 1_024;

/// The whole configuration, checked; paths are absolute or relative to the current folder.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Config {
    pub database: Database,
    pub vault: Vault,
    pub sync: Sync,
    pub guard: Guard,
    pub http: Http,
    pub alerts: Alerts,
    pub retention: Retention,
    pub log: Log,
    pub daemon: Daemon,
    pub organizations: Organizations,
    /// The file it came from, or would have come from.
    #[serde(skip)]
    pub file: PathBuf,
    /// The variable of each key that the environment gives.
    #[serde(skip)]
    pub(super) variables: BTreeMap<String, String>,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Database {
    pub url: SecretString,
    pub max_connections: u32,
}

/// `[vault]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Vault {
    pub key_file: PathBuf,
    pub keys: SecretString,
}

/// `[guard]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Guard {
    pub audience_share: f64,
    pub audience_min: u64,
    pub first_push: FirstPush,
    pub additions_share: f64,
    pub additions_min: u64,
    pub daily_additions: u64,
    pub absent_share: f64,
}

/// What becomes of the first push into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstPush {
    /// It waits for a person.
    Ask,
    /// It is sent.
    Send,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Http {
    pub listen: std::net::SocketAddr,
    pub token: Secret,
    pub public_url: String,
    pub open_on_loopback: bool,
    pub metrics_per_organization: bool,
}

/// `[alerts]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Alerts {
    pub webhook: Secret,
    pub dead_man: Secret,
}

/// `[retention]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Retention {
    #[serde(deserialize_with = "duration")]
    pub runs_without_changes: Duration,
    #[serde(deserialize_with = "duration")]
    pub runs: Duration,
    #[serde(deserialize_with = "duration")]
    pub alerts: Duration,
    #[serde(deserialize_with = "duration")]
    pub harms: Duration,
    #[serde(deserialize_with = "duration")]
    pub before_images: Duration,
    #[serde(deserialize_with = "duration")]
    pub audit: Duration,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// JSON for programs.
    Bunyan,
    /// Text for people.
    Pretty,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
    pub file: PathBuf,
    pub keep: usize,
}

/// `[daemon]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Daemon {
    pub pid_file: PathBuf,
    #[serde(deserialize_with = "duration")]
    pub shutdown_timeout: Duration,
}

/// `[organizations]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Organizations {
    pub dir: PathBuf,
}

impl Config {
    /// Reads defaults, file and environment. Without a name the file is `classy-sync.toml` here; it
    /// may be missing only where the environment names the database.
    ///
    /// # Errors
    /// The first thing that is wrong; see [`ConfigError`].
    pub fn load(
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Config, ConfigError> {
        let (config, faults) = Config::read(named, environment)?;
        faults.into_iter().next().map_or(Ok(config), Err)
    }

    /// The same with everything that is wrong; in the place of each wrong value is its default.
    ///
    /// # Errors
    /// No file that could be read as a configuration.
    pub fn read(
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(Config, Vec<ConfigError>), ConfigError> {
        let environment: Vec<(OsString, OsString)> = environment.into_iter().collect();
        let file = named.map_or_else(|| PathBuf::from(DEFAULT_FILE), Path::to_owned);
        let text = match files::read_text(&file, MOST_BYTES) {
            Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                // Defaults alone would make a database wherever somebody happens to stand. Who
                // configures by the environment says where the database is.
                if !environment.iter().any(|(name, text)| {
                    name == DATABASE && !text.to_string_lossy().trim().is_empty()
                }) {
                    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
                    return Err(ConfigError::Nothing { folder });
                }
                String::new()
            }
            Err(source) => return Err(ConfigError::File { path: file, source }),
        };
        let place = file.display().to_string();
        let mut layers = Layers::defaults();
        let mut faults = layers.lay_file(&place, &text)?;
        let (variables, wrong) = layers.lay_environment(environment);
        faults.extend(wrong);
        let mut config: Config = loop {
            let built = layers
                .build()
                .map_err(|error| reason::value(&place, "", "", &layers::expected(error)))?;
            let error = match serde_path_to_error::deserialize(built) {
                Ok(config) => break config,
                Err(error) => error,
            };
            let key = error.path().to_string();
            let message = layers::expected(error.into_inner());
            let fault = match variables.get(&key) {
                Some(variable) => reason::value(
                    &format!("environment variable {variable}"),
                    "",
                    &key,
                    &message,
                ),
                None => reason::value(&place, &text, &key, &message),
            };
            // What is wrong behind it is found with the default in its place.
            if !layers.reset(&key) {
                return Err(fault);
            }
            faults.push(fault);
        };
        (config.file, config.variables) = (file, variables);
        faults.extend(config.take_key_for_path());
        faults.extend(config.bounds());
        config.anchor_paths();
        faults.extend(config.require_apart(&place).err());
        Ok((config, faults))
    }

    /// A key in the place of the path to one is a fault, and is nowhere shown as a path.
    fn take_key_for_path(&mut self) -> Option<ConfigError> {
        let (given, folder) = (self.vault.key_file.to_string_lossy(), self.file.parent());
        // Where its folder is there it is a path, however it is spelled.
        let has_folder = folder
            .map_or_else(
                || self.vault.key_file.clone(),
                |at| at.join(&self.vault.key_file),
            )
            .parent()
            .is_some_and(Path::is_dir);
        let is_key =
            super::keys::is_vault_key(&given) || !has_folder && super::keys::is_drawn(&given);
        if !is_key {
            return None;
        }
        self.vault.key_file = PathBuf::new();
        Some(self.wrong(
            "vault.key_file",
            "expected a path, and this looks like a key itself, which belongs into vault.keys",
        ))
    }

    /// Values of the right kind that are too small or too large.
    fn bounds(&self) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        let mut require = |is_good: bool, key: &str, cause: &str| {
            if !is_good {
                wrong.push(self.wrong(key, cause));
            }
        };
        require(
            (1..=1_000).contains(&self.database.max_connections),
            "database.max_connections",
            "expected 1 to 1000",
        );
        require(
            self.sync.max_concurrent_runs > 0,
            "sync.max_concurrent_runs",
            "expected at least 1",
        );
        for entity in Entity::ALL {
            for (of, every) in [
                ("", self.sync.changes.of(entity)),
                ("reconcile.", self.sync.reconcile.of(entity)),
            ] {
                require(
                    every >= Duration::from_secs(1),
                    &format!("sync.{of}{entity}"),
                    "expected at least 1s: Classy is asked each time",
                );
            }
        }
        let guard = &self.guard;
        for (key, share) in [
            ("guard.audience_share", guard.audience_share),
            ("guard.additions_share", guard.additions_share),
            ("guard.absent_share", guard.absent_share),
        ] {
            require(
                (0.0..=1.0).contains(&share),
                key,
                "expected a share from 0 to 1",
            );
        }
        const DAY: Duration = Duration::from_secs(86_400);
        let Retention {
            runs_without_changes,
            runs,
            alerts,
            harms,
            before_images,
            audit,
        } = self.retention;
        require(
            harms.is_zero() || harms >= 31 * DAY,
            "retention.harms",
            "expected at least 31d, since the guard looks back 30 days",
        );
        for (key, kept) in [
            ("retention.runs_without_changes", runs_without_changes),
            ("retention.runs", runs),
            ("retention.alerts", alerts),
            ("retention.before_images", before_images),
            ("retention.audit", audit),
        ] {
            require(
                kept.is_zero() || kept >= DAY,
                key,
                "expected at least 1d, or 0s to keep everything",
            );
        }
        let is_public = Url::parse(&self.http.public_url).is_ok_and(|url| check_url(&url).is_ok());
        let public_url = "expected an address such as https://sync.example.org, or nothing";
        require(
            self.http.public_url.is_empty() || is_public,
            "http.public_url",
            public_url,
        );
        let is_level =
            ["error", "warn", "info", "debug", "trace"].contains(&self.log.level.as_str());
        require(
            is_level,
            "log.level",
            "expected error, warn, info, debug or trace",
        );
        wrong
    }

    /// Makes relative paths relative to the configuration file, the SQLite file too. What is
    /// written does not belong below /etc, which services may only read: it goes where systemd
    /// makes folders for it.
    fn anchor_paths(&mut self) {
        let folder = self.file.parent().map(Path::to_owned).unwrap_or_default();
        let homes = super::homes::homes(&self.file)
            .unwrap_or_else(|| [folder.clone(), folder.clone(), folder.clone()]);
        let [data, run, logs] = homes;
        for (folder, path) in [
            (&folder, &mut self.vault.key_file),
            (&run, &mut self.daemon.pid_file),
            (&folder, &mut self.organizations.dir),
        ] {
            *path = folder.join(&*path);
        }
        if !self.log.file.as_os_str().is_empty() {
            self.log.file = logs.join(&self.log.file);
        }
        let url = self.database.url.expose_secret();
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if !path.starts_with('/') && !path.starts_with(':') && !path.is_empty() {
                self.database.url = format!("sqlite://{}", data.join(path).display()).into();
            }
        }
    }
}
