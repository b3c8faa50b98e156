//! All checks in a row.

use super::causes;
use super::check::{Finding, HealthCheck};
use super::facts::Facts;

/// Lets all checks judge the facts, and tells causes apart from what follows from them.
pub fn evaluate(checks: &[Box<dyn HealthCheck>], facts: &Facts) -> Vec<Finding> {
    causes::fold(
        checks
            .iter()
            .flat_map(|check| check.evaluate(facts))
            .collect(),
        facts,
    )
}
