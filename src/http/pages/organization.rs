//! `/organizations/{classy_id}`: why it is as it is, what its feeds and plugins do, what happened.

use super::chart::sparkline;
use super::layout::{Page, button, invitation, order, shell};
use super::words::{ago, badge, count, first_import, fresh, plain};
use super::{show, show_missing, tables, unanswered};
use crate::clock;
use crate::domain::{Harm, Health, Import, Time};
use crate::entities::Entity;
use crate::health::HealthReport;
use crate::http::access::Caller;
use crate::http::plugins::{HeldPlan, held_plans};
use crate::http::site::Site;
use crate::http::sources::Sources;
use crate::status::{Activity, Condition, FeedStatus, OrganizationStatus, PluginStatus, imports};
use crate::store::{AlertRow, AuditRow, PluginLag, RejectRow, RunRow, StateCount};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use std::sync::Arc;

/// Rows of each list.
const SHOWN: u64 = 20;
/// Points of a rate chart.
const POINTS: u64 = 60;

/// What the database knows.
struct Known {
    alerts: Vec<AlertRow>,
    rejects: Vec<RejectRow>,
    runs: Vec<RunRow>,
    audit: Vec<AuditRow>,
    deliveries: Vec<StateCount>,
    lags: Vec<PluginLag>,
    held: Vec<HeldPlan>,
    /// Records a second, by feed.
    rates: Vec<(Entity, Vec<(Time, f64)>)>,
}

impl Known {
    async fn ask(sources: Arc<Sources>, classy_id: i64) -> Result<Known, crate::store::Error> {
        let store = &sources.store;
        let mut rates = Vec::new();
        for entity in Entity::ALL {
            rates.push((
                entity,
                store
                    .samples(Some(classy_id), &format!("{entity}.rate"), POINTS)
                    .await?,
            ));
        }
        Ok(Known {
            alerts: store.alerts(Some(classy_id), false, SHOWN).await?,
            rejects: store.rejects(Some(classy_id), false, SHOWN).await?,
            runs: store.runs(Some(classy_id), SHOWN).await?,
            audit: store.audit_rows(Some(classy_id), SHOWN).await?,
            deliveries: store.delivery_counts(classy_id).await?,
            lags: store.plugin_lags(Some(classy_id)).await?,
            held: held_plans(Arc::clone(&sources), classy_id).await?,
            rates,
        })
    }
}

pub(crate) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let page = Page::of(&site, caller);
    let Some((status, feeds)) = site.sources().board.one(classy_id) else {
        let text = format!("There is no organization {classy_id} here.");
        return (StatusCode::NOT_FOUND, show_missing(&page, &text)).into_response();
    };
    let health = site.sources().health();
    let known = site
        .ask(Known::ask(Arc::clone(site.sources()), classy_id))
        .await;
    let imports = imports(&status, &feeds, clock::now());
    let is_calm = health.verdict_of(classy_id) == Health::Ok;
    let body = html! {
        nav.crumbs aria-label="Where you are" { a href="/" { "Fleet" } " › " span aria-current="page" { (status.name) } }
        div.title-line {
            h1 { (status.name) " " span.note { (classy_id) } }
            span #verdict data-live {
                @if is_calm && !imports.is_empty() { span.badge.quiet { "first import" } } @else { (badge(health.verdict_of(classy_id))) }
                " " span.note { (condition(&status)) } }
        }
        div #actions .actions data-live { (actions(&page, &status)) }
        (invitation(&page))
        section #why data-live aria-labelledby="why-title" { h2 #why-title { "Why" } (why(&health, &status, &imports)) }
        section aria-labelledby="feeds-title" {
            h2 #feeds-title { "Feeds" }
            div #feeds .cards data-live {
                @for (entity, feed) in &feeds { (card(*entity, feed, status.condition == Condition::Serving, known.as_ref().ok())) }
            }
        }
        @match &known {
            Err(refusal) => { (unanswered(refusal)) }
            Ok(known) => { (remembered(&page, known, &site.sources().board.plugins(classy_id), classy_id)) }
        }
    };
    show(shell(&page, &status.name, &body))
}

fn condition(status: &OrganizationStatus) -> Markup {
    html! { (status.condition.as_str()) " since " (ago(Some(status.since))) }
}

