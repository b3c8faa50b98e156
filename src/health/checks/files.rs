//! Whether every organization's file could be read when they were last applied.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Files;

impl HealthCheck for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let result = match facts.wrong_files.as_slice() {
            [] => CheckResult::well("all good"),
            [one] => CheckResult::degraded(format!("an organization's file is wrong: {one}")),
            [one, more @ ..] => CheckResult::degraded(format!(
                "{} organizations' files are wrong, the first: {one}",
                1 + more.len()
            )),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
