//! One cause, one alert: what follows from a source that does not answer is told with it, and a
//! host that answers nobody is told once for all who wait for it. What was folded stays among the
//! findings, so that each organization's own verdict tells of it.

use super::check::{Finding, Telling};
use super::checks::{SOURCE, is_late, is_over, list_trouble, trouble};
use super::facts::{Facts, FeedFacts, FeedState, OrganizationFacts, Standing};
use super::span::span;
use crate::domain::{CheckResult, Health, Trouble, TroubleKind};
use std::collections::{BTreeMap, HashMap};

/// So many organizations are named; the rest is counted.
const NAMED: usize = 5;

/// An organization for which nothing comes.
struct Waiting<'a> {
    facts: &'a Facts,
    organization: &'a OrganizationFacts,
    trouble: Trouble,
    /// Nothing is answered now.
    is_now: bool,
    /// The worst of what follows.
    health: Health,
}

/// Folds consequences into their causes.
pub(super) fn fold(mut findings: Vec<Finding>, facts: &Facts) -> Vec<Finding> {
    let mut waiting: HashMap<i64, Waiting<'_>> = facts
        .served()
        .filter_map(|organization| {
            let (trouble, is_now) = (trouble(organization, facts)?, !is_over(organization, facts));
            Some((
                organization.classy_id,
                Waiting {
                    facts,
                    organization,
                    trouble,
                    is_now,
                    health: Health::Degraded,
                },
            ))
        })
        .collect();
    if waiting.is_empty() {
        return findings;
    }
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.verdict() != Health::Ok)
    {
        let Some(waiting) = finding.classy_id.and_then(|id| waiting.get_mut(&id)) else {
            continue;
        };
        let feed = waiting
            .organization
            .feeds
            .iter()
            .find(|feed| feed.entity.as_str() == finding.subject);
        if feed.is_some_and(|feed| waiting.explains(finding.check, feed)) {
            waiting.health = waiting.health.max(finding.verdict());
            finding.telling = Telling::Within;
        }
    }
    let shared = shared(&waiting, facts);
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.check == SOURCE)
    {
        let Some(waiting) = finding.classy_id.and_then(|id| waiting.get(&id)) else {
            continue;
        };
        finding.result = CheckResult {
            health: waiting.health,
            reason: waiting.text(),
        };
        if shared.contains_key(&subject(&waiting.trouble)) {
            finding.telling = Telling::Shared;
        }
    }
    findings.extend(
        shared
            .into_iter()
            .map(|(subject, those)| Finding::here(SOURCE, subject, told_once(&those, facts))),
    );
    findings
}

