//! Whether each feed is as current as it should be: silence is a fault, too.

use super::{served, span};
use crate::domain::{CheckResult, Time};
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Facts, FeedFacts, FeedState};
use std::time::Duration;

pub(super) struct Freshness;

impl HealthCheck for Freshness {
    fn name(&self) -> &'static str {
        "freshness"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let feeds =
            served(&facts.organizations).flat_map(|organization| organization.feeds.iter().map(|feed| (organization.classy_id, feed)));
        feeds.map(|(id, feed)| Finding::of(self.name(), id, feed.entity.as_str(), judge(feed, facts.at, facts.limits.slack))).collect()
    }
}

fn judge(feed: &FeedFacts, now: Time, slack: Duration) -> CheckResult {
    let age = (now - feed.fresh_at).to_std().unwrap_or_default();
    let late = 2 * feed.interval + slack;
    let doing = match feed.state {
        FeedState::Idle => String::new(),
        FeedState::Waiting => "; it waits for its turn".to_owned(),
        FeedState::Running(done, Some(total)) => format!("; it is reading, {done} of {total} records so far"),
        FeedState::Running(done, None) => format!("; it is reading, {done} records so far"),
    };
    if let Some(error) = &feed.error {
        let text = format!("the last run failed ({} in a row): {error}", feed.failures.max(1));
        return if age > 3 * late {
            CheckResult::failing(format!("{text}; behind for {}", span(age)))
        } else {
            CheckResult::degraded(text)
        };
    }
    // A first load takes what it takes; that it moves is looked at elsewhere.
    if !feed.is_loaded && matches!(feed.state, FeedState::Running(..)) {
        return CheckResult::well(format!("first load{doing}"));
    }
    let every = span(feed.interval);
    if age > 3 * late {
        CheckResult::failing(format!("not up to date for {} (should be every {every}){doing}", span(age)))
    } else if age > late {
        CheckResult::degraded(format!("not up to date for {} (should be every {every}){doing}", span(age)))
    } else {
        CheckResult::well(format!("up to date {} ago{doing}", span(age)))
    }
}
