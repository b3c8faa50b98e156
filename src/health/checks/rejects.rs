//! Whether records are turned away. A few old ones are shown and forgiven; new ones and records of
//! other organizations are not.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Rejects;

impl HealthCheck for Rejects {
    fn name(&self) -> &'static str {
        "rejects"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        facts
            .served()
            .map(|organization| {
                let (open, recent, foreign) = organization.rejects;
                let result = match (open, recent, foreign) {
                    (0, ..) => CheckResult::well("none"),
                    (_, _, 1..) => CheckResult::degraded(format!(
                        "records that name another organization: {foreign}; see the rejects"
                    )),
                    (_, 1.., _) => CheckResult::degraded(format!(
                        "records turned away in the last day: {recent} ({open} in all)"
                    )),
                    _ => CheckResult::well(format!("older records turned away: {open}")),
                };
                Finding::of(self.name(), organization.classy_id, "", result)
            })
            .collect()
    }
}
