//! Whether Classy is left alone after failures in a row.

use super::{served, span};
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Breaker;

impl HealthCheck for Breaker {
    fn name(&self) -> &'static str {
        "breaker"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        served(&facts.organizations)
            .filter_map(|organization| {
                let result = match organization.access?.open_for {
                    Some(wait) => CheckResult::degraded(format!("Classy failed again and again and is left alone for {}", span(wait))),
                    None => CheckResult::well("closed"),
                };
                Some(Finding::of(self.name(), organization.classy_id, "", result))
            })
            .collect()
    }
}
