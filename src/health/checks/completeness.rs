//! Whether it is known that records are lacking: counted by the source and shown nowhere, on pages
//! that cannot be read, or undecided.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Facts, OrganizationFacts};

pub(super) struct Completeness;

impl HealthCheck for Completeness {
    fn name(&self) -> &'static str {
        "completeness"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |organization: &OrganizationFacts| {
            let finding = |feed: &crate::health::facts::FeedFacts| {
                let result = match &feed.lacks {
                    None => CheckResult::well("nothing is known to be lacking"),
                    Some(lacks) => CheckResult::degraded(lacks.clone()),
                };
                Finding::of(
                    self.name(),
                    organization.classy_id,
                    feed.entity.as_str(),
                    result,
                )
            };
            organization.feeds.iter().map(finding).collect::<Vec<_>>()
        };
        facts.served().flat_map(judge).collect()
    }
}
