//! `/organizations/{classy_id}/people/{supporter_id}`: one person, for whoever has the token:
//! gifts, plans, what they said of e-mail, where they were sent and why not.

use super::super::currency::Currency;
use super::super::words::{ago, count, day, plain, title};
use super::super::{show_missing, unanswered};
use super::frame::{Frame, Tab};
use crate::domain::Zone;
use crate::http::access::Caller;
use crate::http::site::Site;
use crate::store::{AuditRow, Error, Given, Person, Refusal, Sent, Store};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

/// All that is known of one.
struct Known {
    person: Person,
    currency: Currency,
    gifts: Vec<Given>,
    plans: Vec<Given>,
    sent: Vec<Sent>,
    refusals: Vec<Refusal>,
    audit: Vec<AuditRow>,
}

impl Known {
    async fn ask(store: Store, classy_id: i64, id: i64) -> Result<Option<Known>, Error> {
        let Some(organization) = store.organization(classy_id).await? else {
            return Ok(None);
        };
        let tenant = store.tenant(&organization);
        let Some(person) = tenant.person(id).await? else {
            return Ok(None);
        };
        Ok(Some(Known {
            person,
            currency: Currency::of(organization.currency_code.as_deref().unwrap_or_default()),
            gifts: tenant.gifts_of(id).await?,
            plans: tenant.plans_of(id).await?,
            sent: tenant.sent_of(id).await?,
            refusals: tenant.refusals_of(id).await?,
            audit: tenant.audit_of(id).await?,
        }))
    }
}

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path((classy_id, id)): Path<(i64, i64)>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    if !frame.page.may_order {
        // Who donors are is for whoever has the token, on this machine, too.
        return if frame.page.can_log_in {
            Redirect::to("/login").into_response()
        } else {
            let text = "Who donors are is shown to whoever has the token only, and none is set.";
            (StatusCode::UNAUTHORIZED, show_missing(&frame.page, text)).into_response()
        };
    }
    let store = site.sources().store.clone();
    let known = site.ask(Known::ask(store, classy_id, id)).await;
    let known = match known {
        Err(refusal) => return frame.show(Tab::Records, None, &unanswered(&refusal)),
        Ok(None) => {
            let text = format!("There is no supporter {id} here.");
            let missing = (StatusCode::NOT_FOUND, show_missing(&frame.page, &text));
            return missing.into_response();
        }
        Ok(Some(known)) => known,
    };
    frame.show(Tab::Records, None, &told(&known, frame.zone))
}

fn told(known: &Known, zone: Zone) -> Markup {
    let Person {
        id,
        name,
        email_address,
        place,
        ..
    } = &known.person;
    html! {
        div.title-line {
            h2 {
                @if name.is_empty() { "Supporter " (id) } @else { (name) " " span.note { (id) } }
            }
        }
        p {
            @match email_address { Some(address) => { (address) } None => { "no e-mail address" } }
            @if !place.is_empty() { " · " (place) }
        }
        @if let Some(at) = known.person.absent_since {
            p.callout.degraded { "No longer at Classy since " (ago(Some(at), zone)) "." }
        }
        (tiles(known, zone))
        section aria-labelledby="gifts-title" {
            h2 #gifts-title { "Gifts" }
            (given(&known.gifts, &known.currency, zone, "Gifts", "No gift is known."))
        }
        section aria-labelledby="plans-title" {
            h2 #plans-title { "Plans" }
            (given(&known.plans, &known.currency, zone, "Plans", "No plan is known."))
        }
        section aria-labelledby="sent-title" {
            h2 #sent-title { "Where they were sent" }
            (sent(known, zone))
        }
        section aria-labelledby="history-title" {
            h2 #history-title { "What changed" }
            (history(&known.audit, zone))
        }
    }
}

