//! `/metrics` in Prometheus' text form, written from the board and the last verdict. Labels are ids
//! and our own words: nothing in them needs escaping, and nothing of a donor is in them.
//! `deploy/METRICS.md` explains every name.
//!
//! What is known of each organization is told of all together, unless
//! `http.metrics_per_organization` is set: ten thousand organizations are half a million lines
//! otherwise, in each scrape.

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
use std::fmt::{Display, Write};

/// How the values of many organizations become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    /// Added up.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The one that is farthest from nought.
    Farthest,
    /// It is not about organizations.
    Alone,
}
use Together::{Alone, Farthest, Max, Min, Sum};

/// Every name with its type, how values of organizations become one, and what it tells.
pub(super) const NAMES: [(&str, &str, Together, &str); 37] = [
    (
        "classy_sync_build_info",
        "gauge",
        Alone,
        "Always 1; the version is a label",
    ),
    (
        "classy_sync_uptime_seconds",
        "gauge",
        Alone,
        "How long the process has been at work",
    ),
    (
        "classy_sync_ready",
        "gauge",
        Alone,
        "1 when new work is taken",
    ),
    (
        "classy_sync_look_age_seconds",
        "gauge",
        Alone,
        "How long ago health was last looked at",
    ),
    (
        "classy_sync_verdict",
        "gauge",
        Alone,
        "The whole: 0 ok, 1 degraded, 2 failing",
    ),
    (
        "classy_sync_organizations",
        "gauge",
        Alone,
        "Organizations by verdict: ok, degraded, failing",
    ),
    (
        "classy_sync_checks_not_ok",
        "gauge",
        Alone,
        "Checks of organizations that are not ok, by check and verdict",
    ),
    (
        "classy_sync_organization_verdict",
        "gauge",
        Max,
        "One organization: 0 ok, 1 degraded, 2 failing",
    ),
    (
        "classy_sync_check_verdict",
        "gauge",
        Alone,
        "Checks of the process; with metrics of each organization also of those what is not ok",
    ),
    (
        "classy_sync_alerts_open",
        "gauge",
        Alone,
        "Open alerts by severity",
    ),
    (
        "classy_sync_database_up",
        "gauge",
        Alone,
        "1 when the database answers",
    ),
    (
        "classy_sync_database_answer_seconds",
        "gauge",
        Alone,
        "How long the database took to answer",
    ),
    (
        "classy_sync_disk_free_bytes",
        "gauge",
        Alone,
        "Room where something is written",
    ),
    (
        "classy_sync_memory_bytes",
        "gauge",
        Alone,
        "Resident memory",
    ),
    (
        "classy_sync_thread_late_seconds",
        "gauge",
        Alone,
        "How long a thread of actors has had no time",
    ),
    (
        "classy_sync_waiting_runs",
        "gauge",
        Alone,
        "Runs that wait for their turn",
    ),
    (
        "classy_sync_organization_served",
        "gauge",
        Sum,
        "1 when this process serves the organization",
    ),
    (
        "classy_sync_feed_age_seconds",
        "gauge",
        Max,
        "How long ago a feed was up to date",
    ),
    (
        "classy_sync_feed_interval_seconds",
        "gauge",
        Max,
        "How often a feed should look for changes",
    ),
    (
        "classy_sync_feed_loaded",
        "gauge",
        Sum,
        "1 when a feed was read whole at least once",
    ),
    (
        "classy_sync_feed_import_ratio",
        "gauge",
        Min,
        "How much of a first import is done, 0 to 1; absent when it is done",
    ),
    (
        "classy_sync_feed_running",
        "gauge",
        Sum,
        "1 while a feed reads",
    ),
    (
        "classy_sync_feed_progress_records",
        "gauge",
        Sum,
        "Records that the run in hand has read",
    ),
    (
        "classy_sync_feed_failures",
        "gauge",
        Max,
        "Failures in a row",
    ),
    (
        "classy_sync_feed_slow",
        "gauge",
        Sum,
        "1 when the last run was far slower than usual",
    ),
    (
        "classy_sync_runs_total",
        "counter",
        Sum,
        "Runs that ended, by outcome",
    ),
    (
        "classy_sync_records_total",
        "counter",
        Sum,
        "Records by what became of them",
    ),
    (
        "classy_sync_requests_total",
        "counter",
        Sum,
        "Pages and single records asked for",
    ),
    (
        "classy_sync_bytes_total",
        "counter",
        Sum,
        "Decoded bytes of pages",
    ),
    (
        "classy_sync_busy_seconds_total",
        "counter",
        Sum,
        "Time spent in runs",
    ),
    (
        "classy_sync_token_requests_total",
        "counter",
        Sum,
        "Access tokens asked for",
    ),
    (
        "classy_sync_request_seconds_total",
        "counter",
        Sum,
        "Time spent waiting for Classy's answers",
    ),
    (
        "classy_sync_breaker_open",
        "gauge",
        Sum,
        "1 while Classy is left alone after failures",
    ),
    (
        "classy_sync_clock_ahead_seconds",
        "gauge",
        Farthest,
        "How far Classy's clock is ahead of ours",
    ),
    (
        "classy_sync_rejects_open",
        "gauge",
        Sum,
        "Records that are turned away",
    ),
    (
        "classy_sync_plugin_behind",
        "gauge",
        Sum,
        "Changes that a plugin has not looked at",
    ),
    (
        "classy_sync_plugin_still_seconds",
        "gauge",
        Max,
        "How long ago a plugin last moved",
    ),
];

