//! `/organizations/{classy_id}/giving`: the analyst's page, and the board's. Each chart has its
//! numbers beside it.

use super::super::chart::{bar, progress};
use super::super::currency::Currency;
use super::super::unanswered;
use super::super::words::{ago, count, counted, percent};
use super::frame::{Frame, Tab};
use super::giving_charts::{Shown, donors, over_time, plans, sizes};
use super::views::{money, percent_of, text, whole};
use crate::http::access::Caller;
use crate::http::figures::{Cohort, Figures};
use crate::http::site::Site;
use crate::store::Cell;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};

pub(in super::super::super) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let frame = match Frame::of(&site, caller, classy_id) {
        Ok(frame) => frame,
        Err(missing) => return *missing,
    };
    let figures = frame.figures().await;
    let body = html! {
        // Much is read for this page: it is made anew once a minute, not with every change.
        div data-every="60000" {}
        @if !frame.imports.is_empty() {
            p.callout.importing {
                strong { "First import" } " – figures are incomplete until it is done: "
                (frame.left()) "."
            }
        }
        @match &figures {
            Err(refusal) => { (unanswered(refusal)) }
            Ok(figures) => { (told(figures)) }
        }
    };
    frame.show(Tab::Giving, figures.as_deref().ok(), &body)
}

fn told(figures: &Figures) -> Markup {
    let currency = Currency::of(&figures.currency);
    html! {
        p.note {
            "Amounts in "
            @if currency.code().is_empty() { "the organization's currency" }
            @else { (currency.code()) }
            "; days, months and years in the zone " (figures.zone.name())
            ". A gift is money in: refunds, failed payments and registrations without a price are \
             none. As of " (ago(Some(figures.at), figures.zone)) "."
        }
        (figure("time", "Giving over time", &over_time(&figures.months, &currency)))
        (figure("donors", "Donors by year", &donors(&figures.years)))
        (figure("plans", "Recurring revenue", &plans(&figures.plans, &currency)))
        (figure("sizes", "Size of gifts, last 12 months", &sizes(&figures.sizes, &currency)))
        section aria-labelledby="campaigns-title" {
            h2 #campaigns-title { "Campaigns" }
            (campaigns(&figures.campaigns, &currency))
        }
        div.pair {
            section aria-labelledby="cohorts-title" {
                h2 #cohorts-title { "Who gives again" }
                (cohorts(&figures.cohorts))
            }
            section aria-labelledby="value-title" {
                h2 #value-title { "Donor value" }
                (value(&figures.value, &currency))
            }
            section aria-labelledby="engagement-title" {
                h2 #engagement-title { "Engagement" }
                (engagement(&figures.engagement))
            }
        }
    }
}

fn figure(id: &str, title: &str, shown: &Option<Shown>) -> Markup {
    let heading = format!("{id}-title");
    html! {
        section aria-labelledby=(heading) {
            h2 id=(heading) { (title) }
            @match shown {
                None => { p.note { "Nothing to show yet." } }
                Some(shown) => {
                    @if let Some(note) = &shown.note { p.note { (note) } }
                    div.figure {
                        div.chart { (shown.chart) }
                        div.numbers tabindex="0" role="region" aria-label={ (title) ", numbers" } {
                            (shown.numbers)
                        }
                    }
                }
            }
        }
    }
}

