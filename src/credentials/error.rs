//! What can go wrong between file, database and vault.

use crate::domain::{Fault, FaultKind};
use crate::{classy, config, store, vault};

/// Errors of one organization's credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The file.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The settings do not make a client.
    #[error(transparent)]
    Classy(#[from] classy::Error),
    /// Neither the file nor the database has credentials.
    #[error("organization {classy_id} has no credentials")]
    None {
        /// Classy's id.
        classy_id: i64,
    },
    /// A person removed it, which no file takes back.
    #[error("organization {classy_id} was removed, and the credentials in its file are not taken")]
    Removed {
        /// Classy's id.
        classy_id: i64,
    },
    /// There is no file, so nobody says how to reach the API.
    #[error("organization {classy_id} has no file")]
    NoFile {
        /// Classy's id.
        classy_id: i64,
    },
    /// Sealed with keys that are not here.
    #[error("the vault lacks keys: {missing}; it has only {present}")]
    KeysMissing {
        /// Which key, and which organizations it sealed.
        missing: String,
        /// The keys that are here.
        present: String,
    },
    /// There is no key, and something is sealed.
    #[error("the vault's key is lost: {} is not there, and credentials are sealed with {missing}", path.display())]
    KeyFileLost {
        /// Where the keys should be.
        path: std::path::PathBuf,
        /// Which key, and which organizations it sealed.
        missing: String,
    },
    /// There is a key of that name, and it is another one.
    #[error("a key here is another than the one that sealed, though it has the same name: {wrong}")]
    KeysWrong {
        /// Which key, and which organizations do not open with it.
        wrong: String,
    },
}

impl Error {
    /// As it is told.
    pub fn fault(&self) -> Fault {
        let kind = match self {
            Error::Store(error) => error.kind(),
            Error::Classy(error) => error.kind(),
            Error::Vault(_)
            | Error::Config(_)
            | Error::None { .. }
            | Error::Removed { .. }
            | Error::NoFile { .. }
            | Error::KeysMissing { .. }
            | Error::KeyFileLost { .. }
            | Error::KeysWrong { .. } => FaultKind::Configuration,
        };
        Fault {
            kind,
            text: self.to_string(),
            hint: self.hint(),
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Store(error) => error.hint(),
            Error::Vault(error) => error.hint(),
            Error::Config(error) => error.hint(),
            Error::Classy(error) => error.hint().map(str::to_owned),
            Error::None { classy_id } => {
                Some(format!("`classy-sync org set-credentials {classy_id}`, or client_id and client_secret in its file"))
            }
            Error::Removed { classy_id } => Some(format!(
                "delete its file; or `classy-sync org resume {classy_id}` has it synced again by what its file says"
            )),
            Error::NoFile { classy_id } => Some(format!("`classy-sync org add --id {classy_id}` writes one")),
            Error::KeyFileLost { .. } => Some(
                "put the key file back from its copy. Without a copy: `classy-sync keys generate --write`, then `classy-sync org \
                 set-credentials ID` for each organization; all other data is as it was"
                    .to_owned(),
            ),
            Error::KeysWrong { .. } => Some(
                "put the right line back into the key file in place of that one, or give the credentials anew: `classy-sync org \
                 set-credentials ID`"
                    .to_owned(),
            ),
            Error::KeysMissing { .. } => Some("put the lines of those keys back into the key file, below the current one".to_owned()),
        }
    }
}
