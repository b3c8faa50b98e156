//! `/organizations/{classy_id}/mailchimp`: the audience, what is held, who left and when, who opted
//! out and is still subscribed, and what cannot be made. Other plugins of the organization stand
//! here, too.

use super::super::layout::invitation;
use super::super::unanswered;
use super::super::words::{ago, count, counted, plain, title};
use super::callout::held_plan;
use super::frame::{Frame, Tab};
use crate::domain::{Profile, Time, Zone};
use crate::http::access::Caller;
use crate::http::plugins::{HeldPlan, held_plans};
use crate::http::site::Site;
use crate::http::sources::Sources;
use crate::integrations;
use crate::plugin::Told;
use crate::store::{Error, GuardState, PluginKey, Push, ReasonCount, Refusal, StateCount};
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The plugin whose contacts are an audience.
const MAILCHIMP: &str = "mailchimp";
/// People who left that are shown.
const LEFT: u64 = 50;
/// Reasons that are shown.
const REASONS: u64 = 20;
/// Pushes that are shown.
const PUSHES: usize = 10;

/// What is known of one plugin.
struct Known {
    name: String,
    destination: String,
    contacts: BTreeMap<String, u64>,
    guard: GuardState,
    left: Vec<Refusal>,
    pushes: Vec<Push>,
    still_subscribed: i64,
    reasons: Vec<ReasonCount>,
    told: Told,
    moved_at: Option<Time>,
    behind: u64,
    states: Vec<StateCount>,
}

/// What all plugins of an organization are known by.
struct All {
    plugins: Vec<Known>,
    held: Vec<HeldPlan>,
    people: BTreeMap<i64, Profile>,
}

async fn ask(sources: Arc<Sources>, classy_id: i64, with_people: bool) -> Result<All, Error> {
    let settings = sources.settings();
    let mut plugins = Vec::new();
    let mut people = BTreeMap::new();
    if let Some(applied) = settings.organizations.get(&classy_id) {
        let tenant = sources.store.tenant(&applied.organization);
        let counts = sources.store.delivery_counts(classy_id).await?;
        let lags = sources.store.plugin_lags(Some(classy_id)).await?;
        for name in applied.file.plugins.keys() {
            // One whose table is wrong delivers nothing, and says so elsewhere.
            let Ok(destination) = integrations::destination(&sources.vault, applied, name) else {
                continue;
            };
            let key = PluginKey {
                plugin: name.clone(),
                destination,
            };
            let lag = lags.iter().find(|lag| lag.plugin == *name);
            let state = tenant.plugin_state(&key).await?;
            plugins.push(Known {
                contacts: tenant.member_counts(&key, None).await?,
                guard: tenant.guard_state(&key).await?,
                left: tenant.latest_refusals(name, LEFT).await?,
                pushes: tenant.latest_pushes(&key, PUSHES).await?,
                still_subscribed: tenant.count_still_subscribed(&key).await?,
                reasons: tenant.reasons(&key, REASONS).await?,
                told: Told::of(state.state.as_deref()),
                moved_at: lag.map(|lag| lag.moved_at),
                behind: lag.map_or(0, |lag| lag.behind),
                states: counts
                    .iter()
                    .filter(|one| one.plugin == *name)
                    .cloned()
                    .collect(),
                name: name.clone(),
                destination: key.destination,
            });
        }
        if with_people {
            let left = plugins.iter().flat_map(|known| &known.left);
            let ids: Vec<i64> = left.filter_map(|refusal| refusal.supporter_id).collect();
            let found = tenant.profiles(&ids).await?;
            people = found
                .into_iter()
                .map(|person| (person.supporter_id, person))
                .collect();
        }
    }
    Ok(All {
        plugins,
        held: held_plans(sources, classy_id).await?,
        people,
    })
}

/// How many contacts of the audience may be mailed; none where none is connected, or it is not
/// known now.
pub(super) async fn subscribed_of(site: &Site, classy_id: i64) -> Option<u64> {
    let sources = Arc::clone(site.sources());
    let settings = sources.settings();
    let applied = settings.organizations.get(&classy_id)?;
    applied.file.plugins.get(MAILCHIMP)?;
    let destination = integrations::destination(&sources.vault, applied, MAILCHIMP).ok()?;
    let tenant = sources.store.tenant(&applied.organization);
    let key = PluginKey {
        plugin: MAILCHIMP.to_owned(),
        destination,
    };
    let counts = site
        .ask(async move { tenant.member_counts(&key, None).await })
        .await
        .ok()?;
    Some(counts.get("subscribed").copied().unwrap_or_default())
}

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let (sources, with_people) = (Arc::clone(site.sources()), frame.page.may_order);
    let known = site.ask(ask(sources, classy_id, with_people)).await;
    let last = site.sources().board.plugins(classy_id);
    let body = html! {
        @match &known {
            Err(refusal) => { (unanswered(refusal)) }
            Ok(all) => {
                div #held data-live {
                    @for plan in &all.held { (held_plan(&frame.page, classy_id, plan)) }
                }
                @if all.plugins.is_empty() {
                    p.note {
                        "No plugin is configured: nobody is sent anywhere. A table "
                        code { "[plugins.mailchimp]" } " in the organization's file connects one."
                    }
                }
                @for plugin in &all.plugins {
                    @let error = last
                        .iter()
                        .find(|(name, _)| *name == plugin.name)
                        .and_then(|(_, status)| status.last.as_ref()?.error.clone());
                    (one(&frame, plugin, error.as_deref(), &all.people))
                }
            }
        }
        (invitation(&frame.page))
    };
    frame.show(Tab::Mailchimp, None, &body)
}

