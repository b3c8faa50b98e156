//! Why nothing comes from a source at all, as far as that is known: the cause by which failures of
//! several feeds and of several organizations are told as one.

use super::Time;
use std::fmt;

/// The kinds that are told apart: each needs another remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TroubleKind {
    /// Nobody answers at that address.
    Unreachable,
    /// The other side cannot prove who it is.
    Untrusted,
    /// No whole answer comes in time.
    Silent,
    /// It answers that it cannot.
    Unavailable,
    /// Something in front of it turns us away.
    Blocked,
    /// It sends us elsewhere, where we do not go.
    Redirected,
    /// What it answers cannot be understood.
    Nonsense,
    /// It asks to wait.
    Limited,
}

impl TroubleKind {
    /// Its word, as keys of alerts have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TroubleKind::Unreachable => "unreachable",
            TroubleKind::Untrusted => "untrusted",
            TroubleKind::Silent => "silent",
            TroubleKind::Unavailable => "unavailable",
            TroubleKind::Blocked => "blocked",
            TroubleKind::Redirected => "redirected",
            TroubleKind::Nonsense => "nonsense",
            TroubleKind::Limited => "limited",
        }
    }

    /// Whether all who ask at the same address have it together. A rate limit is of one
    /// organization.
    pub const fn is_of_the_host(self) -> bool {
        !matches!(self, TroubleKind::Limited)
    }
}

/// Such a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind.
    pub kind: TroubleKind,
    /// Who was asked: name and port.
    pub host: String,
    /// In words.
    pub text: String,
    /// Since when nothing came.
    pub since: Time,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
