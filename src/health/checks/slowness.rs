//! Whether a feed's last run was far slower than its own past.

use super::served;
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Slowness;

impl HealthCheck for Slowness {
    fn name(&self) -> &'static str {
        "slowness"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let feeds =
            served(&facts.organizations).flat_map(|organization| organization.feeds.iter().map(|feed| (organization.classy_id, feed)));
        feeds
            .map(|(id, feed)| {
                let result = feed.slow.as_ref().map_or_else(|| CheckResult::well("as usual"), CheckResult::degraded);
                Finding::of(self.name(), id, feed.entity.as_str(), result)
            })
            .collect()
    }
}
