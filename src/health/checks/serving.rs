//! Whether an organization that should be served can be: refused credentials and missing keys stop
//! it until a person mends them.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{self, Facts};

pub(super) struct Serving;

impl HealthCheck for Serving {
    fn name(&self) -> &'static str {
        "organization"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |standing: &facts::Standing| match standing {
            facts::Standing::Served => Some(CheckResult::well("served")),
            facts::Standing::Paused => Some(CheckResult::well("paused by a person")),
            facts::Standing::Elsewhere => None,
            facts::Standing::Stopped(why) => Some(CheckResult::failing(format!(
                "not synced until somebody mends it: {why}"
            ))),
        };
        let refused = "not synced until somebody mends it: Classy refused the credentials";
        let all = facts.organizations.iter();
        all.filter_map(|organization| {
            // It is suspended next, for the same cause.
            let is_refused = organization
                .access
                .as_ref()
                .is_some_and(|access| access.refused);
            let result = match judge(&organization.standing)? {
                _ if is_refused && organization.standing == facts::Standing::Served => {
                    CheckResult::failing(refused)
                }
                result => result,
            };
            Some(Finding::of(self.name(), organization.classy_id, "", result))
        })
        .collect()
    }
}
