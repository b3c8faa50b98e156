//! Whether Classy lets us in.

use crate::domain::{CheckResult, Health};
use crate::health::check::{Finding, HealthCheck, Telling};
use crate::health::facts::{Access, Facts};
use crate::health::span::span;

pub(super) struct Token;

impl HealthCheck for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |access: &Access| match (access.refused, access.token_for) {
            (true, _) => CheckResult::degraded(
                "Classy refuses the credentials; `classy-sync org set-credentials` replaces them",
            ),
            (false, Some(lives)) => CheckResult::well(format!("valid for {}", span(lives))),
            // An organization with nothing to do asks for none.
            (false, None) => CheckResult::well("none needed"),
        };
        let all = facts.served();
        all.filter_map(|organization| {
            let result = judge(organization.access.as_ref()?);
            // `organization` tells of refused credentials.
            let telling = if result.health == Health::Ok {
                Telling::Alone
            } else {
                Telling::Within
            };
            Some(Finding {
                telling,
                ..Finding::of(self.name(), organization.classy_id, "", result)
            })
        })
        .collect()
    }
}
