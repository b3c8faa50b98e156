//! Tables that several pages show: alerts, rejects, runs, the audit trail.

use super::layout::{Page, button};
use super::words::{ago, badge, count, plain, span};
use crate::domain::Health;
use crate::store::{AlertRow, AuditRow, RejectRow, RunRow};
use maud::{Markup, html};

pub(super) fn alerts(page: &Page, rows: &[AlertRow]) -> Markup {
    html! {
        ul.alerts {
            @for alert in rows {
                li class={ "alert " (alert.severity) @if alert.resolved_at.is_some() { " over" } } {
                    div.line {
                        (badge(alert.severity.parse().unwrap_or(Health::Failing)))
                        strong { (plain(alert.key.split('@').next().unwrap_or_default())) }
                        @if let Some(id) = alert.classy_id { a href={ "/organizations/" (id) } { "organization " (id) } }
                        @if alert.resolved_at.is_none() && alert.acknowledged_at.is_none() && alert.id > 0 {
                            (button(page, &format!("/api/v1/alerts/{}/ack", alert.id), "Acknowledge", "small"))
                        }
                    }
                    p { (alert.message) }
                    p.note {
                        "opened " (ago(Some(alert.opened_at)))
                        @if let Some(at) = alert.acknowledged_at { ", acknowledged " (ago(Some(at))) }
                        @if let Some(at) = alert.resolved_at { ", resolved " (ago(Some(at))) }
                        @match alert.notified_by.as_deref() {
                            Some("log") => { ", told to nobody: no webhook is configured, the log has it" }
                            Some(_) => { ", told " (alert.notices) "×" }
                            None => { ", not told yet" }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn rejects(rows: &[RejectRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "No record is turned away." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Rejects" {
                table {
                    thead { tr { th { "Feed" } th.number { "Id at Classy" } th { "Reason" } th { "Where" } th { "Last seen" } } }
                    tbody {
                        @for reject in rows {
                            tr {
                                td { (plain(&reject.entity)) }
                                td.number { (reject.source_id) }
                                td { (plain(&reject.reason)) }
                                td { (reject.detail) }
                                td { (ago(Some(reject.last_seen_at))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn runs(rows: &[RunRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "Nothing ran yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Runs" {
                table {
                    thead {
                        tr {
                            th { "Feed" } th { "Mode" } th { "Outcome" } th { "Began" } th.number { "Took" } th.number { "Seen" }
                            th.number { "New" } th.number { "Changed" } th.number { "Requests" }
                        }
                    }
                    tbody {
                        @for run in rows {
                            @let took = run.finished_at.map(|end| (end - run.started_at).num_milliseconds());
                            tr {
                                td { (plain(&run.entity)) }
                                td { (run.mode) " " span.note { "(" (run.reason) ")" } }
                                td {
                                    @let outcome = run.outcome.as_deref().unwrap_or("unfinished");
                                    span class={ "outcome " (outcome) } { (outcome) }
                                    @if let Some(error) = &run.error { br; span.note { (error) } }
                                }
                                td { (ago(Some(run.started_at))) }
                                td.number { @match took { Some(ms @ 0..1_000) => { (ms) " ms" } Some(ms) => { (span(ms / 1_000)) } None => { "–" } } }
                                td.number { (count(run.counts.seen)) }
                                td.number { (count(run.counts.inserted)) }
                                td.number { (count(run.counts.updated)) }
                                td.number { (count(run.counts.requests)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who changed what; what a donor's value was before stays on the command line.
pub(super) fn audit(rows: &[AuditRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "Nothing was ordered, and nothing of consent, e-mail or money changed." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Audit trail" {
                table {
                    thead { tr { th { "When" } th { "Who" } th { "What" } th { "Whom" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td { (ago(Some(row.at))) }
                                td { (row.actor) }
                                td { (plain(&row.action)) }
                                td { (row.subject) }
                            }
                        }
                    }
                }
            }
        }
    }
}
