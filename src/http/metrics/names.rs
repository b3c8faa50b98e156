//! The names of all metrics: each with its type, how the values of many organizations become one,
//! and what it tells.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_speaks_of_these_names_and_no_others() {
        let names: Vec<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
        let documents = [
            include_str!("../../../deploy/METRICS.md"),
            include_str!("../../../deploy/prometheus-alerts.yml"),
            include_str!("../../../deploy/grafana-dashboard.json"),
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
