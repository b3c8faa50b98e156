//! `/organizations/{classy_id}/giving`: the analyst's page. Donor value, engagement, campaigns and
//! giving over time, from the views, each as a chart with its numbers beside it.

use super::chart::{Column, bar, columns};
use super::layout::{Page, shell};
use super::words::{amount, count, first_import};
use super::{show, show_missing, unanswered};
use crate::clock;
use crate::domain::{Money, Time, Zone};
use crate::http::access::Caller;
use crate::http::site::Site;
use crate::status::imports;
use crate::store::{Cell, Month, Report, Store};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Months, NaiveDate};
use maud::{Markup, html};

/// Campaigns that are shown, those that raised most.
const CAMPAIGNS: u64 = 20;
/// So many whole months are shown before the one that is going on.
const MONTHS: u32 = 24;

/// What the views say.
struct Known {
    currency: String,
    /// Whose months.
    zone: Zone,
    value: Vec<Vec<Cell>>,
    engagement: Vec<Vec<Cell>>,
    campaigns: Vec<Vec<Cell>>,
    months: Vec<Month>,
}

impl Known {
    async fn ask(store: Store, classy_id: i64) -> Result<Known, crate::store::Error> {
        let only = Some(classy_id);
        let organization = store.organization(classy_id).await?;
        let zone = Zone::of(
            organization
                .as_ref()
                .and_then(|organization| organization.timezone.as_deref()),
        );
        let currency = organization
            .and_then(|organization| organization.currency_code)
            .unwrap_or_default();
        let now = clock::now();
        Ok(Known {
            currency,
            zone,
            value: store.report(Report::Donors, only, 0, 100).await?,
            engagement: store.report(Report::Engagement, only, 0, 100).await?,
            campaigns: store.report(Report::Campaigns, only, 0, CAMPAIGNS).await?,
            months: whole_months(
                &store
                    .giving_by_month(classy_id, first_month(now, zone))
                    .await?,
                now,
                zone,
            ),
        })
    }
}

pub(crate) async fn page(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    Path(classy_id): Path<i64>,
) -> Response {
    let page = Page::of(&site, caller);
    let Some((status, feeds)) = site.sources().board.one(classy_id) else {
        let text = format!("There is no organization {classy_id} here.");
        return (StatusCode::NOT_FOUND, show_missing(&page, &text)).into_response();
    };
    let known = site
        .ask(Known::ask(site.sources().store.clone(), classy_id))
        .await;
    let imports = imports(&status, &feeds, clock::now());
    let body = html! {
        nav.crumbs aria-label="Where you are" {
            a href="/" { "Fleet" } " › " a href={ "/organizations/" (classy_id) } { (status.name) } " › "
            span aria-current="page" { "Donors and giving" }
        }
        h1 { "Donors and giving" }
        // Whole views are read for this page: it is made anew once a minute, not with every change.
        div data-every="60000" {}
        @if !imports.is_empty() { (first_import(&imports)) }
        @match known { Err(refusal) => { (unanswered(&refusal)) } Ok(known) => { (told(&known)) } }
    };
    show(shell(&page, &format!("Giving · {}", status.name), &body))
}

