//! Whether each feed is as current as it should be: silence is a fault, too.

use super::{served, span};
use crate::domain::{CheckResult, Health, Time};
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Facts, FeedFacts, FeedState, OrganizationFacts};
use std::time::Duration;

pub(super) struct Freshness;

impl HealthCheck for Freshness {
    fn name(&self) -> &'static str {
        "freshness"
    }

    fn look(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |organization: &OrganizationFacts| {
            // Refused credentials are told of as such.
            let is_refused = organization.access.is_some_and(|access| access.refused);
            let feeds: Vec<&FeedFacts> = organization.feeds.iter().filter(|_| !is_refused).collect();
            let judged = feeds.iter().map(|feed| (*feed, judge(feed, facts.at, facts.limits.slack))).collect();
            fold(self.name(), organization.classy_id, judged)
        };
        served(&facts.organizations).flat_map(judge).collect()
    }
}

/// Feeds that fail for the same reason have one cause, and one finding tells of it.
fn fold(check: &'static str, classy_id: i64, judged: Vec<(&FeedFacts, CheckResult)>) -> Vec<Finding> {
    let alike = |error: &Option<String>| judged.iter().filter(|(other, _)| other.error == *error).count();
    let common = judged.iter().find(|(feed, _)| feed.error.is_some() && alike(&feed.error) > 1).map(|(feed, _)| feed.error.clone());
    let Some(common) = common else {
        return judged.into_iter().map(|(feed, result)| Finding::of(check, classy_id, feed.entity.as_str(), result)).collect();
    };
    let count = alike(&common);
    let (same, others): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(feed, _)| feed.error == common);
    let health = same.iter().map(|(_, result)| result.health).max().unwrap_or(Health::Degraded);
    let reason = format!("the last runs of {count} feeds failed: {}", common.unwrap_or_default());
    let one = Finding::of(check, classy_id, "", CheckResult { health, reason });
    let others = others.into_iter().map(|(feed, result)| Finding::of(check, classy_id, feed.entity.as_str(), result));
    std::iter::once(one).chain(others).collect()
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
    use crate::domain::Entity;

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

    #[test]
    fn feeds_that_fail_alike_have_one_cause() {
        let failed = FeedFacts { error: Some("no answer".to_owned()), ..feed() };
        let other = FeedFacts { entity: Entity::Campaigns, ..failed.clone() };
        let good = FeedFacts { entity: Entity::Supporters, ..feed() };
        let judged = [&failed, &other, &good].map(|feed| (feed, judge(feed, at(10), SLACK))).to_vec();
        let found = fold("freshness", 7, judged);
        let told: Vec<(String, Health)> = found.iter().map(|finding| (finding.key(), finding.verdict())).collect();
        assert_eq!(told, [("freshness".to_owned(), Health::Degraded), ("freshness:supporters".to_owned(), Health::Ok)]);
        assert!(found[0].result.reason.contains("2 feeds failed: no answer"), "{}", found[0].result.reason);
    }
}
