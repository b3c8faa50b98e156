//! What a check found.

use std::fmt;
use std::str::FromStr;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// As it should be.
    Ok,
    /// It goes on, and somebody should look.
    Degraded,
    /// It does not do what it is there for.
    Failing,
}

impl Health {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Degraded => "degraded",
            Health::Failing => "failing",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Health {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Health::Ok, Health::Degraded, Health::Failing];
        all.into_iter()
            .find(|health| health.as_str() == text)
            .ok_or_else(|| format!("no such health: '{text}'"))
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// How well it is.
    pub health: Health,
    /// Why, in a sentence without secrets and without anything of a donor; may be empty when all is
    /// well.
    pub reason: String,
}

impl CheckResult {
    /// All is well.
    pub const fn ok() -> CheckResult {
        CheckResult {
            health: Health::Ok,
            reason: String::new(),
        }
    }

    /// All is well, and how.
    pub fn well(reason: impl Into<String>) -> CheckResult {
        CheckResult {
            health: Health::Ok,
            reason: reason.into(),
        }
    }

    /// Somebody should look.
    pub fn degraded(reason: impl Into<String>) -> CheckResult {
        CheckResult {
            health: Health::Degraded,
            reason: reason.into(),
        }
    }

    /// It does not do what it is there for.
    pub fn failing(reason: impl Into<String>) -> CheckResult {
        CheckResult {
            health: Health::Failing,
            reason: reason.into(),
        }
    }
}
