//! What all pages share: head, navigation, who is looking.

use super::words::badge;
use crate::domain::Health;
use crate::http::access::Caller;
use crate::http::site::{Site, Way};
use maud::{DOCTYPE, Markup, html};

/// Who looks at a page, and how everything is.
pub(in super::super) struct Page {
    pub(super) verdict: Health,
    pub(super) alerts: usize,
    /// There is one organization, which is the home page then.
    pub(super) is_single: bool,
    /// Whoever looks may give orders, and see who donors are.
    pub(super) may_order: bool,
    /// Whoever looks may see how it is.
    may_read: bool,
    /// There is a token to log in with.
    pub(super) can_log_in: bool,
    stale: Option<u64>,
}

impl Page {
    pub(super) fn of(site: &Site, caller: Caller) -> Page {
        let health = site.sources().health();
        Page {
            verdict: health.verdict(),
            alerts: health.alerts.len(),
            is_single: site.sources().board.ids().len() == 1,
            may_order: caller.is_known,
            may_read: caller.may_read,
            can_log_in: site.way != Way::Socket && site.sources().settings().token.is_some(),
            stale: health.stale().map(|age| age.as_secs()),
        }
    }
}

#[cfg(test)]
impl Page {
    /// For whoever may read and nothing else.
    pub(super) fn of_nobody(health: &crate::health::HealthReport) -> Page {
        Page {
            verdict: health.verdict(),
            alerts: health.alerts.len(),
            is_single: false,
            may_order: false,
            may_read: true,
            can_log_in: false,
            stale: None,
        }
    }
}

/// Where in the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Home,
    Alerts,
    System,
    Elsewhere,
}

/// A whole page.
pub(super) fn shell(page: &Page, here: Here, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · classy-sync" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/live.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top { (top(page, here)) }
                main #main {
                    @if let Some(age) = page.stale.filter(|_| page.may_read) {
                        p.callout.failing role="alert" {
                            "Nobody has looked for " (age) " s: what you see may be old."
                        }
                    }
                    (body)
                }
                footer { @if page.may_read { p #live-state { "Reload to see what changed." } } }
            }
        }
    }
}

fn top(page: &Page, here: Here) -> Markup {
    let current = |at: Here| (at == here).then_some("page");
    html! {
        a.brand href="/" { span.mark aria-hidden="true" {} "classy-sync" }
        @if page.may_read {
            nav aria-label="Main" {
                a href="/" aria-current=[current(Here::Home)] {
                    @if page.is_single { "Home" } @else { "Organizations" }
                }
                a #nav-alerts href="/alerts" data-live aria-current=[current(Here::Alerts)] {
                    "Alerts"
                    @if page.alerts > 0 { " " span.count { (page.alerts) } }
                }
                a href="/system" aria-current=[current(Here::System)] { "System" }
            }
        }
        div.right {
            @if page.may_read { span #whole data-live role="status" { (badge(page.verdict)) } }
            @if page.can_log_in {
                @if page.may_order {
                    form method="post" action="/logout" {
                        button.plain type="submit" { "Log out" }
                    }
                } @else {
                    a href="/login" { "Log in" }
                }
            }
        }
    }
}

/// A button that orders something; without the right to it, nothing.
pub(super) fn button(page: &Page, action: &str, label: &str, kind: &str) -> Markup {
    order(page, action, label, kind, &[])
}

/// A button that orders something that is named by fields; without the right to it, nothing.
pub(super) fn order(
    page: &Page,
    action: &str,
    label: &str,
    kind: &str,
    fields: &[(&str, &str)],
) -> Markup {
    html! {
        @if page.may_order {
            form.inline method="post" action=(action) {
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button type="submit" class=(kind) { (label) }
            }
        }
    }
}

/// A button that asks first, with what would happen; without the right to it, nothing.
pub(super) fn asking(page: &Page, action: &str, label: &str, question: &str) -> Markup {
    html! {
        @if page.may_order {
            details.ask {
                summary.button { (label) }
                div.question {
                    p { (question) }
                    (button(page, action, label, "danger"))
                }
            }
        }
    }
}

/// What to do to be allowed to give orders.
pub(super) fn invitation(page: &Page) -> Markup {
    html! {
        @if !page.may_order {
            p.note {
                @if page.can_log_in {
                    a href="/login" { "Log in" } " to sync, pause or acknowledge from here."
                } @else {
                    "Set " code { "http.token" } " to sync, pause or acknowledge from here; "
                    "the command line can do it now."
                }
            }
        }
    }
}