/// Shares of each cohort that gave again, darker where more did.
fn cohorts(cohorts: &[Cohort]) -> Markup {
    let most = cohorts.iter().map(|cohort| cohort.gave.len()).max();
    html! {
        p.note { "Of those who gave first in a year, the share that gave in each year after it." }
        @if cohorts.is_empty() { p.note { "Nobody yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Who gives again" {
                table.cohorts {
                    thead {
                        tr {
                            th { "First gift" } th.number { "Donors" }
                            @for later in 1..most.unwrap_or(1) { th.number { "+" (later) } }
                        }
                    }
                    tbody {
                        @for cohort in cohorts {
                            tr {
                                th scope="row" { (cohort.year) }
                                td.number { (count(cohort.gave[0])) }
                                @for gave in &cohort.gave[1..] {
                                    @let share = *gave as f64 / cohort.gave[0].max(1) as f64;
                                    td.number class={ "heat h" (((share * 10.0) as u8).min(9)) }
                                        title=(count(*gave)) { (percent(share)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn value(rows: &[Vec<Cell>], currency: &Currency) -> Markup {
    let people: u64 = rows.iter().map(|row| whole(row.get(2))).sum();
    html! {
        p.note { (counted(people, "supporter", "supporters")) " by what they have given in all" }
        @if rows.is_empty() { p.note { "Nobody yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Donor value" {
                table.shares {
                    thead {
                        tr {
                            th { "Segment" } th.number { "Supporters" } th.number { "Total" }
                            th.number { "Of giving" } th aria-hidden="true" {}
                        }
                    }
                    tbody {
                        @for row in rows {
                            @let share = percent_of(row.get(5));
                            tr {
                                th scope="row" { (text(row.get(1))) }
                                td.number { (count(whole(row.get(2)))) }
                                td.number { (money(row.get(3), currency)) }
                                td.number { (percent(share)) }
                                td.wide { (bar(share)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// From who gave last to who gave longest ago.
const ENGAGEMENT: [&str; 8] = [
    "Active Recurring",
    "Recent",
    "Active",
    "Warm",
    "Cooling",
    "Lapsed",
    "Dormant",
    "Never",
];

fn engagement(rows: &[Vec<Cell>]) -> Markup {
    let mut rows: Vec<&Vec<Cell>> = rows.iter().collect();
    rows.sort_by_key(|row| {
        let name = text(row.get(1));
        let place = ENGAGEMENT.iter().position(|known| *known == name);
        place.unwrap_or(ENGAGEMENT.len())
    });
    let people: u64 = rows.iter().map(|row| whole(row.get(2))).sum();
    html! {
        p.note { "by the last gift, and who may be mailed" }
        @if rows.is_empty() { p.note { "Nobody yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Engagement" {
                table.shares {
                    thead {
                        tr {
                            th { "State" } th.number { "Supporters" } th.number { "Share" }
                            th.number { "May be mailed" } th aria-hidden="true" {}
                        }
                    }
                    tbody {
                        @for row in rows {
                            @let share = whole(row.get(2)) as f64 / people.max(1) as f64;
                            tr {
                                th scope="row" { (text(row.get(1))) }
                                td.number { (count(whole(row.get(2)))) }
                                td.number { (percent(share)) }
                                td.number { (count(whole(row.get(5)))) }
                                td.wide { (bar(share)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn campaigns(rows: &[Vec<Cell>], currency: &Currency) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "No campaign yet." } }
        @else {
            p.note { "Those that raised most. The mark in each bar is its goal." }
            div.scroll tabindex="0" role="region" aria-label="Campaigns" {
                table.stack.campaigns {
                    thead {
                        tr {
                            th { "Campaign" } th { "Status" } th.number { "Raised" }
                            th.number { "Goal" } th.number { "Of goal" } th aria-hidden="true" {}
                            th.number { "Donors" } th.number { "Gifts" } th.number { "Average" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            @let has_goal = matches!(row.get(6), Some(Cell::Number(_)));
                            tr {
                                th scope="row" { (text(row.get(2))) }
                                td data-label="Status" { (text(row.get(3))) }
                                td.number data-label="Raised" { (money(row.get(5), currency)) }
                                td.number data-label="Goal" { (money(row.get(4), currency)) }
                                td.number data-label="Of goal" {
                                    @if has_goal { (percent(percent_of(row.get(6)))) } @else { "–" }
                                }
                                td.wide { @if has_goal { (progress(percent_of(row.get(6)))) } }
                                td.number data-label="Donors" { (count(whole(row.get(7)))) }
                                td.number data-label="Gifts" { (count(whole(row.get(8)))) }
                                td.number data-label="Average" { (money(row.get(9), currency)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
