//! `/alerts`: what is wrong, what was.

use super::layout::{Page, invitation, shell};
use super::{show, tables};
use crate::http::access::Caller;
use crate::http::site::Site;
use axum::extract::{Extension, State};
use axum::response::Response;
use maud::html;

/// Alerts that are shown.
const SHOWN: u64 = 100;

pub(crate) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let page = Page::of(&site, caller);
    let store = site.sources().store.clone();
    let rows = site
        .ask(async move { store.alerts(None, true, SHOWN).await })
        .await;
    // Without the database those in memory are shown.
    let rows = rows.unwrap_or_else(|_| site.sources().health().alerts.clone());
    let (open, over): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|alert| alert.resolved_at.is_none());
    let body = html! {
        h1 { "Alerts" }
        (invitation(&page))
        section #open data-live aria-labelledby="open-title" {
            h2 #open-title { "Open" }
            @if open.is_empty() { p.callout.ok { "Nothing is wrong." } } @else { (tables::alerts(&page, &open)) }
        }
        section #over data-live aria-labelledby="over-title" {
            h2 #over-title { "Over" }
            @if over.is_empty() { p.note { "None yet." } } @else { (tables::alerts(&page, &over)) }
        }
    };
    show(shell(&page, "Alerts", &body))
}
