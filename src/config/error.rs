//! A wrong configuration: where, which key, and what to do.

use std::path::PathBuf;

/// Errors of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nobody said what to work with.
    #[error("there is no classy-sync.toml here ({})", folder.display())]
    Nothing {
        /// Where one was looked for.
        folder: PathBuf,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file that cannot be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder of the organizations' files cannot be read.
    #[error("the organizations' folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
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
    #[error("{place}: unknown key {key}")]
    UnknownKey {
        /// File, or environment variable.
        place: String,
        /// The whole path of the key, or where it is when it may be a secret in the wrong place.
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
    /// Several files for one organization.
    #[error("{} describe the same organization, {classy_id}", listed(files))]
    Twice {
        /// Classy's id.
        classy_id: i64,
        /// Two or more.
        files: Vec<PathBuf>,
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
            ConfigError::Nothing { .. } => false,
            ConfigError::File { path, .. } => path == file,
            // Nothing is known about any file in it.
            ConfigError::Folder { path, .. } => file.parent() == Some(path),
            ConfigError::Twice { files, .. } => files.iter().any(|one| one == file),
            ConfigError::Syntax { place, .. }
            | ConfigError::UnknownKey { place, .. }
            | ConfigError::Value { place, .. }
            | ConfigError::Secret { place, .. } => *place == file.display().to_string(),
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Nothing { .. } => Some(
                "go to the folder that has one, name it with `--config FILE`, or let `classy-sync init` write a first one (`classy-sync demo` \
                 shows everything without)"
                    .to_owned(),
            ),
            ConfigError::UnknownKey { near: Some(near), .. } => {
                Some(format!("did you mean '{near}'? `classy-sync config reference` lists every key"))
            }
            ConfigError::UnknownKey { .. } | ConfigError::Value { .. } => {
                Some("`classy-sync config reference` lists every key with its default".to_owned())
            }
            ConfigError::File { .. } => {
                Some("check the path and who may read it; `classy-sync init` writes a first configuration".to_owned())
            }
            ConfigError::Folder { .. } => {
                Some("`organizations.dir` names it; `classy-sync org add` makes the folder with a first organization in it".to_owned())
            }
            ConfigError::Twice { .. } => Some("keep one of these files".to_owned()),
            ConfigError::Secret { .. } => {
                Some("set the variable or write the file; a secret that is sealed already may be left out".to_owned())
            }
            ConfigError::Syntax { .. } => Some(
                "often a quote or a bracket is missing in that line; the line itself is not shown, since it may hold a secret".to_owned(),
            ),
        }
    }
}

fn listed(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(" and ")
}
