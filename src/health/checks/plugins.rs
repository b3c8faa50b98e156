//! Whether plugins take what changed.

use super::{served, span};
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;
use std::time::Duration;

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
                let still = plugin.moved_at.map_or(Duration::ZERO, |at| (facts.at - at).to_std().unwrap_or_default());
                let (behind, patience) = (plugin.behind, facts.limits.delivery);
                let waits = || format!("{behind} changes wait, and nothing was taken for {}", span(still));
                let result = match (&plugin.error, plugin.held) {
                    (Some(error), _) if still > 8 * patience => CheckResult::failing(format!("the last delivery failed: {error}")),
                    (Some(error), _) => CheckResult::degraded(format!("the last delivery failed: {error}")),
                    (None, _) if behind > 0 && still > 8 * patience => CheckResult::failing(waits()),
                    (None, _) if behind > 0 && still > patience => CheckResult::degraded(waits()),
                    (None, 1..) => CheckResult::degraded(format!("held until somebody approves, people: {}", plugin.held)),
                    (None, 0) if behind == 0 => CheckResult::well("has seen everything"),
                    (None, 0) => CheckResult::well(format!("{behind} changes to go")),
                };
                Finding::of(self.name(), id, plugin.plugin.clone(), result)
            })
            .collect()
    }
}