fn one(
    frame: &Frame,
    known: &Known,
    error: Option<&str>,
    people: &BTreeMap<i64, Profile>,
) -> Markup {
    let id = format!("plugin-{}", known.name);
    let heading = format!("{id}-title");
    html! {
        section id=(id) data-live aria-labelledby=(heading) {
            h2 id=(heading) {
                (title(&known.name)) " " span.note { (known.destination) }
            }
            @if let Some((since, reason)) = &known.guard.suspended {
                p.callout.failing {
                    "Suspended since " (ago(Some(*since), frame.zone)) ": " (reason)
                }
            }
            @if let Some(error) = error { p.callout.failing { "The last delivery: " (error) } }
            @for lack in &known.told.lacks { p.callout.degraded { (lack) } }
            @for mended in &known.told.mended { p.note { (mended) } }
            @if known.still_subscribed > 0 {
                p.callout.degraded {
                    (counted(known.still_subscribed.unsigned_abs(), "contact", "contacts"))
                    " opted out at Classy and can still be mailed: they were there before us. "
                    code { "classy-sync plugin audit --org " (frame.classy_id) } " names them."
                }
            }
            (tiles(known, frame.zone))
            h3 { "People, by what became of them" }
            (states(known))
            @if known.name == MAILCHIMP {
                h3 { "Who left" }
                (left(frame, known, people))
                h3 { "The last pushes" }
                (pushes(frame, known))
            }
        }
    }
}

fn tiles(known: &Known, zone: Zone) -> Markup {
    html! {
        div.tiles {
            @for (status, number) in &known.contacts {
                div.tile {
                    span.name { @if status.is_empty() { "unknown" } @else { (title(status)) } }
                    strong { (count(*number)) }
                    span.note { "contacts" }
                }
            }
            div.tile {
                span.name { "Changes to go" }
                strong { (count(known.behind)) }
                span.note { "moved " (ago(known.moved_at, zone)) }
            }
            div.tile {
                span.name { "First push" }
                strong { @if known.guard.first_push_at.is_some() { "made" } @else { "to come" } }
                span.note {
                    @if let Some(at) = known.guard.first_push_at { (ago(Some(at), zone)) }
                    @else { "it waits for a person" }
                }
            }
        }
    }
}

fn states(known: &Known) -> Markup {
    html! {
        @if known.states.is_empty() { p.note { "Nothing has been delivered." } }
        @else {
            ul.chips {
                @for state in &known.states {
                    li.chip { (state.state) " " b { (count(state.people)) } }
                }
            }
        }
        @if !known.reasons.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Reasons" {
                table.stack {
                    thead { tr { th { "Why" } th { "State" } th.number { "People" } } }
                    tbody {
                        @for reason in &known.reasons {
                            tr {
                                th scope="row" { (reason.reason) }
                                td data-label="State" { (reason.state) }
                                td.number data-label="People" {
                                    (count(reason.people.unsigned_abs()))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn pushes(frame: &Frame, known: &Known) -> Markup {
    html! {
        @if known.pushes.is_empty() { p.note { "Nothing was sent in the last 30 days." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="The last pushes" {
                table.stack {
                    thead {
                        tr {
                            th { "When" } th.number { "Contacts" } th.number { "Taken back" }
                            th { "To take it back, and what was pushed since" }
                        }
                    }
                    tbody {
                        @for push in &known.pushes {
                            tr {
                                th scope="row" { (ago(Some(push.until), frame.zone)) }
                                td.number data-label="Contacts" {
                                    (count(push.contacts.unsigned_abs()))
                                }
                                td.number data-label="Taken back" {
                                    (count(push.taken_back.unsigned_abs()))
                                }
                                td data-label="Undo" {
                                    code {
                                        "classy-sync plugin undo --org " (frame.classy_id)
                                        " --since " (push.from.format("%Y-%m-%dT%H:%M:%SZ"))
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p.note { "The command shows first what it would do, and asks." }
        }
    }
}

fn left(frame: &Frame, known: &Known, people: &BTreeMap<i64, Profile>) -> Markup {
    let name = |person: &Profile| {
        let parts = [&person.first_name, &person.last_name];
        let parts = parts.into_iter().flatten().map(|part| part.trim());
        parts.collect::<Vec<_>>().join(" ")
    };
    html! {
        @if known.left.is_empty() { p.note { "Nobody left." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Who left" {
                table.stack {
                    thead {
                        tr {
                            th { "Supporter" } @if frame.page.may_order { th { "Name" } }
                            th { "How" } th { "Since" }
                        }
                    }
                    tbody {
                        @for refusal in &known.left {
                            tr {
                                th scope="row" {
                                    @match refusal.supporter_id {
                                        Some(id) if frame.page.may_order => {
                                            a href={
                                                "/organizations/" (frame.classy_id) "/people/" (id)
                                            } { (id) }
                                        }
                                        Some(id) => { (id) }
                                        None => { "an address" }
                                    }
                                }
                                @if frame.page.may_order {
                                    td data-label="Name" {
                                        (refusal
                                            .supporter_id
                                            .and_then(|id| people.get(&id))
                                            .map_or_else(|| "–".to_owned(), name))
                                    }
                                }
                                td data-label="How" {
                                    (plain(&refusal.way))
                                }
                                td data-label="Since" { (ago(Some(refusal.since), frame.zone)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
