//! The verdict, published as one value that anybody may read at any time.

use super::check::Finding;
use super::facts::Facts;
use crate::domain::{Health, Time};
use crate::store::AlertRow;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Everything that is known of how well it is.
#[derive(Debug, Clone)]
pub struct HealthReport {
    /// When it was looked.
    pub at: Time,
    /// How long ago that is, by a clock that nobody sets.
    looked: Instant,
    /// How often one looks.
    pub every: Duration,
    /// What was looked at; absent before the first look.
    pub facts: Option<Facts>,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// The worst of them: asked for far more often than one looks.
    found: Health,
    /// Places in `findings`, by whom they are about.
    by: HashMap<Option<i64>, Vec<usize>>,
    /// Open alerts.
    pub alerts: Vec<AlertRow>,
    /// Which look this is.
    pub number: u64,
}

impl HealthReport {
    /// Before the first look.
    pub fn unknown(at: Time, every: Duration) -> HealthReport {
        HealthReport {
            at,
            looked: Instant::now(),
            every,
            facts: None,
            findings: Vec::new(),
            found: Health::Ok,
            by: HashMap::new(),
            alerts: Vec::new(),
            number: 0,
        }
    }

    /// A look at its end.
    pub fn new(facts: Facts, every: Duration, findings: Vec<Finding>, number: u64) -> HealthReport {
        let mut by: HashMap<Option<i64>, Vec<usize>> = HashMap::new();
        for (place, finding) in findings.iter().enumerate() {
            by.entry(finding.classy_id).or_default().push(place);
        }
        let found = findings
            .iter()
            .map(Finding::verdict)
            .max()
            .unwrap_or(Health::Ok);
        HealthReport {
            at: facts.at,
            looked: Instant::now(),
            every,
            facts: Some(facts),
            findings,
            found,
            by,
            alerts: Vec::new(),
            number,
        }
    }

    /// The whole: the worst of what was found. A look that is overdue vouches for nothing.
    pub fn verdict(&self) -> Health {
        if self.stale().is_some() {
            return Health::Failing;
        }
        self.found
    }

    /// One organization: the worst of what was found about it.
    pub fn verdict_of(&self, classy_id: i64) -> Health {
        self.of(Some(classy_id))
            .map(Finding::verdict)
            .max()
            .unwrap_or(Health::Ok)
    }

    /// What was found about one organization, or about the process.
    pub fn of(&self, classy_id: Option<i64>) -> impl Iterator<Item = &Finding> {
        let places = self
            .by
            .get(&classy_id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        places.iter().filter_map(|place| self.findings.get(*place))
    }

    /// What is not as it should be, the worst first, and of what has one cause the cause alone.
    pub fn worst(&self) -> Vec<&Finding> {
        let mut worst: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| finding.is_cause())
            .collect();
        worst.sort_by_key(|finding| std::cmp::Reverse(finding.verdict()));
        worst
    }

    /// How long the next look is overdue; none while it is in time.
    pub fn stale(&self) -> Option<Duration> {
        let age = self.looked.elapsed();
        (age > 3 * self.every).then_some(age)
    }
}
