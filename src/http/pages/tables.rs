//! Tables that several pages show: alerts, rejects, the audit trail.

use super::causes::key_in_words;
use super::layout::{Page, button};
use super::words::{ago, badge, plain};
use crate::domain::{Health, Zone};
use crate::store::{AlertRow, AuditRow, RejectRow};
use maud::{Markup, html};

/// Alerts as a list; `name` tells who an organization is.
pub(super) fn alerts(page: &Page, rows: &[AlertRow], name: &dyn Fn(i64) -> String) -> Markup {
    let zone = Zone::default();
    html! {
        ul.alerts {
            @for alert in rows {
                li.cause class={ (alert.severity) @if alert.resolved_at.is_some() { " over" } } {
                    div.line {
                        (badge(alert.severity.parse().unwrap_or(Health::Failing)))
                        strong { (key_in_words(&alert.key)) }
                        @if let Some(id) = alert.classy_id {
                            a href={ "/organizations/" (id) "#why" } { (name(id)) }
                        }
                        @if alert.resolved_at.is_none()
                            && alert.acknowledged_at.is_none()
                            && alert.id > 0
                        {
                            (button(
                                page,
                                &format!("/api/v1/alerts/{}/ack", alert.id),
                                "Acknowledge",
                                "small",
                            ))
                        }
                    }
                    p { (alert.message) }
                    p.note {
                        "opened " (ago(Some(alert.opened_at), zone))
                        @if let Some(at) = alert.acknowledged_at {
                            ", acknowledged " (ago(Some(at), zone))
                        }
                        @if let Some(at) = alert.resolved_at { ", resolved " (ago(Some(at), zone)) }
                        @match alert.notified_by.as_deref() {
                            Some("log") => {
                                ", told to nobody: no webhook is configured, the log has it"
                            }
                            Some(_) => { ", told " (alert.notices) "×" }
                            None => { ", not told yet" }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn rejects(rows: &[RejectRow], zone: Zone) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "No record is turned away." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Rejects" {
                table.stack {
                    thead {
                        tr {
                            th { "Feed" } th.number { "Id at Classy" } th { "Reason" }
                            th { "Where" } th { "Last seen" }
                        }
                    }
                    tbody {
                        @for reject in rows {
                            tr {
                                td data-label="Feed" { (plain(&reject.entity)) }
                                td.number data-label="Id at Classy" { (reject.source_id) }
                                td data-label="Reason" { (plain(&reject.reason)) }
                                td data-label="Where" { (reject.detail) }
                                td data-label="Last seen" { (ago(Some(reject.last_seen_at), zone)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who changed what; what a donor's value was before stays on the command line.
pub(super) fn audit(rows: &[AuditRow], zone: Zone) -> Markup {
    html! {
        @if rows.is_empty() {
            p.note { "Nothing was ordered, and nothing of consent, e-mail or money changed." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Audit trail" {
                table.stack {
                    thead { tr { th { "When" } th { "Who" } th { "What" } th { "Whom" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td data-label="When" { (ago(Some(row.at), zone)) }
                                td data-label="Who" { (row.actor) }
                                td data-label="What" { (plain(&row.action)) }
                                td data-label="Whom" { (plain(&row.subject)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