fn told(known: &Known) -> Markup {
    let total = |rows: &[Vec<Cell>], column: usize| {
        rows.iter().map(|row| whole(row.get(column))).sum::<u64>()
    };
    html! {
        p.note { "Amounts in " @if known.currency.is_empty() { "the organization's currency" } @else { (known.currency) } "; days and months in the zone " (known.zone.name()) "." }
        section aria-labelledby="time-title" { h2 #time-title { "Giving over time" } (over_time(&known.months, known.zone)) }
        div.pair {
            section aria-labelledby="value-title" {
                h2 #value-title { "Donor value" }
                p.note { (count(total(&known.value, 2))) " supporters by what they have given in all" }
                (shares(&known.value, &["Segment", "Supporters", "Total", "Share of giving"], |row| {
                    (text(row.get(1)), whole(row.get(2)), money(row.get(3)), format!("{} %", money(row.get(5))), share(row.get(5)))
                }))
            }
            section aria-labelledby="engagement-title" {
                h2 #engagement-title { "Engagement" }
                p.note { "by the last gift, and who may be mailed" }
                (engagement(&known.engagement))
            }
        }
        section aria-labelledby="campaigns-title" { h2 #campaigns-title { "Campaigns" } (campaigns(&known.campaigns)) }
    }
}

/// The first moment of the first month that is shown: a month of which a part is left out would
/// look like a bad one.
fn first_month(now: Time, zone: Zone) -> Time {
    let today = zone.day(now);
    zone.start_of(today.with_day(1).unwrap_or(today) - Months::new(MONTHS))
}

/// The months from the first one with a gift to the present one, those without a gift, too: a chart
/// without them would not show time.
fn whole_months(known: &[Month], now: Time, zone: Zone) -> Vec<Month> {
    let Some(first) = known.first().and_then(|month| {
        NaiveDate::parse_from_str(&format!("{}-01", month.month), "%Y-%m-%d").ok()
    }) else {
        return Vec::new();
    };
    let names = (0..=MONTHS)
        .map(|number| first + Months::new(number))
        .take_while(|month| *month <= zone.day(now));
    let month = |name: String| {
        let found = known.iter().find(|month| month.month == name).cloned();
        found.unwrap_or(Month {
            month: name,
            gifts: 0,
            total: Money::default(),
        })
    };
    names
        .map(|first| month(first.format("%Y-%m").to_string()))
        .collect()
}

/// The month that is going on is not over.
fn so_far(month: &Month, zone: Zone) -> &'static str {
    if month.month == zone.day(clock::now()).format("%Y-%m").to_string() {
        " so far"
    } else {
        ""
    }
}

fn over_time(months: &[Month], zone: Zone) -> Markup {
    let column = |month: &Month| {
        let gifts = if month.gifts == 1 { "gift" } else { "gifts" };
        Column {
            label: month.month.get(2..).unwrap_or_default().replace('-', "/"),
            value: float(month.total),
            text: format!(
                "{}{}: {} from {} {gifts}",
                month.month,
                so_far(month, zone),
                amount(month.total),
                count(month.gifts)
            ),
        }
    };
    let drawn: Vec<Column> = months.iter().map(column).collect();
    html! {
        @if months.is_empty() { p.note { "Nothing came in during the last two years." } }
        @else {
            div.chart { (columns(&drawn, "What came in, month by month; the table below has the numbers")) }
            details {
                summary { "The numbers" }
                table {
                    thead { tr { th { "Month" } th.number { "Gifts" } th.number { "Total" } } }
                    tbody {
                        @for month in months.iter().rev() {
                            tr { th scope="row" { (month.month) (so_far(month, zone)) } td.number { (count(month.gifts)) } td.number { (amount(month.total)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Rows of name, people, total, a share as text, and the same as a bar.
fn shares(
    rows: &[Vec<Cell>],
    headings: &[&str; 4],
    read: impl Fn(&[Cell]) -> (String, u64, String, String, f64),
) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "Nobody yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(headings[0]) {
              table.shares {
                thead { tr { th { (headings[0]) } @for heading in &headings[1..] { th.number { (heading) } } th aria-hidden="true" {} } }
                tbody {
                    @for row in rows {
                        @let (name, people, total, share, filled) = read(row);
                        tr {
                            th scope="row" { (name) }
                            td.number { (count(people)) }
                            td.number { (total) }
                            td.number { (share) }
                            td.wide { (bar(filled)) }
                        }
                    }
                }
              }
            }
        }
    }
}

fn engagement(rows: &[Vec<Cell>]) -> Markup {
    let everybody = rows.iter().map(|row| whole(row.get(2))).sum::<u64>().max(1);
    shares(
        rows,
        &["State", "Supporters", "Total", "May be mailed"],
        |row| {
            let people = whole(row.get(2));
            (
                text(row.get(1)),
                people,
                money(row.get(3)),
                count(whole(row.get(5))),
                people as f64 / everybody as f64,
            )
        },
    )
}

fn campaigns(rows: &[Vec<Cell>]) -> Markup {
    html! {
        @if rows.is_empty() { p.note { "No campaign yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Campaigns" {
                table.shares {
                    thead {
                        tr {
                            th { "Campaign" } th { "Status" } th.number { "Raised" } th.number { "Goal" } th.number { "Of goal" } th aria-hidden="true" {}
                            th.number { "Donors" } th.number { "Gifts" } th.number { "Average" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (text(row.get(2))) }
                                td { (text(row.get(3))) }
                                td.number { (money(row.get(5))) }
                                td.number { (money(row.get(4))) }
                                td.number { @if matches!(row.get(6), Some(Cell::Number(_))) { (money(row.get(6))) " %" } @else { "–" } }
                                td.wide { (bar(share(row.get(6)))) }
                                td.number { (count(whole(row.get(7)))) }
                                td.number { (count(whole(row.get(8)))) }
                                td.number { (money(row.get(9))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn text(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Int(number)) => number.to_string(),
        _ => "–".to_owned(),
    }
}

fn whole(cell: Option<&Cell>) -> u64 {
    match cell {
        Some(Cell::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

fn money(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Number(number)) => amount(*number),
        _ => "–".to_owned(),
    }
}

/// A percentage as a share from 0 to 1.
fn share(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Number(percent)) => float(*percent) / 100.0,
        _ => 0.0,
    }
}

/// For drawing only.
fn float(money: Money) -> f64 {
    money.decimal().to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Time {
        day.parse::<NaiveDate>()
            .unwrap()
            .and_hms_opt(13, 0, 0)
            .unwrap()
            .and_utc()
    }

    #[test]
    fn every_bar_is_a_whole_month_and_none_is_left_out() {
        for day in ["2026-11-01", "2026-11-28", "2026-11-30"] {
            assert_eq!(
                first_month(at(day), Zone::default()).to_rfc3339(),
                "2024-11-01T00:00:00+00:00"
            );
        }
        assert_eq!(
            first_month(at("2028-02-29"), Zone::default()).to_rfc3339(),
            "2026-02-01T00:00:00+00:00"
        );
        let month = |month: &str, gifts| Month {
            month: month.to_owned(),
            gifts,
            total: Money::default(),
        };
        let told: Vec<(String, u64)> = whole_months(
            &[month("2026-08", 3), month("2026-10", 1)],
            at("2026-11-28"),
            Zone::default(),
        )
        .into_iter()
        .map(|month| (month.month, month.gifts))
        .collect();
        assert_eq!(
            told,
            [
                ("2026-08".to_owned(), 3),
                ("2026-09".to_owned(), 0),
                ("2026-10".to_owned(), 1),
                ("2026-11".to_owned(), 0)
            ]
        );
        assert!(whole_months(&[], at("2026-11-28"), Zone::default()).is_empty());
    }
}
