//! Where the configuration lets this program read and write: files that must be apart, and files
//! that others should not open.

use super::{Config, ConfigError};
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};

impl Config {
    /// The log's files lie beside its name, so that name may not be another file's.
    pub(super) fn require_log_apart(&self, place: &str) -> Result<(), ConfigError> {
        let log = &self.log.file;
        if log.as_os_str().is_empty() {
            return Ok(());
        }
        let wrong = |cause: String| {
            Err(ConfigError::Value {
                place: place.to_owned(),
                key: "log.file".to_owned(),
                cause,
            })
        };
        let is_name = log.file_name().is_some_and(|name| name.to_str().is_some())
            && !log.as_os_str().to_string_lossy().ends_with('/');
        if !is_name || log.is_dir() {
            return wrong("expected the name of a file".to_owned());
        }
        let database = self
            .database
            .url
            .expose_secret()
            .strip_prefix("sqlite:")
            .map(|rest| rest.trim_start_matches("//"));
        let database =
            database.map(|rest| PathBuf::from(rest.split('?').next().unwrap_or_default()));
        let others = [
            ("the configuration", Some(self.file.clone())),
            ("the database", database),
            ("vault.key_file", Some(self.vault.key_file.clone())),
            ("daemon.pid_file", Some(self.daemon.pid_file.clone())),
            (
                "the control socket",
                Some(self.daemon.pid_file.with_extension("sock")),
            ),
        ];
        match others.into_iter().find(|(_, other)| {
            other
                .as_ref()
                .is_some_and(|other| compared(other) == compared(log))
        }) {
            Some((what, _)) => wrong(format!("expected a file of its own: this is {what}")),
            None => Ok(()),
        }
    }

    /// Files of ours that hold what is private, besides the database's; those that are there.
    pub fn private_files(&self) -> Vec<PathBuf> {
        let Config {
            vault, daemon, log, ..
        } = self;
        let mut files = vec![
            daemon.pid_file.clone(),
            daemon.pid_file.with_extension("sock"),
        ];
        if vault.keys.expose_secret().is_empty() {
            files.push(vault.key_file.clone());
        }
        if let (Some(name), false) = (log.file.file_name(), log.file.as_os_str().is_empty()) {
            let start = format!("{}.", name.to_string_lossy());
            files.extend(inside(log.file.parent(), |name| name.starts_with(&start)));
        }
        files.retain(|file| file.exists());
        files
    }

    /// The files that a person writes.
    pub fn configuration_files(&self) -> Vec<PathBuf> {
        let mut files = inside(Some(&self.organizations.dir), |name| {
            name.ends_with(".toml") && !name.starts_with('.')
        });
        files.sort();
        files.insert(0, self.file.clone());
        files
    }
}

fn inside(folder: Option<&Path>, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let folder = folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(&wanted))
        .map(|entry| entry.path())
        .collect()
}

/// A path as it can be compared: its folder without links, as far as it is there.
fn compared(path: &Path) -> PathBuf {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.file_name()
        .map_or_else(|| folder.clone(), |name| folder.join(name))
}
