//! What kind of failure it was: as exit codes, reports and alerts tell it.

use std::fmt;
use std::str::FromStr;

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Something that should not happen.
    Bug,
    /// It was done, but not for every record or feed.
    Partial,
    /// The database.
    Database,
    /// The remote side refused or is out of reach.
    Remote,
    /// Another process is at work.
    Busy,
    /// The credentials were refused.
    Credentials,
    /// The configuration.
    Configuration,
}

impl FaultKind {
    const ALL: [FaultKind; 7] = [
        FaultKind::Bug,
        FaultKind::Partial,
        FaultKind::Database,
        FaultKind::Remote,
        FaultKind::Busy,
        FaultKind::Credentials,
        FaultKind::Configuration,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultKind::Bug => "bug",
            FaultKind::Partial => "partial",
            FaultKind::Database => "database",
            FaultKind::Remote => "remote",
            FaultKind::Busy => "busy",
            FaultKind::Credentials => "credentials",
            FaultKind::Configuration => "configuration",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FaultKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("no such kind of failure: '{text}'"))
    }
}

/// A failure as it is told to people and programs; carries no secret and nothing of a donor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// What happened.
    pub text: String,
    /// What a person can do.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
