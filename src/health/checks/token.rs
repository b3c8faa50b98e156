//! Whether Classy lets us in.

use super::{served, span};
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Access, Facts};

pub(super) struct Token;

impl HealthCheck for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |access: Access| match (access.refused, access.token_for) {
            // The organization is suspended next, and that is failing.
            (true, _) => CheckResult::degraded("Classy refuses the credentials; `classy-sync org set-credentials` replaces them"),
            (false, Some(lives)) => CheckResult::well(format!("valid for {}", span(lives))),
            // An organization with nothing to do asks for none.
            (false, None) => CheckResult::well("none needed"),
        };
        let all = served(&facts.organizations);
        all.filter_map(|organization| Some(Finding::of(self.name(), organization.classy_id, "", judge(organization.access?)))).collect()
    }
}
