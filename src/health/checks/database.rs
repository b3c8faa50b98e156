//! Whether the database answers, and how fast.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{self, Facts};
use crate::health::span::span;
use std::time::Duration;

/// An answer that takes longer than this is slow.
const SLOW: Duration = Duration::from_millis(1_000);

pub(super) struct Database;

impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let result = match &facts.database {
            facts::Database::Silent(why) => {
                CheckResult::failing(format!("the database does not answer: {why}"))
            }
            facts::Database::Answers(took) if *took > SLOW => {
                CheckResult::degraded(format!("the database took {} to answer", span(*took)))
            }
            facts::Database::Answers(took) => {
                CheckResult::well(format!("answers in {}", span(*took)))
            }
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
