//! Where the configuration lets this program read and write: files that must be apart, and files
//! that others should not open.

use super::{Config, ConfigError};
use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};

impl Config {
    /// No file that is written is another one, too.
    pub(super) fn require_apart(&self, place: &str) -> Result<(), ConfigError> {
        self.require_log_apart(place)?;
        let pid_file = &self.daemon.pid_file;
        let written = [
            ("daemon.pid_file", "daemon.pid_file", pid_file.clone()),
            (
                "daemon.pid_file",
                "the control socket beside it",
                pid_file.with_extension("sock"),
            ),
            (
                "vault.key_file",
                "vault.key_file",
                self.vault.key_file.clone(),
            ),
        ];
        let database = self.database_file();
        for (key, what, path) in written.iter().filter(|one| !one.2.as_os_str().is_empty()) {
            let others = [
                ("the configuration", Some(&self.file)),
                ("the database", database.as_ref()),
                (
                    "vault.key_file",
                    Some(&self.vault.key_file).filter(|_| *key != "vault.key_file"),
                ),
            ];
            let other = others
                .iter()
                .find(|(_, other)| other.is_some_and(|other| compared(other) == compared(path)));
            if let Some((other, _)) = other {
                return Err(ConfigError::Value {
                    place: place.to_owned(),
                    key: (*key).to_owned(),
                    cause: format!("expected a file of its own: {what} is {other}"),
                });
            }
        }
        Ok(())
    }

    /// SQLite's file.
    fn database_file(&self) -> Option<PathBuf> {
        let rest = self.database.url.expose_secret().strip_prefix("sqlite:")?;
        let file = rest.trim_start_matches("//").split('?').next()?;
        Some(PathBuf::from(file))
    }

    /// The log's files lie beside its name, so that name may not be another file's.
    fn require_log_apart(&self, place: &str) -> Result<(), ConfigError> {
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
        let database = self.database_file();
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
