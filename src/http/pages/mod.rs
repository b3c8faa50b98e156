//! The dashboard: pages made here, readable without script, live with it. Markup comes from
//! [`maud`], so that whatever is put into a page is text, a donor's or campaign's name too. No page
//! loads anything from elsewhere.
//!
//! | what | where |
//! |---|---|
//! | head, navigation, buttons | `layout`; the style sheet and the script in `assets` |
//! | numbers, amounts, moments | `words`, `currency` |
//! | charts | `chart` |
//! | all organizations; the pages of one | `organizations`, `organization` |
//! | what needs a look; the process | `alerts`, `causes`, `system` |
//! | a browser that shows the token | `login` |

pub(super) mod alerts;
pub(super) mod assets;
mod causes;
mod chart;
mod currency;
mod layout;
pub(super) mod login;
pub(super) mod organization;
pub(super) mod organizations;
pub(super) mod system;
mod tables;
mod words;

use super::access::Caller;
use super::site::{Refusal, Site};
use axum::response::{Html, IntoResponse, Response};
use layout::{Here, Page, shell};
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
        Here::Elsewhere,
        "Not shown",
        &html! {
            div.missing {
                h1 { "This cannot be shown" }
                p { (text) }
                p { a.button href="/" { "To the home page" } }
            }
        },
    ))
}

/// What a section shows when its question could not be answered.
fn unanswered(refusal: &Refusal) -> Markup {
    html! { p.callout.degraded { "Not shown: " (refusal.text) } }
}

/// What people call an organization; its id where nobody knows it.
fn name_of(site: &Site, classy_id: i64) -> String {
    let found = site.sources().board.one(classy_id);
    found.map_or_else(|| classy_id.to_string(), |(status, _)| status.name)
}
