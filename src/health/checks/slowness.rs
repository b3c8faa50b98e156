//! Whether a feed's last run was far slower than its own past.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Slowness;

impl HealthCheck for Slowness {
    fn name(&self) -> &'static str {
        "slowness"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let feeds = facts.served().flat_map(|organization| {
            organization
                .feeds
                .iter()
                .map(|feed| (organization.classy_id, feed))
        });
        feeds
            .map(|(id, feed)| {
                let result = feed
                    .slow
                    .as_ref()
                    .map_or_else(|| CheckResult::well("as usual"), CheckResult::degraded);
                let finding = Finding::of(self.name(), id, feed.entity.as_str(), result);
                if feed.was_seen {
                    finding
                } else {
                    finding.unproven()
                }
            })
            .collect()
    }
}