fn actions(page: &Page, status: &OrganizationStatus) -> Markup {
    let path = |action: &str| format!("/api/v1/organizations/{}/{action}", status.classy_id);
    html! {
        a.button href={ "/organizations/" (status.classy_id) "/giving" } { "Donors and giving" }
        @if matches!(status.condition, Condition::Serving) { (button(page, &path("sync"), "Sync now", "")) }
        @if matches!(status.condition, Condition::Paused(_) | Condition::Suspended(_)) { (button(page, &path("resume"), "Resume", "")) }
        @else if !matches!(status.condition, Condition::Broken(_)) { (button(page, &path("pause"), "Pause", "")) }
    }
}

/// The answer to "why is it behind?", in sentences.
fn why(health: &HealthReport, status: &OrganizationStatus, imports: &[(Entity, Import)]) -> Markup {
    let mut findings: Vec<_> = health
        .of(Some(status.classy_id))
        .filter(|finding| finding.is_reason())
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict()));
    html! {
        @if !imports.is_empty() { (first_import(imports)) }
        @if let Condition::Paused(reason) = &status.condition {
            p.callout.degraded { "Paused: " (reason) }
        } @else if findings.is_empty() && imports.is_empty() && status.condition == Condition::Serving {
            p.callout.ok { "Nothing is wrong: every feed is as current as it should be." }
        } @else if findings.is_empty() && imports.is_empty() {
            p.note { "This process does not read it now: " (status.condition.as_str()) "." }
        } @else if !findings.is_empty() {
            ul.trouble {
                @for finding in findings {
                    li class=(finding.verdict().as_str()) {
                        (badge(finding.verdict()))
                        div {
                            strong { (plain(finding.check)) @if !finding.subject.is_empty() { " of " (plain(&finding.subject)) } }
                            p { (finding.result.reason) }
                        }
                    }
                }
            }
        }
    }
}

fn card(entity: Entity, feed: &FeedStatus, is_served: bool, known: Option<&Known>) -> Markup {
    let rates = known
        .and_then(|known| known.rates.iter().find(|(other, _)| *other == entity))
        .map(|(_, rates)| rates.as_slice());
    html! {
        article.card aria-label=(plain(entity.as_str())) {
            h3 { (plain(entity.as_str())) }
            (doing(entity, feed))
            dl {
                dt { "Up to date" } dd { (fresh(feed)) }
                dt { "Next look" } dd { @if is_served && feed.next_at.is_some() { (ago(feed.next_at)) } @else { "–" } }
                dt { "Since the start" }
                dd { (count(feed.totals.seen)) " seen, " (count(feed.totals.inserted)) " new, " (count(feed.totals.updated)) " changed"
                    @if feed.totals.restored > 0 { ", " (count(feed.totals.restored)) " restored" }
                    @if feed.totals.older > 0 { ", " (count(feed.totals.older)) " older not stored" }
                }
                @if let Some(last) = &feed.last {
                    dt { "Last run" }
                    dd { (last.mode) ", " (last.outcome) ", " (count(last.seen)) " seen in " (count(last.duration_ms)) " ms" }
                }
            }
            @if let Some(last) = feed.last.as_ref().filter(|last| last.error.is_some()) {
                p.bad { (last.error.as_deref().unwrap_or_default()) }
                @if let Some(hint) = &last.hint { p.note { "Hint: " (hint) } }
            }
            (rate(entity, rates.unwrap_or_default()))
        }
    }
}

fn doing(entity: Entity, feed: &FeedStatus) -> Markup {
    html! {
        @match feed.activity {
            Activity::Idle if !feed.is_loaded && feed.failures == 0 => { p { "not read yet" } }
            Activity::Idle => { p { @if feed.failures > 0 { span.bad { "failed " (feed.failures) "×" } ", waits to try again" } @else { "idle" } } }
            Activity::Waiting => { p { "waits for its turn" } }
            Activity::Running(run) => {
                p {
                    "reads (" (run.mode) "): " (count(run.done))
                    @if let Some(total) = run.total { " of " (count(total)) }
                    ", since " (ago(Some(run.since)))
                }
                @if let Some(total) = run.total.filter(|total| *total > 0) {
                    progress max=(total) value=(run.done.min(total)) aria-label={ "Progress of " (plain(entity.as_str())) } {}
                }
            }
        }
    }
}

