//! One thing that can be wrong, and all of them in a row.

use super::facts::Facts;
use crate::domain::{CheckResult, Health};

/// One thing that can be wrong. It judges from the facts and waits for nobody.
pub trait HealthCheck: Send + Sync {
    /// Its name: in keys of alerts, labels of metrics, on pages.
    fn name(&self) -> &'static str;

    /// What it found: one entry for each thing it looked at, good ones too, so that an alert about it can end.
    fn look(&self, facts: &Facts) -> Vec<Finding>;
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
}

impl Finding {
    /// About the process.
    pub fn here(check: &'static str, subject: impl Into<String>, result: CheckResult) -> Finding {
        Finding { check, classy_id: None, subject: subject.into(), result }
    }

    /// About an organization.
    pub fn of(check: &'static str, classy_id: i64, subject: impl Into<String>, result: CheckResult) -> Finding {
        Finding { check, classy_id: Some(classy_id), subject: subject.into(), result }
    }

    /// How it is.
    pub const fn verdict(&self) -> Health {
        self.result.health
    }

    /// The cause, as alerts name it: one is open for each at most.
    pub fn key(&self) -> String {
        let key = if self.subject.is_empty() { self.check.to_owned() } else { format!("{}:{}", self.check, self.subject) };
        // It is a key in the database, and those are short there.
        key.chars().take(180).collect()
    }
}

/// Lets all checks look.
pub fn look(checks: &[Box<dyn HealthCheck>], facts: &Facts) -> Vec<Finding> {
    checks.iter().flat_map(|check| check.look(facts)).collect()
}
