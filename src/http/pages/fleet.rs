//! `/`: all organizations at a glance, those that need somebody first.

use super::layout::{Page, shell};
use super::words::{badge, count, fresh, plain, span};
use crate::clock;
use crate::domain::Health;
use crate::entities::Entity;
use crate::health::{Database, HealthReport};
use crate::http::access::Caller;
use crate::http::cache::Made;
use crate::http::site::Site;
use crate::status::{Activity, Board, Condition, FeedStatus, OrganizationStatus, imports};
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

/// Rows of a page.
const SHOWN: usize = 100;
/// From so many on there is a search.
const MANY: usize = 10;

/// A part of a name or id, and the page of what was found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    q: String,
    page: usize,
}

impl Wanted {
    /// The way to another page of the same.
    fn to(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new("/?".to_owned());
        if !self.q.is_empty() {
            query.append_pair("q", &self.q);
        }
        query.append_pair("page", &page.to_string()).finish()
    }
}

/// An organization with its feeds and verdict.
struct Row {
    status: OrganizationStatus,
    feeds: Vec<(Entity, FeedStatus)>,
    verdict: Health,
    is_importing: bool,
}

pub(crate) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let key = format!("fleet {caller:?} {wanted:?}");
    site.made(&key, move |site| {
        Made::page(whole(site, caller, &wanted).into_string())
    })
    .await
}

fn whole(site: &Site, caller: Caller, wanted: &Wanted) -> Markup {
    let page = Page::of(site, caller);
    let health = site.sources().health();
    let mut rows = rows(&site.sources().board, &health);
    rows.sort_by(|a, b| {
        b.verdict
            .cmp(&a.verdict)
            .then_with(|| a.status.name.cmp(&b.status.name))
    });
    let body = html! {
        h1 #headline data-live { (headline(&rows, &health)) }
        section #tiles .tiles data-live aria-label="In figures" { (tiles(site, &rows, &health)) }
        (trouble(&rows, &health))
        section aria-labelledby="organizations-title" {
            div.title-line {
                h2 #organizations-title { "Organizations" }
                @if rows.len() >= MANY {
                    form.search method="get" action="/" role="search" {
                        input name="q" type="search" value=(wanted.q) placeholder="Name or id" aria-label="Find an organization";
                        button.small type="submit" { "Find" }
                    }
                }
            }
            div #organizations data-live { (organizations(&rows, wanted)) }
        }
    };
    shell(&page, "Fleet", &body)
}

fn rows(board: &Board, health: &HealthReport) -> Vec<Row> {
    let all = board.all().into_iter();
    let row = |(status, feeds): (OrganizationStatus, Vec<(Entity, FeedStatus)>)| Row {
        verdict: health.verdict_of(status.classy_id),
        is_importing: !imports(&status, &feeds, clock::now()).is_empty(),
        status,
        feeds,
    };
    all.map(row).collect()
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
    match (rows.len(), bad) {
        (0, _) => "No organization yet.".to_owned(),
        (_, 0) if here => "All organizations are well; the process needs a look.".to_owned(),
        (1, 0) if importing > 0 => "The first import is going on.".to_owned(),
        (all, 0) if importing > 0 => {
            format!(
                "The first import of {} of {} organizations is going on; nothing is wrong so far.",
                count(importing as u64),
                count(all as u64)
            )
        }
        (1, 0) => "All is well.".to_owned(),
        (all, 0) => format!("All {} organizations are well.", count(all as u64)),
        (all, 1) => format!("1 of {} organizations needs a look.", count(all as u64)),
        (all, bad) => format!(
            "{} of {} organizations need a look.",
            count(bad as u64),
            count(all as u64)
        ),
    }
}

fn tiles(site: &Site, rows: &[Row], health: &HealthReport) -> Markup {
    let served = rows
        .iter()
        .filter(|row| row.status.condition == Condition::Serving)
        .count();
    let running = rows
        .iter()
        .flat_map(|row| &row.feeds)
        .filter(|(_, feed)| matches!(feed.activity, Activity::Running(_)))
        .count();
    let seen: u64 = rows
        .iter()
        .flat_map(|row| &row.feeds)
        .map(|(_, feed)| feed.totals.seen)
        .sum();
    let facts = health.facts.as_ref();
    let tile = |name: &str, value: String, more: String| html! { div.tile { span.name { (name) } strong { (value) } span.note { (more) } } };
    let database = match facts.map(|facts| &facts.database) {
        Some(Database::Answers(took)) => (milliseconds(*took), "to answer".to_owned()),
        Some(Database::Silent(_)) => ("silent".to_owned(), "see below".to_owned()),
        None => ("–".to_owned(), "not asked yet".to_owned()),
    };
    html! {
        (tile("Served here", count(served as u64), format!("of {} organizations", count(rows.len() as u64))))
        (tile("Running", count(running as u64), format!("{} wait for their turn", site.sources().run_permits.waiting())))
        (tile("Records read", count(seen), facts.map_or_else(String::new, |facts| format!("in {}", span(facts.up.as_secs().cast_signed())))))
        (tile("Open alerts", count(health.alerts.len() as u64), "told once each".to_owned()))
        (tile("Database", database.0, database.1))
        (tile("Memory", facts.map_or_else(|| "–".to_owned(), |facts| format!("{} MiB", facts.memory_bytes >> 20)), "in use".to_owned()))
    }
}

