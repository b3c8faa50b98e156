//! `/metrics` in Prometheus' text form, written from the board and the last verdict. Labels are ids
//! and our own words: nothing in them needs escaping, and nothing of a donor is in them.
//! `deploy/METRICS.md` explains every name.
//!
//! What is known of each organization is told of all together, unless
//! `http.metrics_per_organization` is set: ten thousand organizations are half a million lines
//! otherwise, in each scrape.

mod names;
mod text;

use super::cache::Made;
use super::site::Site;
use super::sources::Sources;
use crate::classy::Pulse;
use crate::domain::Health;
use crate::entities::Entity;
use crate::health::{Database, Facts, Finding, HealthReport};
use crate::status::{Activity, Board, FeedStatus, OrganizationStatus};
use axum::extract::State;
use axum::response::Response;
use std::collections::{BTreeMap, HashMap};
use text::Text;

pub(super) async fn metrics(State(site): State<Site>) -> Response {
    site.made("metrics", |site| {
        let sources = site.sources();
        let mut text = Text::new(sources.settings().metrics_per_organization);
        let health = sources.health();
        process(&mut text, site, sources, &health);
        fleet(&mut text, &sources.board, &health, &sources.board.pulses());
        Made {
            kind: "text/plain; version=0.0.4; charset=utf-8",
            ..Made::json(text.whole())
        }
    })
    .await
}

fn process(text: &mut Text, site: &Site, sources: &Sources, health: &HealthReport) {
    text.add(
        "build_info",
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
        1,
    );
    text.add("ready", "", i32::from(site.is_ready()));
    text.add(
        "look_age_seconds",
        "",
        seconds((crate::clock::now() - health.at).num_milliseconds()),
    );
    text.add("verdict", "", level(health.verdict()));
    text.add("waiting_runs", "", sources.run_permits.waiting());
    for severity in ["degraded", "failing"] {
        let open = health
            .alerts
            .iter()
            .filter(|alert| alert.severity == severity)
            .count();
        text.add("alerts_open", format_args!("severity=\"{severity}\""), open);
    }
    for (thread, late) in [
        ("main", sources.registry.lateness()),
        ("watch", sources.registry.watch_lateness()),
    ] {
        text.add(
            "thread_late_seconds",
            format_args!("thread=\"{thread}\""),
            late.as_secs_f64(),
        );
    }
    let Some(facts) = &health.facts else { return };
    text.add("uptime_seconds", "", facts.up.as_secs());
    text.add("memory_bytes", "", facts.memory_bytes);
    text.add(
        "database_up",
        "",
        i32::from(matches!(facts.database, Database::Answers(_))),
    );
    if let Database::Answers(took) = facts.database {
        text.add("database_answer_seconds", "", took.as_secs_f64());
    }
    for space in &facts.spaces {
        text.add(
            "disk_free_bytes",
            format_args!("place=\"{}\"", space.what),
            space.free,
        );
    }
}

/// What is known of organizations.
fn fleet(text: &mut Text, board: &Board, health: &HealthReport, pulses: &BTreeMap<i64, Pulse>) {
    let mut verdicts = HashMap::new();
    for (organization, feeds) in board.all() {
        let id = organization.classy_id;
        let verdict = health.verdict_of(id);
        *verdicts.entry(verdict).or_insert(0_u64) += 1;
        let is_served = organization.condition == crate::status::Condition::Serving;
        text.of(
            id,
            "organization_served",
            "",
            f64::from(u8::from(is_served)),
        );
        text.of(id, "organization_verdict", "", f64::from(level(verdict)));
        for (entity, feed) in feeds {
            self::feed(text, &organization, is_served, entity, &feed);
        }
    }
    for verdict in [Health::Ok, Health::Degraded, Health::Failing] {
        let count = verdicts.get(&verdict).copied().unwrap_or(0);
        text.add(
            "organizations",
            format_args!("verdict=\"{}\"", verdict.as_str()),
            count,
        );
    }
    findings(text, &health.findings);
    if let Some(facts) = &health.facts {
        self::facts(text, facts);
    }
    for (id, pulse) in pulses {
        text.of(
            *id,
            "token_requests_total",
            "",
            pulse.stats.token_requests as f64,
        );
        text.of(
            *id,
            "request_seconds_total",
            "",
            pulse.stats.spent_ms as f64 / 1_000.0,
        );
        text.of(
            *id,
            "breaker_open",
            "",
            f64::from(u8::from(pulse.open_for.is_some())),
        );
        if let Some(ahead) = pulse.ahead_ms {
            text.of(*id, "clock_ahead_seconds", "", seconds(ahead));
        }
    }
}

