//! `export`: a whole table or view as CSV or JSON, row after row.

use super::app::{self, App};
use super::args::{self, Cli, ExportFormat, Output};
use super::exit::Failure;
use super::output;
use super::report;
use crate::entities::dictionary::{Entry, Sort, dictionary, entry};
use crate::store::{Cell, Export};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use std::pin::pin;

pub(super) async fn run(cli: &Cli, order: &args::Export) -> Result<(), Failure> {
    let export = chosen(&order.what)?;
    if order.since.is_some() && !export.has_moment() {
        return Err(Failure::usage(format!(
            "the rows of {} have no moment that --since could go by",
            order.what
        ))
        .hint("leave --since out, or export `gifts` or a table"));
    }
    let app = App::start(cli)?;
    let store = app.store_to_read().await?;
    app::require(&store, order.org).await?;
    report::warn(&report::incomplete(&store, order.org).await?);
    let format = order.format.unwrap_or(match cli.output {
        Output::Json => ExportFormat::Json,
        Output::Table => ExportFormat::Csv,
    });
    let columns = export.columns();
    let mut csv = csv::Writer::from_writer(output::Stdout);
    match format {
        ExportFormat::Csv => csv.write_record(&columns).map_err(report::unwritten)?,
        ExportFormat::Json => output::print(b"[")?,
    }
    {
        let mut rows = pin!(store.export(&export, order.org, order.since).await?);
        let mut is_first = true;
        while let Some(row) = rows.next().await {
            let row = row?;
            match format {
                ExportFormat::Csv => csv
                    .write_record(row.iter().map(report::text))
                    .map_err(report::unwritten)?,
                ExportFormat::Json => {
                    let before: &[u8] = if is_first { b"\n" } else { b",\n" };
                    output::print(before)?;
                    output::print(object(&columns, &row).to_string().as_bytes())?;
                }
            }
            is_first = false;
            if output::is_gone() {
                break;
            }
        }
    }
    match format {
        ExportFormat::Csv => csv.flush().map_err(output::unwritable)?,
        ExportFormat::Json => output::line("\n]")?,
    }
    Ok(store.close().await?)
}

/// What a name stands for.
fn chosen(name: &str) -> Result<Export, Failure> {
    if let Some(export) = entry(name).as_ref().and_then(Export::of) {
        return Ok(export);
    }
    let of = |sort: Sort| {
        let entries = dictionary().into_iter();
        let names = entries.filter(|entry: &Entry| entry.sort == sort);
        names.map(|entry| entry.name).collect::<Vec<_>>().join(", ")
    };
    Err(
        Failure::usage(format!("there is nothing called '{name}' to export")).hint(format!(
            "tables: {}; views: {}",
            of(Sort::Record),
            of(Sort::View)
        )),
    )
}

fn object(columns: &[&str], row: &[Cell]) -> Value {
    let cells = row.iter().map(|cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => json!(number),
        // A float would not hold it.
        Cell::Number(amount) => json!(amount.to_string()),
        Cell::Bool(flag) => json!(flag),
        Cell::Text(text) => json!(text),
    });
    let names = columns.iter().map(|name| (*name).to_owned());
    Value::Object(names.zip(cells).collect::<Map<_, _>>())
}