fn rate(entity: Entity, rates: &[(Time, f64)]) -> Markup {
    let values: Vec<f64> = rates.iter().map(|(_, rate)| *rate).collect();
    let (last, most) = (
        values.last().copied().unwrap_or(0.0),
        values.iter().copied().fold(0.0, f64::max),
    );
    html! {
        @if values.len() > 1 {
            (sparkline(&values, &format!("Records a second of {}: last {last:.0}, at most {most:.0}", plain(entity.as_str()))))
            p.note { (count(last as u64)) " records/s, at most " (count(most as u64)) }
        }
    }
}

fn remembered(
    page: &Page,
    known: &Known,
    told: &[(String, PluginStatus)],
    classy_id: i64,
) -> Markup {
    html! {
        section #plugins data-live aria-labelledby="plugins-title" { h2 #plugins-title { "Plugins" } (plugins(page, known, told, classy_id)) }
        section #alerts data-live aria-labelledby="alerts-title" {
            h2 #alerts-title { "Alerts" }
            @if known.alerts.is_empty() { p.note { "None is open." } } @else { (tables::alerts(page, &known.alerts)) }
        }
        section #rejects data-live aria-labelledby="rejects-title" {
            h2 #rejects-title { "Rejects" }
            (tables::rejects(&known.rejects))
            @if !known.rejects.is_empty() { p.note { "All of them: " code { "classy-sync rejects --org " (classy_id) } } }
        }
        section #runs data-live aria-labelledby="runs-title" { h2 #runs-title { "Runs" } (tables::runs(&known.runs)) }
        section #audit data-live aria-labelledby="audit-title" { h2 #audit-title { "Audit trail" } (tables::audit(&known.audit)) }
    }
}

fn plugins(page: &Page, known: &Known, told: &[(String, PluginStatus)], classy_id: i64) -> Markup {
    let mut names: Vec<&str> = known
        .deliveries
        .iter()
        .map(|one| one.plugin.as_str())
        .collect();
    names.extend(
        known
            .lags
            .iter()
            .map(|lag| lag.plugin.as_str())
            .chain(told.iter().map(|(name, _)| name.as_str())),
    );
    names.sort_unstable();
    names.dedup();
    let people = |plugin: &str, state: &str| {
        known
            .deliveries
            .iter()
            .filter(|one| one.plugin == plugin && one.state == state)
            .map(|one| one.people)
            .sum::<u64>()
    };
    const STATES: [&str; 6] = [
        "delivered",
        "skipped",
        "deferred",
        "held",
        "rejected",
        "sending",
    ];
    html! {
        @for plan in &known.held {
            @let refusers = plan.harms().of(Harm::Unsubscribe);
            div class={ "callout " @if refusers > 0 { "failing" } @else { "degraded" } } {
                p { "A plan of " strong { (plan.plugin) } " is held until a person approves it:" }
                ul { @for (kind, number) in plan.harms().each() { li { (count(number)) " people " (kind.in_words()) } } }
                @if let Some(forecast) = &plan.forecast { p { "It is the first push: " (forecast) "." } }
                @if refusers > 0 { p { strong { (count(refusers)) " people opted out and can still be mailed until then." } } }
                p {
                    a href={ "/organizations/" (classy_id) "/held" } { "Look whom it touches" } " "
                    (order(page, &format!("/api/v1/organizations/{classy_id}/plugins/{}/approve", plan.plugin), "Approve", "small", &[("plan", &plan.id)]))
                }
            }
        }
        @for (name, status) in told {
            @if let Some(error) = status.last.as_ref().and_then(|last| last.error.as_ref()) { p.bad { (name) ": " (error) } }
        }
        @if names.is_empty() { p.note { "No plugin has delivered anything." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Plugins" {
                table {
                    thead { tr { th { "Plugin" } @for state in STATES { th.number { (state) } } th.number { "Changes to go" } th { "Moved" } } }
                    tbody {
                        @for plugin in names {
                            @let lag = known.lags.iter().find(|lag| lag.plugin == plugin);
                            tr {
                                th scope="row" { (plugin) }
                                @for state in STATES { td.number { (count(people(plugin, state))) } }
                                td.number { (count(lag.map_or(0, |lag| lag.behind))) }
                                td { (ago(lag.map(|lag| lag.moved_at))) }
                            }
                        }
                    }
                }
            }
        }
    }
}
