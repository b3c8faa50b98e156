//! `/alerts`: what needs a look, all of it, and the alerts that were.

use super::layout::{Here, Page, invitation, shell};
use super::{causes, show, tables};
use crate::domain::Zone;
use crate::http::access::Caller;
use crate::http::site::Site;
use axum::extract::{Extension, State};
use axum::response::Response;
use maud::html;

/// Alerts that are shown.
const SHOWN: u64 = 100;
/// Causes that are shown.
const CAUSES: usize = 200;

pub(in super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let page = Page::of(&site, caller);
    let store = site.sources().store.clone();
    let rows = site
        .ask(async move { store.alerts(None, true, SHOWN).await })
        .await;
    // Without the database those in memory are shown.
    let health = site.sources().health();
    let rows = rows.unwrap_or_else(|_| health.alerts.clone());
    let (open, over): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|alert| alert.resolved_at.is_none());
    let name = |id: i64| super::name_of(&site, id);
    // What is not told by an alert of its own: it was just found, or is told within another one.
    let found = causes::all(&health);
    let untold: Vec<_> = found.iter().filter(|cause| !cause.is_told()).collect();
    let body = html! {
        h1 { "Alerts" }
        (invitation(&page))
        section #open data-live aria-labelledby="open-title" {
            h2 #open-title { "What needs a look" }
            @if open.is_empty() && untold.is_empty() { p.callout.ok { "Nothing is wrong." } }
            @if !open.is_empty() { (tables::alerts(&page, &open, &name)) }
            @if !untold.is_empty() {
                ul.alerts {
                    @for cause in untold.iter().take(CAUSES) {
                        (cause.card(&page, cause.whose().map(name).as_deref(), Zone::default()))
                    }
                }
            }
        }
        section #over data-live aria-labelledby="over-title" {
            h2 #over-title { "Over" }
            @if over.is_empty() { p.note { "None yet." } }
            @else { (tables::alerts(&page, &over, &name)) }
        }
    };
    show(shell(&page, Here::Alerts, "Alerts", &body))
}
