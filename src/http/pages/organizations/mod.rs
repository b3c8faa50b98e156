//! `/` where there are several organizations: all of them at a glance, with what came in, how well
//! each is, and those that need somebody first. Where there is one, `/` is its page.
//!
//! | what | where |
//! |---|---|
//! | the page | here |
//! | which are shown: words, chips, order, pages | `wanted` |
//! | what came in, of those that are shown | `giving` |
//! | the table | `table` |

mod giving;
mod table;
mod wanted;

use super::layout::{Here, Page, shell};
use super::words::{count, counted};
use super::{causes, organization};
use crate::domain::{Health, Zone};
use crate::health::HealthReport;
use crate::http::access::Caller;
use crate::http::cache::Made;
use crate::http::site::Site;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use giving::Giving;
use maud::{Markup, html};
use wanted::{Row, Wanted, rows};

/// Causes that are shown before the list.
const CAUSES: usize = 5;
/// From so many organizations on there are chips and a search.
const MANY: usize = 5;

pub(in super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Response {
    if let [only] = site.sources().board.ids()[..] {
        return organization::overview::show(&site, caller, only).await;
    }
    let key = format!("organizations {caller:?} {wanted:?}");
    site.made(&key, move |site| {
        Made::page(whole(site, caller, &wanted).into_string())
    })
    .await
}

fn whole(site: &Site, caller: Caller, wanted: &Wanted) -> Markup {
    let page = Page::of(site, caller);
    let health = site.sources().health();
    let rows = rows(&site.sources().board, &health);
    let shown = wanted.shown(&rows);
    let giving = Giving::of(site, shown.rows.iter().map(|row| row.status.classy_id));
    let importing = rows.iter().filter(|row| row.is_importing).count();
    let list = html! {
        section aria-labelledby="organizations-title" {
            div.title-line {
                h2 #organizations-title { "All organizations" }
                @if rows.len() >= MANY { (table::search(wanted)) }
            }
            @if rows.len() >= MANY { div #chips data-live { (table::chips(&rows, wanted)) } }
            div #organizations data-live { (table::table(&rows, &shown, &giving, wanted)) }
        }
    };
    let body = html! {
        h1 #headline data-live { (headline(&rows, &health)) }
        // Whoever looks for something sees what was found first.
        @if wanted.is_anything() { (list) (trouble(&page, &rows, &health)) }
        @else {
            @if giving.is_of_all(rows.len()) {
                section #money data-live aria-label="Money, all organizations" {
                    (giving.tiles())
                    @if importing > 0 {
                        p.note { "The first import of " (counted(importing as u64, "organization", "organizations")) " is going on: its gifts are not all in these sums." }
                    }
                }
            }
            (trouble(&page, &rows, &health))
            (list)
        }
    };
    shell(&page, Here::Home, "Organizations", &body)
}

fn headline(rows: &[Row], health: &HealthReport) -> String {
    if health.facts.is_none() {
        return "Starting: nobody has looked yet.".to_owned();
    }
    let bad = rows.iter().filter(|row| row.verdict != Health::Ok).count();
    let importing = rows.iter().filter(|row| row.is_importing).count();
    let here = health
        .of(None)
        .any(|finding| finding.verdict() != Health::Ok);
    let all = count(rows.len() as u64);
    match (rows.len(), bad) {
        (0, _) => "No organization yet.".to_owned(),
        (_, 0) if here => "All organizations are well; the process needs a look.".to_owned(),
        (_, 0) if importing > 0 => format!(
            "The first import of {} of {all} organizations is going on; nothing is wrong so far.",
            count(importing as u64),
        ),
        (_, 0) => format!("All {all} organizations are well."),
        (_, 1) => format!("1 of {all} organizations needs a look."),
        (_, bad) => format!("{} of {all} organizations need a look.", count(bad as u64)),
    }
}

/// What is wrong, the worst first, with the way to all of it.
fn trouble(page: &Page, rows: &[Row], health: &HealthReport) -> Markup {
    let name = |id: i64| {
        let found = rows.iter().find(|row| row.status.classy_id == id);
        found.map_or_else(|| id.to_string(), |row| row.status.name.clone())
    };
    let worst = causes::all(health);
    html! {
        section #trouble data-live aria-label="What needs a look" {
            @if !worst.is_empty() {
                h2 { "What needs a look" }
                ul.alerts {
                    @for cause in worst.iter().take(CAUSES) {
                        (cause.card(page, cause.whose().map(name).as_deref(), Zone::default()))
                    }
                }
                @if worst.len() > CAUSES {
                    p { a href="/alerts" { "All " (counted(worst.len() as u64, "cause", "causes")) } }
                }
            }
        }
    }
}

/// What grows with the number of organizations on this page.
#[cfg(test)]
pub(in super::super) fn sections(board: &crate::status::Board, health: &HealthReport) -> Markup {
    let page = Page::of_nobody(health);
    let (rows, wanted) = (rows(board, health), Wanted::default());
    let shown = wanted.shown(&rows);
    html! {
        (headline(&rows, health))
        (trouble(&page, &rows, health))
        (table::chips(&rows, &wanted))
        (table::table(&rows, &shown, &Giving::default(), &wanted))
    }
}
