//! Whether Classy answers an organization at all. What its silence brings with it (feeds that are
//! not read, runs that make no step) is told with it: see `causes`.

use super::freshness;
use crate::domain::{CheckResult, Health, Trouble, TroubleKind};
use crate::entities::Entity;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Access, Facts, FeedFacts, FeedState, OrganizationFacts};
use crate::health::span::span;
use std::time::Duration;

/// The check's name.
pub(in crate::health) const SOURCE: &str = "source";
/// What passes sooner is no trouble.
const BRIEF: chrono::TimeDelta = chrono::TimeDelta::seconds(15);
/// Somebody who waits for an answer for so long, while a feed is late, waits for nobody.
const LONG: Duration = Duration::from_secs(10);
/// A process that is younger has not met everybody yet.
const YOUNG: Duration = Duration::from_secs(60);

pub(super) struct Source;

impl HealthCheck for Source {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let mut findings: Vec<Finding> = facts
            .served()
            .map(|organization| judge(organization, facts))
            .collect();
        // Of hosts for which many wait alerts are the process's own; while somebody was not asked
        // yet they are not over.
        let is_unknown = facts.up < YOUNG || findings.iter().any(Finding::is_unproven);
        let process = Finding::here(SOURCE, "", CheckResult::well("asked by each organization"));
        findings.push(if is_unknown {
            process.unproven()
        } else {
            process
        });
        findings
    }
}

fn judge(organization: &OrganizationFacts, facts: &Facts) -> Finding {
    let finding = |result| Finding::of(SOURCE, organization.classy_id, "", result);
    match trouble(organization, facts) {
        Some(trouble) => finding(CheckResult {
            health: Health::Degraded,
            reason: trouble.text,
        }),
        None if organization.feeds.iter().any(was_heard) => finding(CheckResult::well("answers")),
        None => finding(CheckResult::well("not asked yet")).unproven(),
    }
}

const fn was_heard(feed: &FeedFacts) -> bool {
    feed.was_seen || matches!(feed.state, FeedState::Running(1.., _))
}

/// Why nothing comes for an organization; none when that is not so, or not known.
pub(in crate::health) fn trouble(
    organization: &OrganizationFacts,
    facts: &Facts,
) -> Option<Trouble> {
    let before = organization
        .feeds
        .iter()
        .filter_map(|feed| feed.trouble.as_ref())
        .max_by_key(|trouble| trouble.since);
    let access = organization.access.as_ref();
    let now = access
        .and_then(|access| access.trouble.as_ref())
        .filter(|now| before.is_some() || facts.at - now.since > BRIEF);
    let of_a_list = || {
        organization
            .feeds
            .iter()
            .filter_map(|feed| list_trouble(feed, organization, facts))
            .max_by_key(|met| met.since)
    };
    now.cloned()
        .or_else(|| silence(access?, organization, facts))
        .or_else(|| wait(access?.waits_for.as_ref(), organization.feeds.iter(), facts))
        .or_else(of_a_list)
        .or_else(|| before.cloned())
}

/// Why nothing comes of one list at the moment, though other lists may be answered; before a run
/// has failed for it.
pub(in crate::health) fn list_trouble(
    feed: &FeedFacts,
    organization: &OrganizationFacts,
    facts: &Facts,
) -> Option<Trouble> {
    let met = feed
        .heard
        .trouble
        .as_ref()
        .filter(|met| feed.trouble.is_some() || facts.at - met.since > BRIEF);
    let waits = || wait(feed.heard.waits_for.as_ref(), [feed].into_iter(), facts);
    met.cloned().or_else(waits).or_else(|| {
        let silent = feed
            .heard
            .silent_for
            .filter(|_| feed.state != FeedState::Idle)?;
        let is_long = silent > facts.limits.step
            || silent > LONG && freshness::is_late(feed, facts.at, facts.limits.slack);
        is_long.then(|| {
            silent_since(
                &organization.access.as_ref()?.host,
                Some(feed.entity),
                silent,
                facts,
            )
        })?
    })
}

/// Whether it is so now, or feeds that failed for it merely were not read again yet.
pub(in crate::health) fn is_over(organization: &OrganizationFacts, facts: &Facts) -> bool {
    let access = organization.access.as_ref();
    let is_waited_out = organization
        .feeds
        .iter()
        .all(|feed| wait(feed.heard.waits_for.as_ref(), [feed].into_iter(), facts).is_none());
    access.is_none_or(|access| {
        access.trouble.is_none()
            && silence(access, organization, facts).is_none()
            && wait(access.waits_for.as_ref(), organization.feeds.iter(), facts).is_none()
    }) && is_waited_out
}

/// A wait that the source asked for, once it makes one of these feeds late: while it keeps nobody
/// waiting it is nothing to tell of.
fn wait<'a>(
    waits_for: Option<&Trouble>,
    mut feeds: impl Iterator<Item = &'a FeedFacts>,
    facts: &Facts,
) -> Option<Trouble> {
    let met = waits_for?;
    let is_long = (facts.at - met.since)
        .to_std()
        .is_ok_and(|wait| wait > facts.limits.step);
    let is_meant = |feed: &FeedFacts| {
        feed.state != FeedState::Idle
            && (is_long || freshness::is_late(feed, facts.at, facts.limits.slack))
    };
    feeds.any(is_meant).then(|| met.clone())
}

fn silence(access: &Access, organization: &OrganizationFacts, facts: &Facts) -> Option<Trouble> {
    let silent = access.silent_for?;
    let is_late = |feed: &FeedFacts| {
        feed.state != FeedState::Idle && freshness::is_late(feed, facts.at, facts.limits.slack)
    };
    let is_long =
        silent > facts.limits.step || silent > LONG && organization.feeds.iter().any(is_late);
    is_long.then(|| silent_since(&access.host, None, silent, facts))?
}

/// Nothing, or nothing of one list, was answered for so long.
fn silent_since(
    host: &str,
    list: Option<Entity>,
    silent: Duration,
    facts: &Facts,
) -> Option<Trouble> {
    let since = facts.at - chrono::TimeDelta::from_std(silent).ok()?;
    let about = list.map_or_else(String::new, |list| format!(" for {list}"));
    let text = format!("no answer from {host}{about} for {}", span(silent));
    Some(Trouble {
        kind: TroubleKind::Silent,
        host: host.to_owned(),
        text,
        since,
    })
}
