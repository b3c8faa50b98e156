//! One thing that can be wrong, and what is found about it.

use super::facts::Facts;
use crate::domain::{CheckResult, Health};

/// One thing that can be wrong. It judges from the facts and waits for nobody.
pub trait HealthCheck: Send + Sync {
    /// Its name: in keys of alerts, labels of metrics, on pages.
    fn name(&self) -> &'static str;

    /// What it found: one entry for each thing it looked at, good ones too, so that an alert about
    /// it can end.
    fn evaluate(&self, facts: &Facts) -> Vec<Finding>;
}

/// What alerts make of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// It is told by itself.
    Alone,
    /// Nothing was seen yet in this process: an alert of before is neither over nor confirmed.
    Unproven,
    /// It follows from something else of the same organization, which is told.
    Within,
    /// It is told once for several organizations.
    Shared,
}

/// What a check found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    /// Classy's id of the organization; absent for what concerns the process or the database.
    pub classy_id: Option<i64>,
    /// Which of several: a feed, a plugin, a place; may be empty.
    pub subject: String,
    /// How it is, and why.
    pub result: CheckResult,
    /// How it is told.
    pub telling: Telling,
}

impl Finding {
    /// About the process.
    pub fn here(check: &'static str, subject: impl Into<String>, result: CheckResult) -> Finding {
        Finding {
            check,
            classy_id: None,
            subject: subject.into(),
            result,
            telling: Telling::Alone,
        }
    }

    /// About an organization.
    pub fn of(
        check: &'static str,
        classy_id: i64,
        subject: impl Into<String>,
        result: CheckResult,
    ) -> Finding {
        Finding {
            check,
            classy_id: Some(classy_id),
            subject: subject.into(),
            result,
            telling: Telling::Alone,
        }
    }

    /// The same, of which nothing was seen yet.
    pub fn unproven(self) -> Finding {
        Finding {
            telling: Telling::Unproven,
            ..self
        }
    }

    /// Whether nothing was seen yet.
    pub fn is_unproven(&self) -> bool {
        self.telling == Telling::Unproven
    }

    /// Whether it is bad and told by itself.
    pub fn is_cause(&self) -> bool {
        self.verdict() != Health::Ok && self.telling == Telling::Alone
    }

    /// Whether it is bad and follows from something else that is told.
    pub fn is_consequence(&self) -> bool {
        self.verdict() != Health::Ok && !self.is_cause()
    }

    /// Whether it is bad and no mere consequence of something else that is found about the same
    /// organization.
    pub fn is_reason(&self) -> bool {
        self.verdict() != Health::Ok && self.telling != Telling::Within
    }

    /// How it is.
    pub const fn verdict(&self) -> Health {
        self.result.health
    }

    /// The cause, as alerts name it: one is open for each at most.
    pub fn key(&self) -> String {
        let key = if self.subject.is_empty() {
            self.check.to_owned()
        } else {
            format!("{}:{}", self.check, self.subject)
        };
        // It is a key in the database, and those are short there.
        key.chars().take(180).collect()
    }
}
