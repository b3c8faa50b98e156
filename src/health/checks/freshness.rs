//! Whether each feed is as current as it should be: silence is a fault, too.

use crate::domain::{CheckResult, Health, Time};
use crate::health::check::{Finding, HealthCheck, Telling};
use crate::health::facts::{Facts, FeedFacts, FeedState, OrganizationFacts};
use crate::health::span::span;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) struct Freshness;

impl HealthCheck for Freshness {
    fn name(&self) -> &'static str {
        "freshness"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |organization: &OrganizationFacts| {
            // Refused credentials are told of as such.
            let is_refused = organization
                .access
                .as_ref()
                .is_some_and(|access| access.refused);
            let feeds: Vec<&FeedFacts> =
                organization.feeds.iter().filter(|_| !is_refused).collect();
            // On a first import gifts wait for their donors, however long those take.
            let is_importing = organization
                .feeds
                .iter()
                .any(|feed| !feed.is_loaded && feed.state != FeedState::Idle);
            let waits = |feed: &FeedFacts| {
                is_importing
                    && !feed.is_loaded
                    && feed.error.is_none()
                    && !matches!(feed.state, FeedState::Running(..))
            };
            let judge = |feed: &FeedFacts| {
                if waits(feed) {
                    CheckResult::well("first import: it waits for its turn")
                } else {
                    judge(feed, facts.at, facts.limits.slack)
                }
            };
            let judged = feeds.iter().map(|feed| (*feed, judge(feed))).collect();
            fold(
                self.name(),
                organization.classy_id,
                judged,
                &facts.told_singly,
            )
        };
        facts.served().flat_map(judge).collect()
    }
}

/// Whether nothing came for too long.
pub(in crate::health) fn is_late(feed: &FeedFacts, now: Time, slack: Duration) -> bool {
    (now - feed.fresh_at)
        .to_std()
        .is_ok_and(|age| age > 2 * feed.interval + slack)
}

/// Feeds that fail for the same reason have one cause, and one finding tells of it: where one of
/// them failed before the others and there is an alert of it, under its name, so that the same alert
/// goes on. What concerns every request is told of by `source`.
fn fold(
    check: &'static str,
    classy_id: i64,
    judged: Vec<(&FeedFacts, CheckResult)>,
    told: &BTreeSet<(i64, String)>,
) -> Vec<Finding> {
    // Each names the address of its own list.
    let own = |feed: &FeedFacts| {
        let error = feed.error.as_ref().filter(|_| feed.trouble.is_none())?;
        Some(error.replace(&format!("/{}", feed.entity.about().path), "/..."))
    };
    // One that was amid a pass tells of the page before that.
    let is_alike =
        |feed: &FeedFacts, error: &str| own(feed).is_some_and(|own| own.ends_with(error));
    let alike = |error: &str| {
        judged
            .iter()
            .filter(|(other, _)| is_alike(other, error))
            .count()
    };
    let common = judged
        .iter()
        .filter_map(|(feed, _)| own(feed))
        .filter(|error| alike(error) > 1)
        .min_by_key(String::len);
    let one = common.as_deref().map(|common| {
        let same = judged.iter().filter(|(feed, _)| is_alike(feed, common));
        tell_once(check, classy_id, common, &same.collect::<Vec<_>>(), told)
    });
    let subject = one.as_ref().map(|one: &Finding| one.subject.clone());
    let others = judged
        .into_iter()
        .filter(|(feed, _)| subject.as_deref() != Some(feed.entity.as_str()));
    let each = others.map(|(feed, result)| {
        let is_well = result.health == Health::Ok;
        let finding = Finding::of(check, classy_id, feed.entity.as_str(), result);
        let was_heard = feed.was_seen || matches!(feed.state, FeedState::Running(1.., _));
        if common
            .as_deref()
            .is_some_and(|common| is_alike(feed, common))
        {
            return Finding {
                telling: Telling::Within,
                ..finding
            };
        }
        if is_well && !was_heard {
            finding.unproven()
        } else {
            finding
        }
    });
    one.into_iter().chain(each).collect()
}

/// Tells once of all that failed for one reason.
fn tell_once(
    check: &'static str,
    classy_id: i64,
    common: &str,
    same: &[&(&FeedFacts, CheckResult)],
    told: &BTreeSet<(i64, String)>,
) -> Finding {
    let result = CheckResult {
        health: same
            .iter()
            .map(|(_, result)| result.health)
            .max()
            .unwrap_or(Health::Degraded),
        reason: format!("the last runs of {} feeds failed: {common}", same.len()),
    };
    let finding = |subject| Finding::of(check, classy_id, subject, result.clone());
    let is_told = |finding: &Finding| told.contains(&(classy_id, finding.key()));
    let whole = finding("");
    if is_told(&whole) {
        return whole;
    }
    let mut singly = same.iter().map(|(feed, _)| finding(feed.entity.as_str()));
    singly.find(is_told).unwrap_or(whole)
}

