//! How well something is, and why: the words that checks, plugins, pages and alerts share.

use std::fmt;
use std::str::FromStr;

/// How well something is. Ordered: the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Degraded,
    /// It does not work.
    Failing,
}

impl Verdict {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Degraded => "degraded",
            Verdict::Failing => "failing",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Verdict::Ok, Verdict::Degraded, Verdict::Failing];
        all.into_iter().find(|verdict| verdict.as_str() == text).ok_or_else(|| format!("no such verdict: '{text}'"))
    }
}

/// What a check found. The reason is one sentence for people; it carries no secret and nothing of a donor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// How well it is.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

impl CheckResult {
    /// As it should be.
    pub fn ok(reason: impl Into<String>) -> CheckResult {
        CheckResult { verdict: Verdict::Ok, reason: reason.into() }
    }

    /// Somebody should look.
    pub fn degraded(reason: impl Into<String>) -> CheckResult {
        CheckResult { verdict: Verdict::Degraded, reason: reason.into() }
    }

    /// It does not work.
    pub fn failing(reason: impl Into<String>) -> CheckResult {
        CheckResult { verdict: Verdict::Failing, reason: reason.into() }
    }
}