impl Waiting<'_> {
    /// Whether what a check found about a feed follows from this. A feed that failed for a reason
    /// of its own, or rests, does not.
    fn explains(&self, check: &str, feed: &FeedFacts) -> bool {
        let waits = self.is_now && feed.state != FeedState::Idle;
        match check {
            "freshness" => self.fails(feed) || waits && feed.error.is_none(),
            "progress" => waits || self.fails(feed),
            _ => false,
        }
    }

    /// Whether a feed's own list is not answered, now or when it was read last.
    fn fails(&self, feed: &FeedFacts) -> bool {
        feed.trouble.is_some() || list_trouble(feed, self.organization, self.facts).is_some()
    }

    fn text(&self) -> String {
        let facts = self.facts;
        let id = self.organization.classy_id;
        let mut text = format!("{} for organization {id}", self.trouble.text);
        if self.trouble.kind != TroubleKind::Unavailable {
            text = format!("{}: organization {id} waits", self.trouble.text);
        }
        if let Some(wait) = self
            .organization
            .access
            .as_ref()
            .and_then(|access| access.open_for)
        {
            text.push_str(&format!("; it is left alone for {}", span(wait)));
        }
        let all = &self.organization.feeds;
        let late: Vec<&FeedFacts> = all
            .iter()
            .filter(|feed| {
                self.explains("freshness", feed) && is_late(feed, facts.at, facts.limits.slack)
            })
            .collect();
        let names = |feeds: &[&FeedFacts]| {
            feeds
                .iter()
                .map(|feed| feed.entity.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        if let Some(oldest) = late.iter().map(|feed| feed.fresh_at).min() {
            let age = (facts.at - oldest).to_std().unwrap_or_default();
            text.push_str(&format!(
                "; not up to date for {}: {}",
                span(age),
                names(&late)
            ));
        }
        if !self.is_now {
            let failed: Vec<&FeedFacts> = all.iter().filter(|feed| self.fails(feed)).collect();
            text.push_str(&format!(
                "; all else is answered, and these are asked for again: {}",
                names(&failed)
            ));
        }
        text
    }
}

/// What is told once for all who wait: for a host where nobody is, when several depend on it, and
/// where other processes may see the same; else from the second one on, until the last one is
/// served.
fn shared<'a, 'b>(
    waiting: &'b HashMap<i64, Waiting<'a>>,
    facts: &Facts,
) -> BTreeMap<String, Vec<&'b Waiting<'a>>> {
    let mut by: BTreeMap<String, Vec<&Waiting<'_>>> = BTreeMap::new();
    for one in waiting.values() {
        by.entry(subject(&one.trouble)).or_default().push(one);
    }
    let users = |host: &str| {
        facts
            .organizations
            .iter()
            .filter(|one| {
                one.access
                    .as_ref()
                    .is_some_and(|access| access.host == host)
            })
            .count()
    };
    by.retain(|subject, those| {
        let (trouble, many) = (&those[0].trouble, users(&those[0].trouble.host));
        // What is of one organization, such as its rate limit, and met by most of them at once, is
        // of the host for this time.
        if !trouble.kind.is_of_the_host() {
            let is_of_most = those.len() > 2 && those.len() * 2 > many;
            return is_of_most || facts.told_once.contains(subject);
        }
        let is_of_all = matches!(
            trouble.kind,
            TroubleKind::Unreachable | TroubleKind::Untrusted
        );
        // Where nobody here is served, those whom other processes serve may not be either.
        let may_be_of_all = is_shared(facts) && (is_of_all || those.len() >= many);
        those.len() > 1
            || facts.told_once.contains(subject)
            || is_of_all && many > 1
            || may_be_of_all
    });
    for those in by.values_mut() {
        those.sort_by_key(|one| one.organization.classy_id);
    }
    by
}

/// Whether other processes serve some of the organizations, and may see the same.
fn is_shared(facts: &Facts) -> bool {
    facts
        .organizations
        .iter()
        .any(|organization| organization.standing == Standing::Elsewhere)
}

fn subject(trouble: &Trouble) -> String {
    format!("{} {}", trouble.host, trouble.kind.as_str())
}

/// The subject of an alert that tells for many, by its key in the database.
pub fn told_for_many(key: &str) -> Option<String> {
    let subject = key.strip_prefix(SOURCE)?.strip_prefix(':')?;
    Some(
        subject
            .rsplit_once('@')
            .map_or(subject, |(subject, _)| subject)
            .to_owned(),
    )
}

fn told_once(those: &[&Waiting<'_>], facts: &Facts) -> CheckResult {
    let health = those
        .iter()
        .map(|one| one.health)
        .max()
        .unwrap_or(Health::Degraded);
    let latest = those
        .iter()
        .max_by_key(|one| (one.is_now, one.trouble.since))
        .map(|one| &one.trouble);
    let mut text = latest
        .map(|trouble| trouble.text.clone())
        .unwrap_or_default();
    if let Some(trouble) = latest.filter(|trouble| !trouble.text.contains(&trouble.host)) {
        text.push_str(&format!(" at {}", trouble.host));
    }
    let ids = those
        .iter()
        .take(NAMED)
        .map(|one| one.organization.classy_id.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let more = if those.len() > NAMED {
        format!(" and {} more", those.len() - NAMED)
    } else {
        String::new()
    };
    let wait = if those.len() == 1 {
        "organization waits"
    } else {
        "organizations wait"
    };
    let whose = if is_shared(facts) {
        " among those that one process serves"
    } else {
        ""
    };
    text.push_str(&format!(": {} {wait} ({ids}{more}){whose}", those.len()));
    let feeds = those.iter().flat_map(|one| {
        one.organization
            .feeds
            .iter()
            .filter(|feed| one.explains("freshness", feed))
    });
    let late = feeds.filter(|feed| is_late(feed, facts.at, facts.limits.slack));
    if let Some(oldest) = late.map(|feed| feed.fresh_at).min() {
        text.push_str(&format!(
            "; not up to date for {}",
            span((facts.at - oldest).to_std().unwrap_or_default())
        ));
    }
    CheckResult {
        health,
        reason: text,
    }
}

#[cfg(test)]
mod tests;