fn judge(feed: &FeedFacts, now: Time, slack: Duration) -> CheckResult {
    let age = (now - feed.fresh_at).to_std().unwrap_or_default();
    let is_late = is_late(feed, now, slack);
    let doing = match feed.state {
        FeedState::Idle => String::new(),
        FeedState::Waiting => "; it waits for its turn".to_owned(),
        FeedState::Running(done, Some(total)) => {
            format!("; it is reading, {done} of {total} records so far")
        }
        FeedState::Running(done, None) => format!("; it is reading, {done} records so far"),
    };
    if let Some(error) = &feed.error {
        let text = format!(
            "{error} (runs in a row that failed: {})",
            feed.failures.max(1)
        );
        return if is_late {
            CheckResult::failing(format!("{text}; nothing came for {}", span(age)))
        } else {
            CheckResult::degraded(text)
        };
    }
    // A first load takes what it takes; that it moves is looked at elsewhere.
    if !feed.is_loaded && matches!(feed.state, FeedState::Running(..)) {
        return CheckResult::well(format!("first import{doing}"));
    }
    let every = span(feed.interval);
    if is_late {
        CheckResult::failing(format!(
            "not up to date for {} (should be every {every}){doing}",
            span(age)
        ))
    } else {
        CheckResult::well(format!("up to date {} ago{doing}", span(age)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::Entity;

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
            trouble: None,
            heard: crate::classy::Heard::default(),
            was_seen: true,
            lacks: None,
            slow: None,
        }
    }

    #[test]
    fn silence_is_failing_after_two_intervals_with_the_cause_first() {
        let silent = |seconds| judge(&feed(), at(seconds), SLACK).health;
        assert_eq!([0, 300, 630].map(silent), [Health::Ok; 3]);
        assert_eq!(silent(631), Health::Failing);
        let failed = FeedFacts {
            error: Some("status 500 of page 3".to_owned()),
            failures: 4,
            ..feed()
        };
        assert_eq!(judge(&failed, at(630), SLACK).health, Health::Degraded);
        let found = judge(&failed, at(631), SLACK);
        assert!(
            found.health == Health::Failing && found.reason.starts_with("status 500 of page 3"),
            "{found:?}"
        );
    }

    #[test]
    fn a_first_load_that_moves_is_well_however_long_it_takes_and_one_that_failed_says_why() {
        let loading = FeedFacts {
            is_loaded: false,
            state: FeedState::Running(500, Some(1_000)),
            ..feed()
        };
        let found = judge(&loading, at(100_000), SLACK);
        assert_eq!(found.health, Health::Ok);
        assert!(found.reason.contains("500 of 1000"), "{}", found.reason);
        let failed = FeedFacts {
            error: Some("no answer".to_owned()),
            failures: 2,
            ..feed()
        };
        let found = judge(&failed, at(10), SLACK);
        assert!(
            found.health == Health::Degraded && found.reason.contains("no answer"),
            "{found:?}"
        );
        assert_eq!(judge(&failed, at(5_000), SLACK).health, Health::Failing);
    }

    #[test]
    fn feeds_that_fail_alike_have_one_cause() {
        let failed = FeedFacts {
            error: Some("no answer".to_owned()),
            ..feed()
        };
        let other = FeedFacts {
            entity: Entity::Campaigns,
            ..failed.clone()
        };
        let good = FeedFacts {
            entity: Entity::Supporters,
            ..feed()
        };
        let judged = [&failed, &other, &good]
            .map(|feed| (feed, judge(feed, at(10), SLACK)))
            .to_vec();
        let found = fold("freshness", 7, judged, &BTreeSet::new());
        let told = found
            .iter()
            .filter(|finding| finding.telling == Telling::Alone);
        let told: Vec<(String, Health)> = told
            .map(|finding| (finding.key(), finding.verdict()))
            .collect();
        assert_eq!(
            told,
            [
                ("freshness".to_owned(), Health::Degraded),
                ("freshness:supporters".to_owned(), Health::Ok)
            ]
        );
        // Of one of them there is an alert already: that one goes on, alone.
        let judged = [&failed, &other, &good]
            .map(|feed| (feed, judge(feed, at(10), SLACK)))
            .to_vec();
        let open = BTreeSet::from([(7, "freshness:campaigns".to_owned())]);
        let again = fold("freshness", 7, judged, &open);
        let causes: Vec<String> = again
            .iter()
            .filter(|finding| finding.is_cause())
            .map(Finding::key)
            .collect();
        assert_eq!(
            (again.len(), causes),
            (3, vec!["freshness:campaigns".to_owned()])
        );
        assert!(
            found[0].result.reason.contains("2 feeds failed: no answer"),
            "{}",
            found[0].result.reason
        );
        // Also where each is refused by the address of its own list.
        let refused = Entity::ALL.map(|entity| FeedFacts {
            entity,
            error: Some(format!(
                "no permission for /2.0/organizations/7/{}",
                entity.about().path
            )),
            ..feed()
        });
        let found = fold(
            "freshness",
            7,
            refused
                .iter()
                .map(|feed| (feed, judge(feed, at(10), SLACK)))
                .collect(),
            &BTreeSet::new(),
        );
        let told: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.telling == Telling::Alone)
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0]
                .result
                .reason
                .ends_with("feeds failed: no permission for /2.0/organizations/7/..."),
            "{told:?}"
        );
    }
}
