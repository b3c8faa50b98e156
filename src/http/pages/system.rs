//! `/system`: this process and its database, for whoever runs it.

use super::layout::{Here, Page, shell};
use super::words::{count, span};
use super::{causes, show};
use crate::domain::{Health, Zone};
use crate::health::{Database, HealthReport};
use crate::http::access::Caller;
use crate::http::site::Site;
use crate::status::{Activity, Condition};
use axum::extract::{Extension, State};
use axum::response::Response;
use maud::{Markup, html};

pub(in super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let page = Page::of(&site, caller);
    let health = site.sources().health();
    let found = causes::all(&health);
    let here: Vec<_> = found
        .iter()
        .filter(|cause| cause.whose().is_none())
        .collect();
    let body = html! {
        h1 { "System" }
        p.note { "This process and its database. Organizations have pages of their own." }
        section #tiles .tiles data-live aria-label="In figures" { (tiles(&site, &health)) }
        section #why data-live aria-labelledby="why-title" {
            h2 #why-title { "What needs a look" }
            @if here.is_empty() { p.callout.ok { "Nothing is wrong with the process." } }
            @else {
                ul.alerts { @for cause in here { (cause.card(&page, None, Zone::default())) } }
            }
        }
        section #checks data-live aria-labelledby="checks-title" {
            h2 #checks-title { "What is looked at" }
            (checks(&health))
        }
    };
    show(shell(&page, Here::System, "System", &body))
}

fn tiles(site: &Site, health: &HealthReport) -> Markup {
    let all = site.sources().board.all();
    let served = all
        .iter()
        .filter(|(status, _)| status.condition == Condition::Serving)
        .count();
    let feeds = || all.iter().flat_map(|(_, feeds)| feeds);
    let running = feeds()
        .filter(|(_, feed)| matches!(feed.activity, Activity::Running(_)))
        .count();
    let seen: u64 = feeds().map(|(_, feed)| feed.totals.seen).sum();
    let facts = health.facts.as_ref();
    let tile = |name: &str, value: String, more: String| {
        html! {
            div.tile { span.name { (name) } strong { (value) } span.note { (more) } }
        }
    };
    let (database, more) = match facts.map(|facts| &facts.database) {
        Some(Database::Answers(took)) if took.as_millis() == 0 => {
            ("< 1 ms".to_owned(), "to answer")
        }
        Some(Database::Answers(took)) => (format!("{} ms", took.as_millis()), "to answer"),
        Some(Database::Silent(_)) => ("silent".to_owned(), "see below"),
        None => ("–".to_owned(), "not asked yet"),
    };
    let up = facts.map_or_else(String::new, |facts| span(facts.up.as_secs().cast_signed()));
    let memory = facts.map_or_else(
        || "–".to_owned(),
        |facts| format!("{} MiB", facts.memory_bytes >> 20),
    );
    let waiting = site.sources().run_permits.waiting();
    html! {
        (tile("Version", env!("CARGO_PKG_VERSION").to_owned(), format!("up {up}")))
        (tile("Served here", count(served as u64), format!("of {} organizations", all.len())))
        (tile("Running", count(running as u64), format!("{waiting} wait for their turn")))
        (tile("Records read", count(seen), format!("in {up}")))
        (tile("Database", database, more.to_owned()))
        (tile("Memory", memory, "in use".to_owned()))
    }
}

/// The process's checks, good ones too.
fn checks(health: &HealthReport) -> Markup {
    let mut found: Vec<_> = health.of(None).collect();
    found.sort_by(|a, b| (b.verdict(), a.check).cmp(&(a.verdict(), b.check)));
    html! {
        @if found.is_empty() { p.note { "Nobody has looked yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Checks" {
                table.stack {
                    thead { tr { th { "Check" } th { "State" } th { "Told" } } }
                    tbody {
                        @for finding in found {
                            tr {
                                th scope="row" {
                                    (super::causes::key_in_words(&finding.key()))
                                }
                                td data-label="State" { (super::words::badge(finding.verdict())) }
                                td data-label="Told" {
                                    @if finding.verdict() == Health::Ok
                                        && finding.result.reason.is_empty() { "as it should be" }
                                    @else { (finding.result.reason) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
