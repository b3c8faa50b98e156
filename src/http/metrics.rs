//! `/metrics` in Prometheus' text form, written from the board and the last verdict. Labels are ids and our own words: nothing in them needs
//! escaping, and nothing of a donor is in them. `deploy/METRICS.md` explains every name.

use super::site::Site;
use crate::actors::{Activity, FeedStatus, OrganizationStatus, Shared};
use crate::domain::{Entity, Health};
use crate::health::{Database, Facts, HealthReport};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::fmt::{Display, Write};

/// Every name with its type and what it tells.
pub(super) const NAMES: [(&str, &str, &str); 34] = [
    ("classy_sync_build_info", "gauge", "Always 1; the version is a label"),
    ("classy_sync_uptime_seconds", "gauge", "How long the process has been at work"),
    ("classy_sync_ready", "gauge", "1 when new work is taken"),
    ("classy_sync_look_age_seconds", "gauge", "How long ago health was last looked at"),
    ("classy_sync_verdict", "gauge", "The whole: 0 ok, 1 degraded, 2 failing"),
    ("classy_sync_organization_verdict", "gauge", "One organization: 0 ok, 1 degraded, 2 failing"),
    ("classy_sync_check_verdict", "gauge", "Checks of the process; of organizations those that are not ok"),
    ("classy_sync_alerts_open", "gauge", "Open alerts by severity"),
    ("classy_sync_database_up", "gauge", "1 when the database answers"),
    ("classy_sync_database_answer_seconds", "gauge", "How long the database took to answer"),
    ("classy_sync_disk_free_bytes", "gauge", "Room where something is written"),
    ("classy_sync_memory_bytes", "gauge", "Resident memory"),
    ("classy_sync_thread_late_seconds", "gauge", "How long a thread of actors has had no time"),
    ("classy_sync_waiting_runs", "gauge", "Runs that wait for their turn"),
    ("classy_sync_organization_served", "gauge", "1 when this process serves the organization"),
    ("classy_sync_feed_age_seconds", "gauge", "How long ago a feed was up to date"),
    ("classy_sync_feed_interval_seconds", "gauge", "How often a feed should look for changes"),
    ("classy_sync_feed_loaded", "gauge", "1 when a feed was read whole at least once"),
    ("classy_sync_feed_running", "gauge", "1 while a feed reads"),
    ("classy_sync_feed_progress_records", "gauge", "Records that the run in hand has read"),
    ("classy_sync_feed_failures", "gauge", "Failures in a row"),
    ("classy_sync_feed_slow", "gauge", "1 when the last run was far slower than usual"),
    ("classy_sync_runs_total", "counter", "Runs that ended, by outcome"),
    ("classy_sync_records_total", "counter", "Records by what became of them"),
    ("classy_sync_requests_total", "counter", "Pages and single records asked for"),
    ("classy_sync_bytes_total", "counter", "Decoded bytes of pages"),
    ("classy_sync_busy_seconds_total", "counter", "Time spent in runs"),
    ("classy_sync_token_requests_total", "counter", "Access tokens asked for"),
    ("classy_sync_request_seconds_total", "counter", "Time spent waiting for Classy's answers"),
    ("classy_sync_breaker_open", "gauge", "1 while Classy is left alone after failures"),
    ("classy_sync_clock_ahead_seconds", "gauge", "How far Classy's clock is ahead of ours"),
    ("classy_sync_rejects_open", "gauge", "Records that are turned away"),
    ("classy_sync_plugin_behind", "gauge", "Changes that a plugin has not looked at"),
    ("classy_sync_plugin_still_seconds", "gauge", "How long ago a plugin last moved"),
];

/// The text as it grows: values by name, so that each name's are together.
struct Text(Vec<String>);

impl Text {
    fn new() -> Text {
        Text(vec![String::new(); NAMES.len()])
    }

    /// Adds a value. `labels` are written as they are.
    fn add(&mut self, name: &str, labels: impl Display, value: impl Display) {
        let Some(place) = NAMES.iter().position(|(known, ..)| known.strip_prefix("classy_sync_") == Some(name)) else { return };
        // Writing into a text cannot fail.
        let _ = writeln!(self.0[place], "classy_sync_{name}{labels} {value}");
    }

    fn whole(self) -> String {
        let mut whole = String::new();
        for ((name, kind, help), values) in NAMES.iter().zip(self.0).filter(|(_, values)| !values.is_empty()) {
            let _ = write!(whole, "# HELP {name} {help}.\n# TYPE {name} {kind}\n{values}");
        }
        whole
    }
}

pub(super) async fn metrics(State(site): State<Site>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&site))
}

