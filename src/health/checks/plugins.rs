//! Whether plugins take what changed.

use super::{served, span};
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Plugins;

impl HealthCheck for Plugins {
    fn name(&self) -> &'static str {
        "delivery"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let plugins =
            served(&facts.organizations).flat_map(|organization| organization.plugins.iter().map(|one| (organization.classy_id, one)));
        plugins
            .map(|(id, plugin)| {
                let still = (facts.at - plugin.moved_at).to_std().unwrap_or_default();
                let text = || format!("{} changes wait, and nothing was taken for {}", plugin.behind, span(still));
                let result = match plugin.behind {
                    1.. if still > 8 * facts.limits.delivery => CheckResult::failing(text()),
                    1.. if still > facts.limits.delivery => CheckResult::degraded(text()),
                    0 => CheckResult::well("has seen everything"),
                    behind => CheckResult::well(format!("{behind} changes to go")),
                };
                Finding::of(self.name(), id, plugin.plugin.clone(), result)
            })
            .collect()
    }
}
