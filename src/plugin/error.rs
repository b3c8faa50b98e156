//! Why a plugin could not do its work at all; what is wrong with a single person is a verdict, not an error.

use crate::domain::{Fault, FaultKind, Remedy};
use crate::store;

/// Why a delivery ended.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// Its configuration cannot work.
    #[error("{key}: {cause}")]
    Configuration {
        /// Path of the key below the organization's file.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The other side does not accept the credentials.
    #[error("{0}")]
    Refused(String),
    /// The other side cannot be reached, or asks us to wait; trying again later may help.
    #[error("{0}")]
    Unavailable(String),
    /// The other side answered what cannot be.
    #[error("{0}")]
    Unexpected(String),
    /// Something happened there that must never happen; nothing more is sent until a person has looked.
    #[error("{0}")]
    Alarm(String),
    /// Told to stop.
    #[error("it was told to stop")]
    Stopped,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl PluginError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            PluginError::Configuration { .. } | PluginError::Refused(_) | PluginError::Alarm(_) => Remedy::Suspend,
            PluginError::Unavailable(_) | PluginError::Unexpected(_) => Remedy::Retry { after: None },
            PluginError::Stopped => Remedy::Stop,
            PluginError::Store(error) => error.remedy(),
        }
    }

    /// For people.
    pub fn fault(&self) -> Fault {
        let (kind, hint) = match self {
            PluginError::Configuration { .. } => {
                (FaultKind::Configuration, Some("mend the organization's file, then `classy-sync reload`"))
            }
            PluginError::Refused(_) => {
                (FaultKind::Credentials, Some("put a valid key into the organization's file, then `classy-sync reload`"))
            }
            PluginError::Unavailable(_) => (FaultKind::Remote, Some("it is tried again by itself")),
            PluginError::Unexpected(_) | PluginError::Alarm(_) => (FaultKind::Remote, None),
            PluginError::Stopped => (FaultKind::Busy, None),
            PluginError::Store(error) => return Fault { kind: error.kind(), text: error.to_string(), hint: error.hint() },
        };
        Fault { kind, text: self.to_string(), hint: hint.map(str::to_owned) }
    }
}