fn text(site: &Site) -> String {
    let shared = site.shared();
    let health = shared.health();
    let mut text = Text::new();
    text.add("build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
    text.add("ready", "", i32::from(site.is_ready()));
    text.add("look_age_seconds", "", seconds((crate::clock::now() - health.at).num_milliseconds()));
    text.add("verdict", "", level(health.verdict()));
    text.add("waiting_runs", "", shared.dealer.waiting());
    for severity in ["degraded", "failing"] {
        let open = health.alerts.iter().filter(|alert| alert.severity == severity).count();
        text.add("alerts_open", format_args!("{{severity=\"{severity}\"}}"), open);
    }
    for (thread, late) in [("main", shared.roster.lateness()), ("watch", shared.roster.watch_lateness())] {
        text.add("thread_late_seconds", format_args!("{{thread=\"{thread}\"}}"), late.as_secs_f64());
    }
    if let Some(facts) = &health.facts {
        process(&mut text, facts);
    }
    findings(&mut text, &health);
    for (organization, feeds) in shared.board.all() {
        let labels = format!("{{organization=\"{}\"}}", organization.classy_id);
        let is_served = organization.condition == crate::actors::Condition::Serving;
        text.add("organization_served", &labels, i32::from(is_served));
        text.add("organization_verdict", &labels, level(health.verdict_of(organization.classy_id)));
        for (entity, feed) in feeds {
            self::feed(&mut text, &organization, entity, &feed);
        }
    }
    access(&mut text, shared);
    text.whole()
}

fn process(text: &mut Text, facts: &Facts) {
    text.add("uptime_seconds", "", facts.up.as_secs());
    text.add("memory_bytes", "", facts.memory_bytes);
    text.add("database_up", "", i32::from(matches!(facts.database, Database::Answers(_))));
    if let Database::Answers(took) = facts.database {
        text.add("database_answer_seconds", "", took.as_secs_f64());
    }
    for space in &facts.spaces {
        text.add("disk_free_bytes", format_args!("{{place=\"{}\"}}", space.what), space.free);
    }
    for organization in &facts.organizations {
        let id = organization.classy_id;
        text.add("rejects_open", format_args!("{{organization=\"{id}\"}}"), organization.rejects.0);
        for plugin in &organization.plugins {
            let labels = format!("{{organization=\"{id}\",plugin=\"{}\"}}", word(&plugin.plugin));
            text.add("plugin_behind", &labels, plugin.behind);
            if let Some(moved_at) = plugin.moved_at {
                text.add("plugin_still_seconds", &labels, seconds((facts.at - moved_at).num_milliseconds()));
            }
        }
        for feed in &organization.feeds {
            let labels = format!("{{organization=\"{id}\",feed=\"{}\"}}", feed.entity);
            text.add("feed_interval_seconds", &labels, feed.interval.as_secs_f64());
            text.add("feed_slow", &labels, i32::from(feed.slow.is_some()));
        }
    }
}

fn findings(text: &mut Text, health: &HealthReport) {
    for finding in health.findings.iter().filter(|finding| finding.classy_id.is_none() || finding.verdict() != Health::Ok) {
        let organization = finding.classy_id.map_or_else(String::new, |id| id.to_string());
        let labels = format!("{{check=\"{}\",organization=\"{organization}\",subject=\"{}\"}}", finding.check, word(&finding.subject));
        text.add("check_verdict", labels, level(finding.verdict()));
    }
}

fn feed(text: &mut Text, organization: &OrganizationStatus, entity: Entity, feed: &FeedStatus) {
    let labels = format!("{{organization=\"{}\",feed=\"{entity}\"}}", organization.classy_id);
    let more = |name: &str, value: &str| labels.replace('}', &format!(",{name}=\"{value}\"}}"));
    if let Some(fresh_at) = feed.fresh_at {
        text.add("feed_age_seconds", &labels, seconds((crate::clock::now() - fresh_at).num_milliseconds()));
    }
    let running = match feed.activity {
        Activity::Running(run) => Some(run.done),
        Activity::Idle | Activity::Waiting => None,
    };
    text.add("feed_loaded", &labels, i32::from(feed.is_loaded));
    text.add("feed_running", &labels, i32::from(running.is_some()));
    text.add("feed_progress_records", &labels, running.unwrap_or(0));
    text.add("feed_failures", &labels, feed.failures);
    let totals = &feed.totals;
    for (outcome, runs) in [("complete", totals.complete), ("stopped", totals.stopped), ("failed", totals.failed)] {
        text.add("runs_total", more("outcome", outcome), runs);
    }
    let kinds = [
        ("seen", totals.seen),
        ("inserted", totals.inserted),
        ("updated", totals.updated),
        ("rejected", totals.rejected),
        ("absent", totals.absent),
    ];
    for (kind, records) in kinds {
        text.add("records_total", more("kind", kind), records);
    }
    text.add("requests_total", &labels, totals.requests);
    text.add("bytes_total", &labels, totals.bytes);
    text.add("busy_seconds_total", &labels, totals.busy_ms as f64 / 1_000.0);
}

fn access(text: &mut Text, shared: &Shared) {
    for (id, pulse) in shared.board.pulses() {
        let labels = format!("{{organization=\"{id}\"}}");
        text.add("token_requests_total", &labels, pulse.stats.token_requests);
        text.add("request_seconds_total", &labels, pulse.stats.spent_ms as f64 / 1_000.0);
        text.add("breaker_open", &labels, i32::from(pulse.open_for.is_some()));
        if let Some(ahead) = pulse.ahead_ms {
            text.add("clock_ahead_seconds", &labels, seconds(ahead));
        }
    }
}

/// A plugin's name comes from a file: only what a label may hold is kept.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.: ".contains(*c)).collect()
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
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_stand_together_below_their_help() {
        let mut text = Text::new();
        text.add("verdict", "", 1);
        text.add("feed_loaded", "{organization=\"1\",feed=\"supporters\"}", 1);
        text.add("feed_loaded", "{organization=\"2\",feed=\"supporters\"}", 0);
        let whole = text.whole();
        assert!(whole.contains("# TYPE classy_sync_verdict gauge\nclassy_sync_verdict 1\n"), "{whole}");
        assert_eq!(whole.matches("# TYPE classy_sync_feed_loaded").count(), 1);
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
            assert!(documents[0].contains(&format!("`{name}`")), "{name} is not explained");
        }
        for document in documents {
            for used in document.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("classy_sync_")) {
                assert!(names.contains(&used), "{used} is not a metric");
            }
        }
    }
}
