//! What all pages of one organization share: its name, how well the sync is in one line, what can
//! be ordered, and the tabs.

use super::super::layout::{Here, Page, asking, button, shell};
use super::super::words::{ago, badge, count, counted, plain, span};
use super::super::{causes, show, show_missing};
use crate::clock;
use crate::domain::{Health, Import, Time, Zone};
use crate::entities::Entity;
use crate::health::HealthReport;
use crate::http::access::Caller;
use crate::http::figures::Figures;
use crate::http::site::{Refusal, Site};
use crate::status::{Activity, Condition, FeedStatus, OrganizationStatus, imports};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use std::sync::Arc;

/// The tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Giving,
    Mailchimp,
    Runs,
    Records,
    Audit,
}

impl Tab {
    const ALL: [(Tab, &'static str, &'static str); 6] = [
        (Tab::Overview, "", "Overview"),
        (Tab::Giving, "/giving", "Giving"),
        (Tab::Mailchimp, "/mailchimp", "Mailchimp"),
        (Tab::Runs, "/runs", "Runs"),
        (Tab::Records, "/records", "Records"),
        (Tab::Audit, "/audit", "Audit"),
    ];

    fn name(self) -> &'static str {
        let found = Tab::ALL.iter().find(|(tab, _, _)| *tab == self);
        found.map_or("", |(_, _, name)| name)
    }
}

/// One organization, as a page shows it.
pub(super) struct Frame {
    pub(super) page: Page,
    pub(super) site: Site,
    pub(super) classy_id: i64,
    pub(super) status: OrganizationStatus,
    pub(super) feeds: Vec<(Entity, FeedStatus)>,
    pub(super) imports: Vec<(Entity, Import)>,
    pub(super) health: Arc<HealthReport>,
    /// Whose days and hours.
    pub(super) zone: Zone,
}

impl Frame {
    /// Of an organization that is on the board; else the page that says that it is not.
    pub(super) fn of(site: &Site, caller: Caller, classy_id: i64) -> Result<Frame, Box<Response>> {
        let page = Page::of(site, caller);
        let Some((status, feeds)) = site.sources().board.one(classy_id) else {
            let text = format!("There is no organization {classy_id} here.");
            let missing = (StatusCode::NOT_FOUND, show_missing(&page, &text));
            return Err(Box::new(missing.into_response()));
        };
        let settings = site.sources().settings();
        let zone = settings.organizations.get(&classy_id);
        Ok(Frame {
            page,
            site: site.clone(),
            classy_id,
            imports: imports(&status, &feeds, clock::now()),
            status,
            feeds,
            health: site.sources().health(),
            zone: Zone::of(zone.and_then(|applied| applied.organization.timezone.as_deref())),
        })
    }

    /// Its figures; every tab that shows some has the same.
    pub(super) async fn figures(&self) -> Result<Arc<Figures>, Refusal> {
        self.site.figures_of(self.classy_id).await
    }

    /// The whole page.
    pub(super) fn show(&self, tab: Tab, figures: Option<&Figures>, body: &Markup) -> Response {
        let whole = html! {
            div.organization-head {
                @if !self.page.is_single {
                    nav.crumbs aria-label="Where you are" {
                        a href="/" { "Organizations" } " › "
                        span aria-current="page" { (self.status.name) }
                    }
                }
                div.title-line {
                    h1 {
                        (self.status.name) " "
                        span.note title="Classy's id of the organization" { (self.classy_id) }
                    }
                    div #actions .actions data-live { (self.actions()) }
                }
                p #sync .sync data-live { (self.sync(figures)) }
                nav.tabs aria-label="Of this organization" {
                    @for (other, path, name) in Tab::ALL {
                        a href={ "/organizations/" (self.classy_id) (path) }
                            aria-current=[(other == tab).then_some("page")] { (name) }
                    }
                }
            }
            (body)
        };
        let title = match tab {
            Tab::Overview => self.status.name.clone(),
            other => format!("{} · {}", other.name(), self.status.name),
        };
        let is_home = self.page.is_single && tab == Tab::Overview;
        let here = if is_home { Here::Home } else { Here::Elsewhere };
        show(shell(&self.page, here, &title, &whole))
    }