fn facts(text: &mut Text, facts: &Facts) {
    for organization in &facts.organizations {
        let id = organization.classy_id;
        text.of(id, "rejects_open", "", organization.rejects.0 as f64);
        for plugin in &organization.plugins {
            let labels = format!("plugin=\"{}\"", word(&plugin.plugin));
            text.of(id, "plugin_behind", &labels, plugin.behind as f64);
            // Of all together: those that have something to do.
            if let Some(moved_at) = plugin
                .moved_at
                .filter(|_| text.is_apart || plugin.behind > 0)
            {
                text.of(
                    id,
                    "plugin_still_seconds",
                    &labels,
                    seconds((facts.at - moved_at).num_milliseconds()),
                );
            }
        }
        for feed in &organization.feeds {
            let labels = format!("feed=\"{}\"", feed.entity);
            text.of(
                id,
                "feed_interval_seconds",
                &labels,
                feed.interval.as_secs_f64(),
            );
            text.of(
                id,
                "feed_slow",
                &labels,
                f64::from(u8::from(feed.slow.is_some())),
            );
        }
    }
}

fn findings(text: &mut Text, findings: &[Finding]) {
    let mut bad: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for finding in findings {
        let is_bad = finding.verdict() != Health::Ok;
        let (check, subject, verdict) = (
            finding.check,
            word(&finding.subject),
            level(finding.verdict()),
        );
        match finding.classy_id {
            None => text.add(
                "check_verdict",
                format_args!("check=\"{check}\",organization=\"\",subject=\"{subject}\""),
                verdict,
            ),
            Some(id) if is_bad => {
                *bad.entry((check, finding.verdict().as_str())).or_default() += 1;
                if text.is_apart {
                    let labels =
                        format!("check=\"{check}\",organization=\"{id}\",subject=\"{subject}\"");
                    text.add("check_verdict", labels, verdict);
                }
            }
            Some(_) => {}
        }
    }
    for ((check, verdict), count) in bad {
        text.add(
            "checks_not_ok",
            format_args!("check=\"{check}\",verdict=\"{verdict}\""),
            count,
        );
    }
}

fn feed(
    text: &mut Text,
    organization: &OrganizationStatus,
    is_served: bool,
    entity: Entity,
    feed: &FeedStatus,
) {
    let id = organization.classy_id;
    let labels = format!("feed=\"{entity}\"");
    let more = |name: &str, value: &str| format!("{labels},{name}=\"{value}\"");
    // Of all together: those that this process keeps up to date.
    if let Some(fresh_at) = feed.fresh_at.filter(|_| text.is_apart || is_served) {
        text.of(
            id,
            "feed_age_seconds",
            &labels,
            seconds((crate::clock::now() - fresh_at).num_milliseconds()),
        );
    }
    let running = match feed.activity {
        Activity::Running(run) => Some(run.done),
        Activity::Idle | Activity::Waiting => None,
    };
    text.of(
        id,
        "feed_loaded",
        &labels,
        f64::from(u8::from(feed.is_loaded)),
    );
    if let Some(import) = feed.importing(crate::clock::now()) {
        let ratio = import
            .total
            .filter(|total| *total > 0)
            .map_or(0.0, |total| import.done.min(total) as f64 / total as f64);
        text.of(
            id,
            "feed_import_ratio",
            &labels,
            (ratio * 10_000.0).round() / 10_000.0,
        );
    }
    text.of(
        id,
        "feed_running",
        &labels,
        f64::from(u8::from(running.is_some())),
    );
    text.of(
        id,
        "feed_progress_records",
        &labels,
        running.unwrap_or(0) as f64,
    );
    text.of(id, "feed_failures", &labels, f64::from(feed.failures));
    let totals = &feed.totals;
    for (outcome, runs) in [
        ("complete", totals.complete),
        ("stopped", totals.stopped),
        ("failed", totals.failed),
    ] {
        text.of(id, "runs_total", &more("outcome", outcome), runs as f64);
    }
    let kinds = [
        ("seen", totals.seen),
        ("inserted", totals.inserted),
        ("updated", totals.updated),
        ("restored", totals.restored),
        ("upgraded", totals.upgraded),
        ("older", totals.older),
        ("rejected", totals.rejected),
        ("absent", totals.absent),
    ];
    for (kind, records) in kinds {
        text.of(id, "records_total", &more("kind", kind), records as f64);
    }
    text.of(id, "requests_total", &labels, totals.requests as f64);
    text.of(id, "bytes_total", &labels, totals.bytes as f64);
    text.of(
        id,
        "busy_seconds_total",
        &labels,
        totals.busy_ms as f64 / 1_000.0,
    );
}

/// A plugin's name comes from a file: only what a label may hold is kept.
fn word(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_-.: ".contains(*c))
        .collect()
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

const fn level(verdict: Health) -> i32 {
    match verdict {
        Health::Ok => 0,
        Health::Degraded => 1,
        Health::Failing => 2,
    }
}

#[cfg(test)]
pub(super) fn of_fleet(
    board: &Board,
    health: &HealthReport,
    pulses: &BTreeMap<i64, Pulse>,
) -> String {
    let mut text = Text::new(false);
    fleet(&mut text, board, health, pulses);
    text.whole()
}
