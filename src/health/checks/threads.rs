//! Whether the threads of the actors have time.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;
use crate::health::span::span;

pub(super) struct Threads;

impl HealthCheck for Threads {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |what: &str, late: std::time::Duration| {
            let result = if late > facts.limits.late {
                CheckResult::failing(format!(
                    "the {what} thread has been blocked for {}: nothing is decided meanwhile",
                    span(late)
                ))
            } else {
                CheckResult::well("has time")
            };
            Finding::here(self.name(), what, result)
        };
        vec![
            judge("main", facts.main_late),
            judge("watch", facts.watch_late),
        ]
    }
}
