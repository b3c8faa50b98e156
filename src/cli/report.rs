//! `report`: the views, as table, CSV or JSON.

use super::app::App;
use super::args::{self, Cli, Output, ReportFormat, ReportKind};
use super::exit::{Code, Failure};
use super::output;
use crate::clock;
use crate::store::{Cell, Report, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Rows that are held at once when they need not all be.
const CHUNK: u64 = 5_000;

pub(super) async fn run(cli: &Cli, order: &args::Report) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store_to_read().await?;
    super::app::require(&store, order.org).await?;
    print(&store, cli, order).await?;
    Ok(store.close().await?)
}

/// Organizations of which a feed was never read whole, each with its feeds in words.
pub(super) async fn incomplete(
    store: &Store,
    org: Option<i64>,
) -> Result<BTreeMap<i64, Vec<String>>, Failure> {
    let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for feed in store
        .feed_progress(false)
        .await?
        .into_iter()
        .filter(|feed| org.is_none_or(|id| id == feed.classy_id))
    {
        if let Some(import) = feed.import {
            let words = match import.since {
                Some(_) => import.told(clock::now()),
                None => "not read yet".to_owned(),
            };
            found.entry(feed.classy_id).or_default().push(format!(
                "{} {words}",
                feed.entity.as_str().replace('_', " ")
            ));
        }
    }
    Ok(found)
}

/// So many organizations are named on standard error.
const NAMED: usize = 5;

/// Says on standard error of which organizations the figures are too small.
pub(super) fn warn(incomplete: &BTreeMap<i64, Vec<String>>) {
    for (id, feeds) in incomplete.iter().take(NAMED) {
        output::remark(&format!(
            "the figures of organization {id} are incomplete until its first import is done: {}",
            feeds.join("; ")
        ));
    }
    if incomplete.len() > NAMED {
        output::remark(&format!(
            "and those of {} more",
            output::counted(
                (incomplete.len() - NAMED) as u64,
                "organization",
                "organizations"
            )
        ));
    }
}

pub(super) async fn print(store: &Store, cli: &Cli, order: &args::Report) -> Result<(), Failure> {
    let report = match order.what {
        ReportKind::Months => Report::Months,
        ReportKind::Retention => Report::Retention,
        ReportKind::Lybunt => Report::Lybunt,
        ReportKind::Sybunt => Report::Sybunt,
        ReportKind::Cohorts => Report::Cohorts,
        ReportKind::Rfm => Report::Rfm,
        ReportKind::Recurring => Report::Recurring,
        ReportKind::Donors => Report::Donors,
        ReportKind::Engagement => Report::Engagement,
        ReportKind::Campaigns => Report::Campaigns,
        ReportKind::Designations => Report::Designations,
        ReportKind::FundraisingPages => Report::FundraisingPages,
        ReportKind::Supporters => Report::Supporters,
    };
    let format = order.format.unwrap_or(if cli.output == Output::Json {
        ReportFormat::Json
    } else {
        ReportFormat::Table
    });
    let incomplete = incomplete(store, order.org).await?;
    warn(&incomplete);
    let nothing = "the database holds no such rows yet: `classy-sync sync` reads everything once";
    let mut offset = 0;
    let mut all: Vec<Vec<Value>> = Vec::new();
    let mut csv = csv::Writer::from_writer(output::Stdout);
    if format == ReportFormat::Csv {
        csv.write_record(report.columns()).map_err(unwritten)?;
    }
    loop {
        let rows = store.report(report, order.org, offset, CHUNK).await?;
        let count = rows.len() as u64;
        for row in rows {
            match format {
                ReportFormat::Csv => csv.write_record(row.iter().map(text)).map_err(unwritten)?,
                _ => all.push(row.iter().map(|cell| value(cell, format)).collect()),
            }
        }
        offset += count;
        if count < CHUNK || output::is_gone() {
            break;
        }
    }
    if format == ReportFormat::Csv {
        return csv.flush().map_err(output::unwritable);
    }
    if format == ReportFormat::Table {
        return output::rows(Output::Table, &report.columns(), all, nothing);
    }
    // A program reads no standard error: each row says whether more is to come.
    for row in &mut all {
        let is_complete = row
            .first()
            .and_then(Value::as_i64)
            .is_none_or(|id| !incomplete.contains_key(&id));
        row.push(json!(is_complete));
    }
    let headings: Vec<&str> = report
        .columns()
        .into_iter()
        .chain(["is_complete"])
        .collect();
    output::rows(Output::Json, &headings, all, nothing)
}

/// Prints rows for a spreadsheet.
pub(super) fn csv(headings: &[&str], rows: Vec<Vec<Value>>) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(output::Stdout);
    csv.write_record(headings).map_err(unwritten)?;
    for row in rows {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => harmless(text),
            other => other.to_string(),
        };
        csv.write_record(row.iter().map(cell)).map_err(unwritten)?;
    }
    csv.flush().map_err(output::unwritable)
}

pub(super) fn unwritten(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => output::unwritable(error),
        _ => Failure::new(Code::Bug, "rows of different length"),
    }
}

/// A spreadsheet takes a text that begins like this for a formula, and a donor chose the text.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

pub(super) fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Int(number) => number.to_string(),
        Cell::Number(amount) => amount.to_string(),
        Cell::Bool(flag) => flag.to_string(),
        Cell::Text(text) => harmless(text),
    }
}

/// Amounts are numbers for people, and texts in JSON: a float would not hold them.
fn value(cell: &Cell, format: ReportFormat) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => json!(number),
        Cell::Number(amount) if format == ReportFormat::Table => {
            json!(format!("{:.2}", amount.decimal()))
        }
        Cell::Number(amount) => json!(amount.to_string()),
        Cell::Bool(flag) => json!(flag),
        Cell::Text(text) => json!(text),
    }
}