/// The text as it grows: values by name, so that each name's are together.
struct Text {
    values: Vec<String>,
    /// Each organization by itself.
    is_apart: bool,
    /// What is known of organizations so far: by name and labels.
    together: BTreeMap<(usize, String), f64>,
}

impl Text {
    fn new(is_apart: bool) -> Text {
        Text {
            values: vec![String::new(); NAMES.len()],
            is_apart,
            together: BTreeMap::new(),
        }
    }

    fn place(name: &str) -> Option<usize> {
        NAMES
            .iter()
            .position(|(known, ..)| known.strip_prefix("classy_sync_") == Some(name))
    }

    /// Adds a value. `labels` are written as they are, between braces.
    fn add(&mut self, name: &str, labels: impl Display, value: impl Display) {
        let Some(place) = Text::place(name) else {
            return;
        };
        let (text, labels) = (&mut self.values[place], labels.to_string());
        // Writing into a text cannot fail.
        let _ = if labels.is_empty() {
            writeln!(text, "classy_sync_{name} {value}")
        } else {
            writeln!(text, "classy_sync_{name}{{{labels}}} {value}")
        };
    }

    /// Adds a value of an organization: by itself, or to those of the others with the same labels.
    fn of(&mut self, organization: i64, name: &str, labels: &str, value: f64) {
        if self.is_apart {
            let comma = if labels.is_empty() { "" } else { "," };
            return self.add(
                name,
                format_args!("organization=\"{organization}\"{comma}{labels}"),
                value,
            );
        }
        let Some(place) = Text::place(name) else {
            return;
        };
        self.together
            .entry((place, labels.to_owned()))
            .and_modify(|so_far| {
                *so_far = match NAMES[place].2 {
                    Sum => *so_far + value,
                    Max => so_far.max(value),
                    Min => so_far.min(value),
                    Farthest if value.abs() > so_far.abs() => value,
                    Farthest | Alone => *so_far,
                }
            })
            .or_insert(value);
    }

    fn whole(mut self) -> String {
        for ((place, labels), value) in std::mem::take(&mut self.together) {
            let name = NAMES[place].0.trim_start_matches("classy_sync_");
            self.add(name, labels, value);
        }
        let mut whole = String::new();
        for ((name, kind, _, help), values) in NAMES
            .iter()
            .zip(self.values)
            .filter(|(_, values)| !values.is_empty())
        {
            let _ = write!(
                whole,
                "# HELP {name} {help}.\n# TYPE {name} {kind}\n{values}"
            );
        }
        whole
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_stand_together_below_their_help() {
        let write = |is_apart| {
            let mut text = Text::new(is_apart);
            text.add("verdict", "", 1);
            for (id, loaded, failures, ahead) in
                [(1, 1.0, 2.0, 0.5), (2, 0.0, 7.0, -9.0), (3, 1.0, 0.0, 3.0)]
            {
                text.of(id, "feed_loaded", "feed=\"supporters\"", loaded);
                text.of(id, "feed_failures", "feed=\"supporters\"", failures);
                text.of(id, "clock_ahead_seconds", "", ahead);
            }
            text.whole()
        };
        let apart = write(true);
        assert!(
            apart.contains("# TYPE classy_sync_verdict gauge\nclassy_sync_verdict 1\n"),
            "{apart}"
        );
        assert_eq!(apart.matches("# TYPE classy_sync_feed_loaded").count(), 1);
        assert!(
            apart.contains("classy_sync_feed_failures{organization=\"2\",feed=\"supporters\"} 7\n"),
            "{apart}"
        );
        assert!(
            apart.contains("classy_sync_clock_ahead_seconds{organization=\"2\"} -9\n"),
            "{apart}"
        );
        let together = write(false);
        for line in [
            "feed_loaded{feed=\"supporters\"} 2\n",
            "feed_failures{feed=\"supporters\"} 7\n",
            "clock_ahead_seconds -9\n",
            "verdict 1\n",
        ] {
            assert!(
                together.contains(&format!("classy_sync_{line}")),
                "{line} {together}"
            );
        }
        assert!(!together.contains("organization="), "{together}");
    }

    #[test]
    fn what_is_shipped_speaks_of_these_names_and_no_others() {
        let names: Vec<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
        let documents = [
            include_str!("../../deploy/METRICS.md"),
            include_str!("../../deploy/prometheus-alerts.yml"),
            include_str!("../../deploy/grafana-dashboard.json"),
        ];
        for name in &names {
            assert!(
                documents[0].contains(&format!("`{name}`")),
                "{name} is not explained"
            );
        }
        for document in documents {
            for used in document
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .filter(|word| word.starts_with("classy_sync_"))
            {
                assert!(names.contains(&used), "{used} is not a metric");
            }
        }
    }
}
