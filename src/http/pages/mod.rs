//! The dashboard: pages made here, readable without script, live with it. Markup comes from
//! [`maud`], so that whatever is put into a page is text, a donor's or campaign's name too. No page
//! loads anything from elsewhere.

pub(super) mod alerts;
pub(super) mod assets;
mod chart;
pub(super) mod fleet;
pub(super) mod giving;
pub(super) mod held;
mod layout;
pub(super) mod login;
pub(super) mod organization;
mod tables;
mod words;

use super::access::Caller;
use super::site::{Refusal, Site};
use axum::response::{Html, IntoResponse, Response};
use layout::{Page, shell};
use maud::{Markup, html};

/// A page that is there.
fn show(page: Markup) -> Response {
    Html(page.into_string()).into_response()
}

/// A page for what cannot be shown.
pub(super) fn refused(site: &Site, caller: Caller, text: &str) -> Response {
    show_missing(&Page::of(site, caller), text)
}

fn show_missing(page: &Page, text: &str) -> Response {
    show(shell(
        page,
        "Not found",
        &html! { h1 { "Not found" } p { (text) " " a href="/" { "Back to the fleet" } } },
    ))
}

/// What a section shows when its question could not be answered.
fn unanswered(refusal: &Refusal) -> Markup {
    html! { p.note { "Not shown: " (refusal.text) } }
}