    fn actions(&self) -> Markup {
        let path = |action: &str| format!("/api/v1/organizations/{}/{action}", self.classy_id);
        let is_paused = matches!(
            self.status.condition,
            Condition::Paused(_) | Condition::Suspended(_)
        );
        html! {
            @if matches!(self.status.condition, Condition::Serving) {
                (button(&self.page, &path("sync"), "Sync now", "primary"))
            }
            @if is_paused { (button(&self.page, &path("resume"), "Resume", "primary")) }
            @else if !matches!(self.status.condition, Condition::Broken(_)) {
                (asking(
                    &self.page,
                    &path("pause"),
                    "Pause",
                    "Nothing is read from Classy and nothing is sent to Mailchimp until somebody \
                     resumes it; opt-outs wait, too.",
                ))
            }
        }
    }

    /// How well the sync is, in one line.
    fn sync(&self, figures: Option<&Figures>) -> Markup {
        let why = format!("/organizations/{}#why", self.classy_id);
        let found = causes::of_organization(&self.health, self.classy_id);
        let verdict = self.health.verdict_of(self.classy_id);
        html! {
            @match &self.status.condition {
                Condition::Paused(reason) => {
                    span.badge.quiet { "paused" } " since "
                    (ago(Some(self.status.since), self.zone)) ": " (reason)
                }
                Condition::Serving if self.is_calm_import() => {
                    span.badge.quiet { "first import" } " " (self.left())
                }
                Condition::Serving if found.is_empty() => {
                    (badge(verdict)) " Everything is current"
                    @if let Some(at) = figures.and_then(|figures| figures.last_change_at) {
                        "; last change " (ago(Some(at), self.zone))
                    }
                    @if let Some(doing) = self.doing() { "; " (doing) }
                    "."
                }
                other if found.is_empty() => {
                    (badge(verdict)) " This process does not read it now: " (other.as_str()) "."
                }
                _ => {
                    (badge(verdict)) " "
                    a href=(why) {
                        @if found.len() == 1 { "1 thing needs a look" }
                        @else { (count(found.len() as u64)) " things need a look" }
                    }
                    @if let Some(doing) = self.doing() { "; " (doing) }
                    "."
                }
            }
        }
    }

    /// The first import goes on, and nothing is wrong.
    pub(super) fn is_calm_import(&self) -> bool {
        !self.imports.is_empty() && self.health.verdict_of(self.classy_id) == Health::Ok
    }

    /// What is being read at the moment.
    fn doing(&self) -> Option<String> {
        let reads = |(entity, feed): &(Entity, FeedStatus)| match feed.activity {
            Activity::Running(run) => Some(match run.total.filter(|total| *total > 0) {
                Some(total) => format!(
                    "{} ({} %)",
                    plain(entity.as_str()),
                    100 * run.done.min(total) / total
                ),
                None => plain(entity.as_str()),
            }),
            _ => None,
        };
        let reading: Vec<String> = self.feeds.iter().filter_map(reads).collect();
        (!reading.is_empty()).then(|| format!("reading {} now", reading.join(", ")))
    }

    /// What is left of the first import, in words.
    pub(super) fn left(&self) -> String {
        let left = self.imports.iter().filter_map(|(_, import)| import.left_s);
        let lists = counted(self.imports.len() as u64, "list is", "lists are");
        match left.max() {
            Some(left) => format!(
                "{lists} left, about {} to go",
                span(left.min(i64::MAX as u64).cast_signed())
            ),
            None => format!("{lists} left"),
        }
    }

    /// How far the first import is in all, from 0 to 1: lists that are read count in full.
    pub(super) fn imported(&self, stored: &dyn Fn(Entity) -> u64) -> f64 {
        let (mut done, mut total) = (0, 0);
        for (entity, _) in &self.feeds {
            let (a, b) = match self.imports.iter().find(|(other, _)| other == entity) {
                Some((_, import)) => {
                    let total = import.total.unwrap_or_default().max(import.done);
                    (import.done, total.max(1))
                }
                None => (stored(*entity), stored(*entity)),
            };
            (done, total) = (done + a, total + b);
        }
        done as f64 / total.max(1) as f64
    }

    /// When the next look at a feed is due.
    pub(super) fn next_of(&self, feed: &FeedStatus) -> Option<Time> {
        feed.next_at
            .filter(|_| self.status.condition == Condition::Serving)
    }
}
