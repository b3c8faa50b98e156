//! `/organizations/{classy_id}/giving`: the analyst's page. Donor value, engagement, campaigns and giving over time, from the views, each
//! as a chart with its numbers beside it.

use super::chart::{Column, bar, columns};
use super::layout::{Page, shell};
use super::words::{amount, count};
use super::{show, show_missing, unanswered};
use crate::clock;
use crate::domain::Money;
use crate::http::site::Site;
use crate::store::{Cell, Month, Report, Store};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use maud::{Markup, html};

/// Campaigns that are shown, those that raised most.
const CAMPAIGNS: u64 = 20;
/// How far back months go.
const BACK: TimeDelta = TimeDelta::days(730);

/// What the views say.
struct Known {
    currency: String,
    value: Vec<Vec<Cell>>,
    engagement: Vec<Vec<Cell>>,
    campaigns: Vec<Vec<Cell>>,
    months: Vec<Month>,
}

impl Known {
    async fn ask(store: Store, classy_id: i64) -> Result<Known, crate::store::Error> {
        let only = Some(classy_id);
        Ok(Known {
            currency: store.organization(classy_id).await?.and_then(|organization| organization.currency_code).unwrap_or_default(),
            value: store.report(Report::Donors, only, 0, 100).await?,
            engagement: store.report(Report::Engagement, only, 0, 100).await?,
            campaigns: store.report(Report::Campaigns, only, 0, CAMPAIGNS).await?,
            months: store.giving_by_month(classy_id, clock::now() - BACK).await?,
        })
    }
}

pub(crate) async fn page(State(site): State<Site>, headers: HeaderMap, Path(classy_id): Path<i64>) -> Response {
    let page = Page::of(&site, &headers);
    let Some((status, _)) = site.shared().board.one(classy_id) else {
        let text = format!("There is no organization {classy_id} here.");
        return (StatusCode::NOT_FOUND, show_missing(&page, &text)).into_response();
    };
    let known = site.ask(Known::ask(site.shared().store.clone(), classy_id)).await;
    let body = html! {
        nav.crumbs aria-label="Where you are" {
            a href="/" { "Fleet" } " › " a href={ "/organizations/" (classy_id) } { (status.name) } " › "
            span aria-current="page" { "Donors and giving" }
        }
        h1 { "Donors and giving" }
        // Whole views are read for this page: it is made anew once a minute, not with every change.
        div data-every="60000" {}
        @match known { Err(refusal) => { (unanswered(&refusal)) } Ok(known) => { (told(&known)) } }
    };
    show(shell(&page, &format!("Giving · {}", status.name), &body))
}

fn told(known: &Known) -> Markup {
    let total = |rows: &[Vec<Cell>], column: usize| rows.iter().map(|row| whole(row.get(column))).sum::<u64>();
    html! {
        p.note { "Amounts in " @if known.currency.is_empty() { "the organization's currency" } @else { (known.currency) } "; months in UTC." }
        section aria-labelledby="time-title" { h2 #time-title { "Giving over time" } (over_time(&known.months)) }
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

fn over_time(months: &[Month]) -> Markup {
    let column = |month: &Month| Column {
        label: month.month.get(2..).unwrap_or_default().replace('-', "/"),
        value: float(month.total),
        text: format!("{}: {} from {} gifts", month.month, amount(month.total), count(month.gifts)),
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
                            tr { th scope="row" { (month.month) } td.number { (count(month.gifts)) } td.number { (amount(month.total)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Rows of name, people, total, a share as text, and the same as a bar.
fn shares(rows: &[Vec<Cell>], headings: &[&str; 4], read: impl Fn(&[Cell]) -> (String, u64, String, String, f64)) -> Markup {
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
    shares(rows, &["State", "Supporters", "Total", "May be mailed"], |row| {
        let people = whole(row.get(2));
        (text(row.get(1)), people, money(row.get(3)), count(whole(row.get(5))), people as f64 / everybody as f64)
    })
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
