//! The list of organizations, with its search, its chips and its pages.

use super::super::organization::difference;
use super::super::words::{ago, badge, count, counted};
use super::giving::Giving;
use super::wanted::{Row, Shown, State, Wanted};
use crate::domain::{Health, Zone};
use maud::{Markup, html};

pub(super) fn search(wanted: &Wanted) -> Markup {
    html! {
        form.search method="get" action="/" role="search" {
            input name="q" type="search" value=(wanted.q) placeholder="Name or id"
                aria-label="Find an organization";
            @if !wanted.state.is_empty() { input type="hidden" name="state" value=(wanted.state); }
            button.small type="submit" { "Find" }
        }
    }
}

/// How many are in each state, each the way to those.
pub(super) fn chips(rows: &[Row], wanted: &Wanted) -> Markup {
    let current = |state: &str| (wanted.state == state).then_some("true");
    html! {
        nav aria-label="By state" {
            ul.chips {
                li {
                    a.chip href=(wanted.to_state("")) aria-current=[current("")] {
                        "all " b { (count(rows.len() as u64)) }
                    }
                }
                @for state in State::ALL {
                    @let number = rows.iter().filter(|row| row.state() == state).count();
                    @if number > 0 {
                        li {
                            a class={ "chip " (class(state)) }
                                href=(wanted.to_state(state.as_str()))
                                aria-current=[current(state.as_str())] {
                                (state.as_str()) " " b { (count(number as u64)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn class(state: State) -> &'static str {
    match state {
        State::Failing => "failing",
        State::Degraded => "degraded",
        State::Ok => "ok",
        State::Importing | State::Paused | State::Elsewhere => "quiet",
    }
}

fn state(row: &Row) -> Markup {
    match row.state() {
        State::Failing => badge(Health::Failing),
        State::Degraded => badge(Health::Degraded),
        State::Ok => badge(Health::Ok),
        other => html! { span.badge.quiet { (other.as_str()) } },
    }
}

pub(super) fn table(rows: &[Row], shown: &Shown<'_>, giving: &Giving, wanted: &Wanted) -> Markup {
    html! {
        @if rows.is_empty() {
            p.note { code { "classy-sync org add" } " adds the first one." }
        } @else if shown.rows.is_empty() {
            p.note { "None is found. " a href="/" { "Show all" } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Organizations" {
                table.stack.organizations {
                    thead {
                        tr {
                            (heading("Organization", "name", wanted))
                            (heading("State", "", wanted))
                            th.number { "This month" }
                            th.number { "This year" }
                            (heading("Checked", "checked", wanted))
                        }
                    }
                    tbody { @for row in &shown.rows { (line(row, giving)) } }
                }
            }
            (pages(shown, wanted))
        }
    }
}

fn heading(name: &str, sort: &str, wanted: &Wanted) -> Markup {
    let is_current = wanted.sort == sort;
    let order = if sort.is_empty() {
        "descending"
    } else {
        "ascending"
    };
    html! {
        th aria-sort=[is_current.then_some(order)] {
            a.sort href=(wanted.to_sort(sort)) { (name) }
        }
    }
}

fn line(row: &Row, giving: &Giving) -> Markup {
    let of = giving.get(row.status.classy_id);
    html! {
        tr {
            th scope="row" {
                a href={ "/organizations/" (row.status.classy_id) } { (row.status.name) }
                span.note { " " (row.status.classy_id) }
            }
            td data-label="State" { (state(row)) }
            @match of {
                Some(of) => {
                    td.number data-label="This month" {
                        (of.currency.whole(of.month.now.total)) " "
                        (difference(of.month, &of.currency, "the same days last year"))
                    }
                    td.number data-label="This year" {
                        (of.currency.whole(of.year.now.total)) " "
                        (difference(of.year, &of.currency, "the same days last year"))
                    }
                }
                None => {
                    td.number data-label="This month" { "–" }
                    td.number data-label="This year" { "–" }
                }
            }
            td data-label="Checked" {
                @if row.checked_at.is_some() { (ago(row.checked_at, Zone::default())) }
                @else { span.note { "not all of it yet" } }
            }
        }
    }
}

fn pages(shown: &Shown<'_>, wanted: &Wanted) -> Markup {
    html! {
        @if shown.pages > 1 {
            nav.pages aria-label="Pages of organizations" {
                @if shown.page > 1 {
                    a rel="prev" href=(wanted.to_page(shown.page - 1)) { "Previous" } " "
                }
                span.note {
                    "Page " (shown.page) " of " (shown.pages) ", "
                    (counted(shown.found as u64, "organization", "organizations"))
                }
                @if shown.page < shown.pages {
                    " " a rel="next" href=(wanted.to_page(shown.page + 1)) { "Next" }
                }
            }
        }
    }
}
