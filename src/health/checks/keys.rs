//! Whether the vault has every key that something is sealed with.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Keys;

impl HealthCheck for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let result = match &facts.keys_missing {
            Some(missing) => {
                CheckResult::failing(format!("{missing}; put their lines back into the key file"))
            }
            None => CheckResult::well("all here"),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
