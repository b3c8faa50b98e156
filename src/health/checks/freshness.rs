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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entity, Health};

    const SLACK: Duration = Duration::from_secs(30);

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn feed() -> FeedFacts {
        FeedFacts {
            entity: Entity::Transactions,
            state: FeedState::Idle,
            interval: Duration::from_secs(300),
            fresh_at: at(0),
            is_loaded: true,
            error: None,
            failures: 0,
            slow: None,
        }
    }

    #[test]
    fn silence_is_degraded_after_two_intervals_and_failing_after_three_times_that() {
        let judge = |seconds| judge(&feed(), at(seconds), SLACK).health;
        assert_eq!([0, 300, 630].map(judge), [Health::Ok; 3]);
        assert_eq!([631, 1_890].map(judge), [Health::Degraded; 2]);
        assert_eq!(judge(1_891), Health::Failing);
    }

    #[test]
    fn a_first_load_that_moves_is_well_however_long_it_takes_and_one_that_failed_says_why() {
        let loading = FeedFacts { is_loaded: false, state: FeedState::Running(500, Some(1_000)), ..feed() };
        let found = judge(&loading, at(100_000), SLACK);
        assert_eq!(found.health, Health::Ok);
        assert!(found.reason.contains("500 of 1000"), "{}", found.reason);
        let failed = FeedFacts { error: Some("no answer".to_owned()), failures: 2, ..feed() };
        let found = judge(&failed, at(10), SLACK);
        assert!(found.health == Health::Degraded && found.reason.contains("no answer"), "{found:?}");
        assert_eq!(judge(&failed, at(5_000), SLACK).health, Health::Failing);
    }
}
