//! A wrong configuration: where, which key, and what to do.

use std::path::PathBuf;

/// Errors of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no TOML.
    #[error("{place}: not valid TOML: {cause}")]
    Syntax {
        /// File, or environment variable.
        place: String,
        /// Line and reason.
        cause: String,
    },
    /// A key that nothing reads.
    #[error("{place}: unknown key '{key}'")]
    UnknownKey {
        /// File, or environment variable.
        place: String,
        /// The whole path of the key.
        key: String,
        /// A known one that looks like it.
        near: Option<String>,
    },
    /// A value that does not fit its key.
    #[error("{place}: {key}: {cause}")]
    Value {
        /// File, or environment variable.
        place: String,
        /// The whole path of the key.
        key: String,
        /// What was expected.
        cause: String,
    },
    /// Two files for one organization.
    #[error("{} and {} both describe organization {classy_id}", first.display(), second.display())]
    Twice {
        /// Classy's id.
        classy_id: i64,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A secret that is not where it should be.
    #[error("{place}: {key}: {cause}")]
    Secret {
        /// File.
        place: String,
        /// The whole path of the key.
        key: String,
        /// Which variable or file is missing; never the value.
        cause: String,
    },
}

impl ConfigError {
    /// Whether this is what is wrong with a file.
    pub fn is_about(&self, file: &std::path::Path) -> bool {
        match self {
            ConfigError::File { path, .. } => path == file,
            ConfigError::Twice { first, second, .. } => first == file || second == file,
            ConfigError::Syntax { place, .. }
            | ConfigError::UnknownKey { place, .. }
            | ConfigError::Value { place, .. }
            | ConfigError::Secret { place, .. } => *place == file.display().to_string(),
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::UnknownKey { near: Some(near), .. } => {
                Some(format!("did you mean '{near}'? `classy-sync config reference` lists every key"))
            }
            ConfigError::UnknownKey { .. } | ConfigError::Value { .. } => {
                Some("`classy-sync config reference` lists every key with its default".to_owned())
            }
            ConfigError::File { .. } => {
                Some("check the path and who may read it; `classy-sync init` writes a first configuration".to_owned())
            }
            ConfigError::Twice { .. } => Some("remove one of the two files".to_owned()),
            ConfigError::Secret { .. } => {
                Some("set the variable or write the file; a secret that is sealed already may be left out".to_owned())
            }
            ConfigError::Syntax { .. } => None,
        }
    }
}
