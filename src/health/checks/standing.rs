//! Whether an organization that should be served can be: refused credentials and missing keys stop it until a person mends them.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{self, Facts};

pub(super) struct Standing;

impl HealthCheck for Standing {
    fn name(&self) -> &'static str {
        "organization"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |standing: &facts::Standing| match standing {
            facts::Standing::Served => Some(CheckResult::well("served")),
            facts::Standing::Paused => Some(CheckResult::well("paused by a person")),
            facts::Standing::Elsewhere => None,
            facts::Standing::Stopped(why) => Some(CheckResult::failing(format!("not synced until somebody mends it: {why}"))),
        };
        let all = facts.organizations.iter();
        all.filter_map(|organization| Some(Finding::of(self.name(), organization.classy_id, "", judge(&organization.standing)?))).collect()
    }
}
