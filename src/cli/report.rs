//! `report`: the views, as table, CSV or JSON.

use super::app::App;
use super::args::{self, Cli, Output, ReportFormat, ReportKind};
use super::exit::{Code, Failure};
use super::output;
use crate::store::{Cell, Report, Store};
use serde_json::{Value, json};

/// Rows that are held at once when they need not all be.
const CHUNK: u64 = 5_000;

pub(super) async fn run(cli: &Cli, order: &args::Report) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
    if let Some(id) = order.org {
        super::app::find(&store, id).await?;
    }
    print(&store, cli, order).await?;
    Ok(store.close().await?)
}

pub(super) async fn print(store: &Store, cli: &Cli, order: &args::Report) -> Result<(), Failure> {
    let report = match order.what {
        ReportKind::Donors => Report::Donors,
        ReportKind::Engagement => Report::Engagement,
        ReportKind::Campaigns => Report::Campaigns,
        ReportKind::Supporters => Report::Supporters,
    };
    let format = order.format.unwrap_or(if cli.output == Output::Json { ReportFormat::Json } else { ReportFormat::Table });
    let mut offset = 0;
    let mut all = Vec::new();
    let mut csv = csv::Writer::from_writer(std::io::stdout());
    let failed = |error: csv::Error| Failure::new(Code::Bug, error);
    if format == ReportFormat::Csv {
        csv.write_record(report.columns()).map_err(failed)?;
    }
    loop {
        let rows = store.report(report, order.org, offset, CHUNK).await?;
        let count = rows.len() as u64;
        for row in rows {
            match format {
                ReportFormat::Csv => csv.write_record(row.iter().map(text)).map_err(failed)?,
                _ => all.push(row.iter().map(|cell| value(cell, format)).collect()),
            }
        }
        offset += count;
        if count < CHUNK {
            break;
        }
    }
    if format == ReportFormat::Csv {
        return csv.flush().map_err(|error| Failure::new(Code::Bug, error));
    }
    output::rows(if format == ReportFormat::Json { Output::Json } else { Output::Table }, &report.columns(), all);
    Ok(())
}

/// Prints rows for a spreadsheet.
pub(super) fn csv(headings: &[&str], rows: Vec<Vec<Value>>) -> Result<(), Failure> {
    let failed = |error: csv::Error| Failure::new(Code::Bug, error);
    let mut csv = csv::Writer::from_writer(std::io::stdout());
    csv.write_record(headings).map_err(failed)?;
    for row in rows {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => harmless(text),
            other => other.to_string(),
        };
        csv.write_record(row.iter().map(cell)).map_err(failed)?;
    }
    csv.flush().map_err(|error| Failure::new(Code::Bug, error))
}

/// A spreadsheet takes a text that begins like this for a formula, and a donor chose the text.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn text(cell: &Cell) -> String {
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
        Cell::Number(amount) if format == ReportFormat::Table => json!(format!("{:.2}", amount.decimal())),
        Cell::Number(amount) => json!(amount.to_string()),
        Cell::Bool(flag) => json!(flag),
        Cell::Text(text) => json!(text),
    }
}
