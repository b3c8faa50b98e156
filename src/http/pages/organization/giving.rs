//! `/organizations/{classy_id}/giving`: the analyst's page, and the board's. Each chart has its
//! numbers beside it.

use super::super::chart::{Column, Columns, Part, Series, Unit, bar, progress};
use super::super::currency::{Currency, float};
use super::super::unanswered;
use super::super::words::{ago, count, counted, month, percent};
use super::frame::{Frame, Tab};
use super::views::{money, percent_of, text, whole};
use crate::domain::Money;
use crate::http::access::Caller;
use crate::http::figures::{Cohort, DonorYear, Figures, GivingMonth, PlanMonth};
use crate::http::site::Site;
use crate::store::{Band, Cell, SIZES};
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use maud::{Markup, html};
use rust_decimal::Decimal;

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

/// A chart, and its numbers beside it.
struct Shown {
    chart: Markup,
    numbers: Markup,
    note: Option<String>,
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

fn part(value: f64, text: String) -> Part {
    Part { value, text }
}

fn so_far(is_going_on: bool) -> &'static str {
    if is_going_on { " so far" } else { "" }
}

fn over_time(months: &[GivingMonth], currency: &Currency) -> Option<Shown> {
    const SERIES: [Series; 2] = [
        Series {
            name: "One-time",
            class: "c1",
        },
        Series {
            name: "Recurring",
            class: "c2",
        },
    ];
    let column = |of: &GivingMonth| Column {
        label: month(of.first),
        parts: vec![
            part(float(of.once.total), currency.exact(of.once.total)),
            part(float(of.by_plans.total), currency.exact(of.by_plans.total)),
        ],
        more: vec![format!(
            "{} from {}",
            currency.exact(of.all().total),
            counted(of.all().gifts, "gift", "gifts")
        )],
        is_open: of.is_going_on,
    };
    let columns: Vec<Column> = months.iter().map(column).collect();
    let chart = Columns {
        title: "What came in, month by month, given once and by plans",
        unit: Unit::Money(currency),
        series: &SERIES,
        columns: &columns,
    };
    (!months.is_empty()).then(|| Shown {
        chart: chart.draw(),
        note: None,
        numbers: html! {
            table {
                thead {
                    tr {
                        th { "Month" } th.number { "Gifts" } th.number { "One-time" }
                        th.number { "Recurring" } th.number { "Total" }
                    }
                }
                tbody {
                    @for of in months.iter().rev() {
                        tr {
                            th scope="row" { (month(of.first)) (so_far(of.is_going_on)) }
                            td.number { (count(of.all().gifts)) }
                            td.number { (currency.whole(of.once.total)) }
                            td.number { (currency.whole(of.by_plans.total)) }
                            td.number { (currency.whole(of.all().total)) }
                        }
                    }
                }
            }
        },
    })
}

fn donors(years: &[DonorYear]) -> Option<Shown> {
    const SERIES: [Series; 4] = [
        Series {
            name: "Kept",
            class: "c1",
        },
        Series {
            name: "Regained",
            class: "c3",
        },
        Series {
            name: "New",
            class: "c2",
        },
        Series {
            name: "Lost",
            class: "c4",
        },
    ];
    let column = |of: &DonorYear| {
        let up = |number: u64| part(number as f64, count(number));
        // Who did not give yet in a year that goes on is not lost.
        let lost = if of.is_going_on { 0 } else { of.lost };
        Column {
            label: of.year.to_string(),
            parts: vec![
                up(of.kept),
                up(of.regained),
                up(of.new),
                part(-(lost as f64), count(lost)),
            ],
            more: vec![counted(of.donors, "donor", "donors")],
            is_open: of.is_going_on,
        }
    };
    let columns: Vec<Column> = years.iter().map(column).collect();
    let chart = Columns {
        title: "Donors by year: kept, regained, new, and lost",
        unit: Unit::Count,
        series: &SERIES,
        columns: &columns,
    };
    let is_any = years.iter().any(|year| year.donors > 0);
    is_any.then(|| Shown {
        chart: chart.draw(),
        note: Some(
            "Kept gave in the year before, too; regained gave earlier; lost gave in the year \
             before and not in this one."
                .to_owned(),
        ),
        numbers: html! {
            table {
                thead {
                    tr {
                        th { "Year" } th.number { "Donors" } th.number { "New" }
                        th.number { "Kept" } th.number { "Regained" } th.number { "Lost" } th.number { "Kept %" }
                    }
                }
                tbody {
                    @for of in years.iter().rev() {
                        tr {
                            th scope="row" { (of.year) (so_far(of.is_going_on)) }
                            td.number { (count(of.donors)) }
                            td.number { (count(of.new)) }
                            td.number { (count(of.kept)) }
                            td.number { (count(of.regained)) }
                            td.number title=[of.is_going_on.then_some("have not given yet")] {
                                (count(of.lost)) @if of.is_going_on { "*" }
                            }
                            td.number {
                                @if of.kept + of.lost == 0 { "–" }
                                @else { (percent(of.kept as f64 / (of.kept + of.lost) as f64)) }
                            }
                        }
                    }
                }
            }
            p.note { "* have not given yet this year" }
        },
    })
}

