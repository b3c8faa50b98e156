//! `/organizations/{classy_id}/held`: whom a held plan would touch, and the buttons that allow it:
//! all of it, one kind, one person.

use super::super::layout::{Page, invitation, order};
use super::super::unanswered;
use super::super::words::count;
use super::frame::{Frame, Tab};
use crate::domain::{Harm, Profile};
use crate::http::access::Caller;
use crate::http::plugins::{HeldPlan, held_plans};
use crate::http::site::Site;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// People who are listed.
const SHOWN: usize = 500;

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let sources = Arc::clone(site.sources());
    let known = site
        .ask(async move {
            let plans = held_plans(Arc::clone(&sources), classy_id).await?;
            let mut ids: Vec<i64> = plans
                .iter()
                .flat_map(|plan| plan.people().into_keys().take(SHOWN))
                .collect();
            ids.sort_unstable();
            ids.dedup();
            let Some(organization) = sources.store.organization(classy_id).await? else {
                return Ok((plans, Vec::new()));
            };
            let people = sources.store.tenant(&organization).profiles(&ids).await?;
            Ok((plans, people))
        })
        .await;
    let body = html! {
        h2 { "Waits for a person" }
        (invitation(&frame.page))
        @match &known {
            Err(refusal) => { (unanswered(refusal)) }
            Ok((plans, _)) if plans.is_empty() => { p.callout.ok { "Nothing is held." } }
            Ok((plans, people)) => {
                @let people: BTreeMap<i64, &Profile> = people
                    .iter()
                    .map(|person| (person.supporter_id, person))
                    .collect();
                @for plan in plans { (section(&frame.page, classy_id, plan, &people)) }
            }
        }
    };
    frame.show(Tab::Mailchimp, None, &body)
}

fn section(
    page: &Page,
    classy_id: i64,
    plan: &HeldPlan,
    people: &BTreeMap<i64, &Profile>,
) -> Markup {
    let all = plan.people();
    let path = format!(
        "/api/v1/organizations/{classy_id}/plugins/{}/approve",
        plan.plugin
    );
    let id = plan.id.as_str();
    html! {
        section aria-label={ "Held by " (plan.plugin) } {
            h3 { (plan.plugin) " " span.note { "plan " (id) } }
            @if let Some(forecast) = &plan.forecast {
                p.callout.degraded { "It is the first push: " (forecast) "." }
            }
            p { (order(page, &path, "Approve all of it", "", &[("plan", id)])) }
            ul {
                @for (kind, number) in plan.harms().each() {
                    li {
                        (count(number)) " people " (kind.in_words()) " "
                        (order(
                            page,
                            &path,
                            &format!("Approve {kind}"),
                            "small",
                            &[("plan", id), ("kind", kind.as_str())],
                        ))
                    }
                }
            }
            p.note {
                "An approval is for these people alone, once, and for 24 hours. If the plan changes \
                 meanwhile, look again."
            }
            div.scroll tabindex="0" role="region" aria-label={ "People held by " (plan.plugin) } {
                table.stack {
                    thead {
                        tr {
                            th.number { "Supporter" }
                            @if page.may_order { th { "E-mail" } th { "Name" } }
                            th { "What" } @if page.may_order { th { "Allow" } }
                        }
                    }
                    tbody {
                        @for (supporter, kinds) in all.iter().take(SHOWN) {
                            tr {
                                td.number data-label="Supporter" { (supporter) }
                                @if page.may_order { (who(people.get(supporter).copied())) }
                                td data-label="What" { (in_words(kinds)) }
                                @if page.may_order {
                                    td data-label="Allow" {
                                        (order(
                                            page,
                                            &path,
                                            "Approve",
                                            "small",
                                            &[("plan", id), ("supporter", &supporter.to_string())],
                                        ))
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if all.len() > SHOWN {
                p.note {
                    "and " (count((all.len() - SHOWN) as u64)) " more: "
                    code { "classy-sync plugin preview --org " (classy_id) " --show-people" }
                }
            }
        }
    }
}

fn in_words(kinds: &[Harm]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.in_words()).collect();
    words.join("; ")
}

fn who(person: Option<&Profile>) -> Markup {
    let name = |person: &Profile| {
        [&person.first_name, &person.last_name]
            .into_iter()
            .flatten()
            .map(|part| part.trim())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let address = person.and_then(|person| person.address.as_ref());
    let address = address.map_or("", |address| address.as_str());
    html! {
        td data-label="E-mail" { (address) }
        td data-label="Name" { (person.map(name).unwrap_or_default()) }
    }
}