fn tiles(known: &Known, zone: Zone) -> Markup {
    let Person {
        lifetime,
        gifts,
        monthly,
        email_opt_in,
        consent_decided_at,
        ..
    } = &known.person;
    html! {
        div.tiles {
            div.tile {
                span.name { "Given in all" }
                strong { (known.currency.exact(*lifetime)) }
                span.note { (count(gifts.unsigned_abs())) " gifts" }
            }
            div.tile {
                span.name { "Recurring, a month" } strong { (known.currency.exact(*monthly)) }
            }
            div.tile {
                span.name { "May be mailed" }
                strong {
                    @match email_opt_in {
                        Some(true) => { "yes" }
                        Some(false) => { "no" }
                        None => { "never said" }
                    }
                }
                span.note {
                    @if consent_decided_at.is_some() {
                        "decided " (day(*consent_decided_at, zone))
                    } @else { "when is not known" }
                }
            }
        }
    }
}

fn given(rows: &[Given], currency: &Currency, zone: Zone, name: &str, none: &str) -> Markup {
    html! {
        @if rows.is_empty() { p.note { (none) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(name) {
                table.stack {
                    thead {
                        tr {
                            th { "When" } th.number { "Amount" } th { "Status" } th { "How often" }
                            th { "Campaign" } th.number { "Id" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (day(row.at, zone)) }
                                td.number data-label="Amount" {
                                    @match row.amount {
                                        Some(amount) => { (of(row, currency).exact(amount)) }
                                        None => { "–" }
                                    }
                                }
                                td data-label="Status" { (plain(&row.status)) }
                                td data-label="How often" {
                                    (row.frequency.as_deref().unwrap_or("–"))
                                }
                                td data-label="Campaign" {
                                    (row.campaign.as_deref().unwrap_or("–"))
                                }
                                td.number data-label="Id" { (row.id) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A row's own currency, or the organization's.
fn of(row: &Given, currency: &Currency) -> Currency {
    row.currency
        .as_deref()
        .map_or_else(|| currency.clone(), Currency::of)
}

fn sent(known: &Known, zone: Zone) -> Markup {
    html! {
        @for refusal in &known.refusals {
            p.callout.degraded {
                "Nothing is sent: " (plain(&refusal.way)) " at " (refusal.plugin) " since "
                (ago(Some(refusal.since), zone)) " (" (refusal.reason) ")."
            }
        }
        @if known.sent.is_empty() { p.note { "No plugin has looked at them yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Deliveries" {
                table.stack {
                    thead {
                        tr {
                            th { "Where" } th { "State" } th { "Why" } th { "There" }
                            th { "Delivered" } th { "Looked at" }
                        }
                    }
                    tbody {
                        @for row in &known.sent {
                            tr {
                                th scope="row" {
                                    (title(&row.plugin)) " " span.note { (row.destination) }
                                }
                                td data-label="State" { (row.state) }
                                td data-label="Why" { (row.reason.as_deref().unwrap_or("–")) }
                                td data-label="There" {
                                    (row.remote_status.as_deref().unwrap_or("–"))
                                }
                                td data-label="Delivered" { (ago(row.delivered_at, zone)) }
                                td data-label="Looked at" { (ago(Some(row.updated_at), zone)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What was before, and what it became.
fn history(rows: &[AuditRow], zone: Zone) -> Markup {
    html! {
        @if rows.is_empty() {
            p.note { "Nothing of consent or e-mail changed since it was first read." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="What changed" {
                table.stack {
                    thead { tr { th { "When" } th { "Who" } th { "What" } th { "From, to" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (ago(Some(row.at), zone)) }
                                td data-label="Who" { (row.actor) }
                                td data-label="What" { (plain(&row.action)) }
                                td data-label="From, to" { (change(&row.detail)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn change(detail: &str) -> String {
    let read: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let word = |key: &str| match read.get(key) {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Bool(is)) => Some(if *is { "yes" } else { "no" }.to_owned()),
        Some(serde_json::Value::Null) => Some("nothing".to_owned()),
        Some(other) => Some(other.to_string()),
        None => None,
    };
    match (word("from"), word("to")) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        _ if read.is_null() => "–".to_owned(),
        _ => detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_words() {
        for (detail, told) in [
            (
                r#"{"column":"email_opt_in","from":true,"to":false}"#,
                "yes → no",
            ),
            (r#"{"from":"a@b.org","to":null}"#, "a@b.org → nothing"),
            ("", "–"),
        ] {
            assert_eq!(change(detail), told);
        }
    }
}
