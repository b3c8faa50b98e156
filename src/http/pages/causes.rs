//! One card for each cause: what is wrong, of whom, since when, what helps, and the button that
//! does it.

use super::layout::{Page, button};
use super::words::{ago, badge, plain, title};
use crate::domain::{Health, Zone};
use crate::health::{Finding, HealthReport, LOOK_AND_APPROVE};
use crate::store::AlertRow;
use maud::{Markup, html};

/// Something that needs a look.
pub(super) struct Cause<'a> {
    finding: &'a Finding,
    /// What is told of it: since when it is so, and whether somebody has seen it.
    alert: Option<&'a AlertRow>,
}

/// All causes, the worst first, and of those the ones that are open longest.
pub(super) fn all(health: &HealthReport) -> Vec<Cause<'_>> {
    of_findings(health, health.worst())
}

/// Why one organization is as it is.
pub(super) fn of_organization(health: &HealthReport, classy_id: i64) -> Vec<Cause<'_>> {
    let found = health.of(Some(classy_id));
    of_findings(
        health,
        found.filter(|finding| finding.is_reason()).collect(),
    )
}

fn of_findings<'a>(health: &'a HealthReport, findings: Vec<&'a Finding>) -> Vec<Cause<'a>> {
    let cause = |finding: &'a Finding| Cause {
        finding,
        alert: health.alerts.iter().find(|alert| {
            // Alerts about a process end with which process it is.
            let key = alert.key.split('@').next().unwrap_or_default();
            alert.classy_id == finding.classy_id && key == finding.key()
        }),
    };
    let mut causes: Vec<Cause<'_>> = findings.into_iter().map(cause).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.finding.verdict()));
    causes
}

impl Cause<'_> {
    /// How bad it is.
    pub(super) const fn verdict(&self) -> Health {
        self.finding.verdict()
    }

    /// Whether an alert tells it.
    pub(super) const fn is_told(&self) -> bool {
        self.alert.is_some()
    }

    /// Classy's id of the organization that it is about.
    pub(super) const fn whose(&self) -> Option<i64> {
        self.finding.classy_id
    }

    /// What is wrong, without the command that helps: here a button does.
    fn reason(&self) -> &str {
        let reason = self.finding.result.reason.as_str();
        reason
            .split_once(LOOK_AND_APPROVE)
            .map_or(reason, |(what, _)| what)
    }

    fn waits_for_a_person(&self) -> bool {
        self.finding.result.reason.contains(LOOK_AND_APPROVE)
    }

    /// The card; `name` tells who an organization is, where that is not clear.
    pub(super) fn card(&self, page: &Page, name: Option<&str>, zone: Zone) -> Markup {
        let Finding {
            check, classy_id, ..
        } = *self.finding;
        let what = in_words(check, &self.finding.subject);
        let help = help(check);
        html! {
            li.cause class=(self.verdict().as_str()) {
                div.line {
                    (badge(self.verdict()))
                    strong { (what) }
                    @if let (Some(name), Some(id)) = (name, classy_id) {
                        a href={ "/organizations/" (id) "#why" } { (name) }
                    } @else if classy_id.is_none() { span.note { "this process" } }
                    @if let Some(alert) = self.alert {
                        span.note.since { "began " (ago(Some(alert.opened_at), zone)) }
                    }
                }
                p { (self.reason()) }
                @if !help.is_empty() { p.help { strong { "What helps: " } (help) } }
                (self.buttons(page, zone))
            }
        }
    }

    fn buttons(&self, page: &Page, zone: Zone) -> Markup {
        let of = self.finding.classy_id;
        html! {
            div.line {
                @if let Some(id) = of.filter(|_| self.waits_for_a_person()) {
                    a.button.small href={ "/organizations/" (id) "/held" } { "Look and approve" }
                } @else if let (Some(id), Some(way)) = (of, way(self.finding.check)) {
                    a.button.small href={ "/organizations/" (id) "/" (way.0) } { (way.1) }
                }
                @if let Some(id) = of.filter(|_| self.finding.check == "freshness") {
                    (button(page, &format!("/api/v1/organizations/{id}/sync"), "Sync now", "small"))
                }
                @if let Some(alert) = self.alert.filter(|alert| alert.id > 0) {
                    @if let Some(at) = alert.acknowledged_at {
                        span.note { "acknowledged " (ago(Some(at), zone)) }
                    } @else {
                        (button(
                            page,
                            &format!("/api/v1/alerts/{}/ack", alert.id),
                            "Acknowledge",
                            "small",
                        ))
                    }
                }
            }
        }
    }
}

/// A cause by its key, as alerts keep it: `delivery:mailchimp`.
pub(super) fn key_in_words(key: &str) -> String {
    let key = key.split('@').next().unwrap_or_default();
    let (check, subject) = key.split_once(':').unwrap_or((key, ""));
    in_words(check, subject)
}

/// A check and what it is about.
fn in_words(check: &str, subject: &str) -> String {
    let subject = plain(subject);
    let of = |what: &str| {
        if subject.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {subject}")
        }
    };
    match check {
        "freshness" => of("Not up to date"),
        "completeness" => of("Records are lacking"),
        "delivery" => of("Delivery"),
        "rejects" => of("Records were turned away"),
        "privacy" => of("Privacy"),
        "progress" => of("A run does not move"),
        "slowness" => of("Slower than usual"),
        "organization" => of("Not synced"),
        "token" => of("Credentials"),
        "database" => of("Database"),
        "disk" => of("Disk space"),
        "http" => of("HTTP"),
        other => of(&title(other)),
    }
}

/// What helps with what a check finds; where its own reason says it, nothing.
fn help(check: &str) -> &'static str {
    match check {
        "freshness" => "it is tried again by itself; if it stays, look at the runs",
        "completeness" => "it is read again by itself; if it stays, ask Classy for the records",
        "delivery" => "what is held waits for a person; the rest is tried again by itself",
        "rejects" => "mend the listed fields at Classy, and the records are read again",
        "organization" | "token" => {
            "check client id and secret in the organization's file, then `classy-sync reload`"
        }
        "disk" => "free space, or move the database: nothing is written when the disk is full",
        "progress" => "nothing at first: a run that is frozen is ended and begun again",
        _ => "",
    }
}

/// Where a person looks further: a tab, and its name.
fn way(check: &str) -> Option<(&'static str, &'static str)> {
    match check {
        "delivery" => Some(("mailchimp", "Mailchimp")),
        "freshness" | "completeness" | "progress" | "slowness" | "token" | "organization" => {
            Some(("runs", "Runs"))
        }
        "rejects" => Some(("records", "Records")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_alerts_are_told_in_words() {
        for (key, words) in [
            ("delivery:mailchimp", "Delivery: mailchimp"),
            (
                "freshness:recurring_plans@3",
                "Not up to date: recurring plans",
            ),
            ("database", "Database"),
            ("threads:http", "Threads: http"),
        ] {
            assert_eq!(key_in_words(key), words);
        }
    }
}