fn milliseconds(took: std::time::Duration) -> String {
    match took.as_millis() {
        0 => "< 1 ms".to_owned(),
        took => format!("{took} ms"),
    }
}

/// What is wrong, the worst first, with the way to it.
fn trouble(rows: &[Row], health: &HealthReport) -> Markup {
    let name = |id: i64| {
        rows.iter()
            .find(|row| row.status.classy_id == id)
            .map_or_else(|| id.to_string(), |row| row.status.name.clone())
    };
    let worst = health.worst();
    html! {
        section #trouble data-live aria-label="What needs a look" {
            @if !worst.is_empty() {
                h2 { "What needs a look" }
                ul.trouble {
                    @for finding in worst.iter().take(20) {
                        li class=(finding.verdict().as_str()) {
                            (badge(finding.verdict()))
                            div {
                                @match finding.classy_id {
                                    Some(id) => { a href={ "/organizations/" (id) "#why" } { (name(id)) } }
                                    None => { strong { "This process" } }
                                }
                                " " span.note { (plain(finding.check)) @if !finding.subject.is_empty() { " of " (plain(&finding.subject)) } }
                                p { (finding.result.reason) }
                            }
                        }
                    }
                }
                @if worst.len() > 20 { p.note { "and " (worst.len() - 20) " more" } }
            }
        }
    }
}

fn organizations(rows: &[Row], wanted: &Wanted) -> Markup {
    let needle = wanted.q.trim().to_lowercase();
    let is_wanted = |row: &&Row| {
        needle.is_empty()
            || row.status.name.to_lowercase().contains(&needle)
            || row.status.classy_id.to_string().contains(&needle)
    };
    let found: Vec<&Row> = rows.iter().filter(is_wanted).collect();
    let pages = found.len().div_ceil(SHOWN).max(1);
    let page = wanted.page.clamp(1, pages);
    html! {
        @if rows.is_empty() { p.note { code { "classy-sync org add" } " adds the first one." } }
        @else if found.is_empty() { p.note { "None has “" (wanted.q) "” in its name or id." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Organizations" {
                table.fleet {
                    thead { tr { th { "Organization" } th { "State" } @for entity in Entity::ALL { th { (plain(entity.as_str())) } } } }
                    tbody {
                        @for row in found.iter().skip((page - 1) * SHOWN).take(SHOWN) {
                            tr {
                                th scope="row" {
                                    a href={ "/organizations/" (row.status.classy_id) } { (row.status.name) }
                                    span.note { " " (row.status.classy_id) }
                                }
                                td { (state(row)) }
                                @for (entity, feed) in &row.feeds { td data-label=(plain(entity.as_str())) { (cell(feed)) } }
                            }
                        }
                    }
                }
            }
            @if pages > 1 {
                nav.pages aria-label="Pages of organizations" {
                    @if page > 1 { a rel="prev" href=(wanted.to(page - 1)) { "Previous" } " " }
                    span.note { "Page " (page) " of " (pages) ", " (count(found.len() as u64)) " organizations" }
                    @if page < pages { " " a rel="next" href=(wanted.to(page + 1)) { "Next" } }
                }
            }
        }
    }
}

fn state(row: &Row) -> Markup {
    match row.status.condition {
        Condition::Serving if row.is_importing && row.verdict == Health::Ok => {
            html! { span.badge.quiet { "first import" } }
        }
        Condition::Serving
        | Condition::Suspended(_)
        | Condition::Broken(_)
        | Condition::Unserved(_) => badge(row.verdict),
        ref other => html! { span.badge.quiet { (other.as_str()) } },
    }
}

fn cell(feed: &FeedStatus) -> Markup {
    html! {
        span {
            @match feed.activity {
                Activity::Running(run) => {
                    span.running {
                        @match run.total.filter(|total| *total > 0) {
                            Some(total) => { (100 * run.done.min(total) / total) " %" }
                            None => { (count(run.done)) }
                        }
                    }
                }
                Activity::Waiting => { span.note { "waits" } }
                Activity::Idle => { @if feed.failures > 0 { span.bad { "failed" } ", " } (fresh(feed)) }
            }
        }
    }
}

/// What grows with the fleet on this page.
#[cfg(test)]
pub(crate) fn sections(board: &Board, health: &HealthReport) -> Markup {
    let rows = rows(board, health);
    html! { (headline(&rows, health)) (trouble(&rows, health)) (organizations(&rows, &Wanted::default())) }
}
