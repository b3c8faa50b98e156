//! Why a plugin could not do its work at all; what is wrong with a single person is a verdict, not
//! an error.

use crate::domain::{Fault, FaultKind, Remedy, Time};
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
    /// The other side accepts the credentials and does nothing for now, for a reason that may pass:
    /// a plan that is full, an account that is suspended, a right that is lacking.
    #[error("{0}")]
    Blocked(String),
    /// The other side cannot be reached, or asks us to wait; trying again later may help.
    #[error("{0}")]
    Unavailable(String),
    /// The other side answered what cannot be.
    #[error("{0}")]
    Unexpected(String),
    /// Something happened there that must never happen; nothing more is sent until a person has
    /// looked.
    #[error("{0}")]
    Alarm(String),
    /// Something of that kind happened before, and nobody has looked since.
    #[error("suspended since {} until a person has looked, but for opt-outs: {reason}", .since.format("%Y-%m-%d %H:%M UTC"))]
    Suspended {
        /// When it happened.
        since: Time,
        /// What is wrong, in a sentence for people.
        reason: String,
    },
    /// Told to stop.
    #[error("it was told to stop")]
    Stopped,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl PluginError {
    /// Whether not even an opt-out can be passed on: a key that is refused carries nothing, and without
    /// the database, or while it stops, nobody knows of whom.
    pub(super) const fn stops_opt_outs(&self) -> bool {
        matches!(
            self,
            PluginError::Refused(_) | PluginError::Stopped | PluginError::Store(_)
        )
    }

    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            PluginError::Configuration { .. }
            | PluginError::Refused(_)
            | PluginError::Alarm(_)
            | PluginError::Suspended { .. } => Remedy::Suspend,
            PluginError::Blocked(_) | PluginError::Unavailable(_) | PluginError::Unexpected(_) => {
                Remedy::Retry { after: None }
            }
            PluginError::Stopped => Remedy::Stop,
            PluginError::Store(error) => error.remedy(),
        }
    }

    /// For people.
    pub fn fault(&self) -> Fault {
        let (kind, hint) = match self {
            PluginError::Configuration { .. } => (
                FaultKind::Configuration,
                Some("mend the organization's file, then `classy-sync reload`"),
            ),
            PluginError::Refused(_) => (
                FaultKind::Credentials,
                Some("put a valid key into the organization's file, then `classy-sync reload`"),
            ),
            PluginError::Blocked(_) => (
                FaultKind::Remote,
                Some(
                    "look at the account there: its plan, its standing, and what the key's user may do. It is tried again by itself, and at \
                     once by `classy-sync reload`; a new key is needed only if that user may not do this",
                ),
            ),
            PluginError::Unavailable(_) => (FaultKind::Remote, Some("it is tried again by itself")),
            PluginError::Unexpected(_) => (FaultKind::Remote, None),
            PluginError::Alarm(_) | PluginError::Suspended { .. } => (
                FaultKind::Remote,
                Some(
                    "find out why it happened (`classy-sync plugin audit`), then `classy-sync plugin resume --org ID --reason TEXT`",
                ),
            ),
            PluginError::Stopped => (FaultKind::Busy, None),
            PluginError::Store(error) => {
                return Fault {
                    kind: error.kind(),
                    text: error.to_string(),
                    hint: error.hint(),
                };
            }
        };
        Fault {
            kind,
            text: self.to_string(),
            hint: hint.map(str::to_owned),
        }
    }
}