fn plans(months: &[PlanMonth], currency: &Currency) -> Option<Shown> {
    const SERIES: [Series; 1] = [Series {
        name: "A month",
        class: "c2",
    }];
    let column = |of: &PlanMonth| Column {
        label: month(of.first),
        parts: vec![part(
            float(of.total),
            format!("{} a month", currency.exact(of.total)),
        )],
        more: vec![
            format!(
                "+{} gained, −{} lost",
                currency.exact(of.gained),
                currency.exact(of.lost)
            ),
            counted(of.plans, "active plan", "active plans"),
        ],
        is_open: of.is_going_on,
    };
    let from = months.iter().position(|month| month.plans > 0)?;
    let months = &months[from..];
    let columns: Vec<Column> = months.iter().map(column).collect();
    let chart = Columns {
        title: "What active plans bring a month, at the end of each month",
        unit: Unit::Money(currency),
        series: &SERIES,
        columns: &columns,
    };
    Some(Shown {
        chart: chart.draw(),
        note: Some(
            "What active plans bring a month, at the end of each month. A plan that is paused \
             counts as lost since it is."
                .to_owned(),
        ),
        numbers: html! {
            table {
                thead {
                    tr {
                        th { "Month" } th.number { "Gained" } th.number { "Lost" }
                        th.number { "A month" } th.number { "Plans" }
                    }
                }
                tbody {
                    @for of in months.iter().rev() {
                        tr {
                            th scope="row" { (month(of.first)) (so_far(of.is_going_on)) }
                            td.number { (currency.whole(of.gained)) }
                            td.number { (currency.whole(of.lost)) }
                            td.number { (currency.whole(of.total)) }
                            td.number { (count(of.plans)) }
                        }
                    }
                }
            }
        },
    })
}

/// A band of sizes, as its label.
fn band_label(place: usize, currency: &Currency) -> String {
    let at = |place: usize| currency.short(f64::from(SIZES[place]));
    match place {
        0 => format!("< {}", at(0)),
        place if place >= SIZES.len() => format!("{}+", at(SIZES.len() - 1)),
        place => format!("{}–{}", at(place - 1), count(u64::from(SIZES[place]))),
    }
}

fn sizes(bands: &[Band], currency: &Currency) -> Option<Shown> {
    const SERIES: [Series; 1] = [Series {
        name: "Gifts",
        class: "c1",
    }];
    let all: u64 = bands.iter().map(|band| band.gifts).sum();
    let row = |place: usize| {
        let found = || bands.iter().filter(|band| band.place == place);
        let total: Decimal = found().map(|band| band.total.decimal()).sum();
        (
            band_label(place, currency),
            found().map(|band| band.gifts).sum::<u64>(),
            Money::total(total),
        )
    };
    let rows: Vec<_> = (0..=SIZES.len()).map(row).collect();
    let share = |gifts: u64| percent(gifts as f64 / all.max(1) as f64);
    let columns: Vec<Column> = rows
        .iter()
        .map(|(label, gifts, total)| Column {
            label: label.clone(),
            parts: vec![part(*gifts as f64, counted(*gifts, "gift", "gifts"))],
            more: vec![
                format!("{} of all gifts", share(*gifts)),
                format!("{} in all", currency.exact(*total)),
            ],
            is_open: false,
        })
        .collect();
    let chart = Columns {
        title: "Gifts of the last 12 months by their size",
        unit: Unit::Count,
        series: &SERIES,
        columns: &columns,
    };
    (all > 0).then(|| Shown {
        chart: chart.draw(),
        note: None,
        numbers: html! {
            table {
                thead {
                    tr {
                        th { "Size" } th.number { "Gifts" } th.number { "Share" }
                        th.number { "Total" }
                    }
                }
                tbody {
                    @for (label, gifts, total) in &rows {
                        tr {
                            th scope="row" { (label) }
                            td.number { (count(*gifts)) }
                            td.number { (share(*gifts)) }
                            td.number { (currency.whole(*total)) }
                        }
                    }
                }
            }
        },
    })
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
