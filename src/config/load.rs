//! The main configuration: layers, types, bounds.

use super::{ConfigError, Secret};
use ::config::{File, FileFormat, Map, Source, Value};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is read when it is there and none is named.
const DEFAULT_FILE: &str = "classy-sync.toml";
const PREFIX: &str = "CLASSY_SYNC__";

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
    pub log: Log,
    pub daemon: Daemon,
    pub organizations: Organizations,
    /// The file it came from, or would have come from.
    #[serde(skip)]
    pub file: PathBuf,
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

/// One duration for each feed.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct PerEntity {
    #[serde(deserialize_with = "duration")]
    pub supporters: Duration,
    #[serde(deserialize_with = "duration")]
    pub campaigns: Duration,
    #[serde(deserialize_with = "duration")]
    pub transactions: Duration,
    #[serde(deserialize_with = "duration")]
    pub recurring_plans: Duration,
}

/// `[sync]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Sync {
    #[serde(deserialize_with = "duration")]
    pub supporters: Duration,
    #[serde(deserialize_with = "duration")]
    pub campaigns: Duration,
    #[serde(deserialize_with = "duration")]
    pub transactions: Duration,
    #[serde(deserialize_with = "duration")]
    pub recurring_plans: Duration,
    pub reconcile: PerEntity,
    #[serde(deserialize_with = "duration")]
    pub overlap: Duration,
    pub max_concurrent_runs: usize,
}

/// `[guard]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Guard {
    pub audience_share: f64,
    pub audience_min: u64,
    pub absent_share: f64,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Http {
    pub listen: std::net::SocketAddr,
    pub token: Secret,
}

/// `[alerts]`
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "config/default.toml documents every key")]
pub struct Alerts {
    pub webhook: Secret,
    pub dead_man: Secret,
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

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|_| serde::de::Error::custom("expected a duration such as \"15m\", \"90s\" or \"1d\""))
}

impl Config {
    /// Reads defaults, file and environment. Without a name the file is `classy-sync.toml` here, if there is one.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(named: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        let file = named.map_or_else(|| PathBuf::from(DEFAULT_FILE), Path::to_owned);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::File { path: file, source }),
        };
        let place = file.display().to_string();
        let known = known_keys();
        toml::from_str::<toml::Table>(&text)
            .map_err(|error| ConfigError::Syntax { place: place.clone(), cause: error.to_string().trim().to_owned() })
            .and_then(|table| super::flat_keys(&table).iter().try_for_each(|key| require_known(&known, key, &place)))?;
        let environment: Vec<(String, String)> = environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        for (name, _) in &environment {
            require_known(&known, &key_of(name), &format!("environment variable {name}"))?;
        }
        let built = ::config::Config::builder()
            .add_source(File::from_str(super::REFERENCE, FileFormat::Toml))
            .add_source(File::from_str(&text, FileFormat::Toml))
            .add_source(Environment(environment.clone()))
            .build()
            .map_err(|error| ConfigError::Syntax { place: place.clone(), cause: error.to_string() })?;
        let mut config: Config = serde_path_to_error::deserialize(built).map_err(|error| {
            let key = error.path().to_string();
            let variable = environment.iter().find(|(name, _)| key_of(name) == key);
            let place = variable.map_or_else(|| place.clone(), |(name, _)| format!("environment variable {name}"));
            ConfigError::Value { place, key, cause: error.into_inner().to_string() }
        })?;
        config.file = file;
        config.check(&place)?;
        config.anchor_paths();
        Ok(config)
    }

    fn check(&self, place: &str) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, cause: &str| Err(ConfigError::Value { place: place.to_owned(), key: key.to_owned(), cause: cause.to_owned() });
        if !(1..=1_000).contains(&self.database.max_connections) {
            return wrong("database.max_connections", "expected 1 to 1000");
        }
        if self.sync.max_concurrent_runs == 0 {
            return wrong("sync.max_concurrent_runs", "expected at least 1");
        }
        for (key, share) in [("guard.audience_share", self.guard.audience_share), ("guard.absent_share", self.guard.absent_share)] {
            if !(0.0..=1.0).contains(&share) {
                return wrong(key, "expected a share from 0 to 1");
            }
        }
        if !["error", "warn", "info", "debug", "trace"].contains(&self.log.level.as_str()) {
            return wrong("log.level", "expected error, warn, info, debug or trace");
        }
        Ok(())
    }

    /// Makes relative paths relative to the configuration file, the SQLite file too.
    fn anchor_paths(&mut self) {
        let folder = self.file.parent().map(Path::to_owned).unwrap_or_default();
        let paths = [&mut self.vault.key_file, &mut self.daemon.pid_file, &mut self.organizations.dir];
        for path in paths.into_iter().chain((!self.log.file.as_os_str().is_empty()).then_some(&mut self.log.file)) {
            *path = folder.join(&*path);
        }
        let url = self.database.url.expose_secret();
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if !path.starts_with('/') && !path.starts_with(':') && !path.is_empty() {
                self.database.url = format!("sqlite://{}", folder.join(path).display()).into();
            }
        }
    }
}

/// `CLASSY_SYNC__DATABASE__URL` is `database.url`.
fn key_of(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".")
}

/// Every key of the defaults; those with a table of their own by the table's name.
fn known_keys() -> BTreeSet<String> {
    let table: toml::Table = toml::from_str(super::REFERENCE).unwrap_or_default();
    super::flat_keys(&table).into_iter().collect()
}

fn require_known(known: &BTreeSet<String>, key: &str, place: &str) -> Result<(), ConfigError> {
    if known.contains(key) {
        return Ok(());
    }
    Err(ConfigError::UnknownKey {
        place: place.to_owned(),
        near: super::nearest(key, known.iter().map(String::as_str)),
        key: key.to_owned(),
    })
}

/// The environment as a source: texts that look like numbers are taken for numbers where one is expected.
#[derive(Debug, Clone)]
struct Environment(Vec<(String, String)>);

impl Source for Environment {
    fn clone_into_box(&self) -> Box<dyn Source + Send + core::marker::Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        let value = |(name, text): &(String, String)| (key_of(name), Value::new(Some(name), text.as_str()));
        Ok(self.0.iter().map(value).collect())
    }
}
