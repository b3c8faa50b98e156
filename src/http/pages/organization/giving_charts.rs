//! The charts of giving, each with the numbers beside it.

use super::super::chart::{Column, Columns, Part, Series, Unit};
use super::super::currency::{Currency, float};
use super::super::words::{count, counted, month, percent};
use crate::domain::Money;
use crate::http::figures::{DonorYear, GivingMonth, PlanMonth};
use crate::store::{Band, SIZES};
use maud::{Markup, html};
use rust_decimal::Decimal;

/// A chart, and its numbers beside it.
pub(super) struct Shown {
    pub(super) chart: Markup,
    pub(super) numbers: Markup,
    pub(super) note: Option<String>,
}

fn part(value: f64, text: String) -> Part {
    Part { value, text }
}

fn so_far(is_going_on: bool) -> &'static str {
    if is_going_on { " so far" } else { "" }
}

pub(super) fn over_time(months: &[GivingMonth], currency: &Currency) -> Option<Shown> {
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

pub(super) fn donors(years: &[DonorYear]) -> Option<Shown> {
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

pub(super) fn plans(months: &[PlanMonth], currency: &Currency) -> Option<Shown> {
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

pub(super) fn sizes(bands: &[Band], currency: &Currency) -> Option<Shown> {
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
