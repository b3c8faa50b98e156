//! `export`: a whole table or view as CSV, JSON or Parquet, row after row.

use super::app::{self, App};
use super::args::{self, Cli, ExportFormat, Output};
use super::exit::Failure;
use super::export_parquet;
use super::output;
use super::report;
use crate::entities::dictionary::{Entry, Sort, dictionary, entry};
use crate::entities::record::Kind;
use crate::store::{Cell, Export};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
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
    let mut sheet = Sheet::begin(format, export.columns())?;
    {
        let mut rows = pin!(store.export(&export, order.org, order.since).await?);
        while let Some(row) = rows.next().await {
            sheet.push(row?)?;
            if output::is_gone() {
                break;
            }
        }
    }
    sheet.end()?;
    Ok(store.close().await?)
}

/// What is being printed.
enum Sheet {
    Csv(Box<csv::Writer<output::Stdout>>),
    Json {
        columns: Vec<(&'static str, Kind)>,
        is_first: bool,
    },
    Parquet(Box<export_parquet::Rows>),
}

impl Sheet {
    fn begin(format: ExportFormat, columns: Vec<(&'static str, Kind)>) -> Result<Sheet, Failure> {
        Ok(match format {
            ExportFormat::Csv => {
                let mut csv = csv::Writer::from_writer(output::Stdout);
                csv.write_record(columns.iter().map(|(name, _)| name))
                    .map_err(report::unwritten)?;
                Sheet::Csv(Box::new(csv))
            }
            ExportFormat::Json => {
                output::print(b"[")?;
                Sheet::Json {
                    columns,
                    is_first: true,
                }
            }
            ExportFormat::Parquet if std::io::stdout().is_terminal() => {
                return Err(Failure::usage("a Parquet file is not for a terminal")
                    .hint("write it to a file: `classy-sync export gifts --format parquet > gifts.parquet`"));
            }
            ExportFormat::Parquet => {
                Sheet::Parquet(Box::new(export_parquet::Rows::begin(&columns)?))
            }
        })
    }

    fn push(&mut self, row: Vec<Cell>) -> Result<(), Failure> {
        match self {
            Sheet::Csv(csv) => csv
                .write_record(row.iter().map(report::text))
                .map_err(report::unwritten),
            Sheet::Json { columns, is_first } => {
                let before: &[u8] = if std::mem::take(is_first) {
                    b"\n"
                } else {
                    b",\n"
                };
                output::print(before)?;
                output::print(object(columns, &row).to_string().as_bytes())
            }
            Sheet::Parquet(rows) => rows.push(row),
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Sheet::Csv(mut csv) => csv.flush().map_err(output::unwritable),
            Sheet::Json { .. } => output::line("\n]"),
            Sheet::Parquet(rows) => rows.end(),
        }
    }
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

fn object(columns: &[(&str, Kind)], row: &[Cell]) -> Value {
    let cells = row.iter().map(|cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => json!(number),
        // A float would not hold it.
        Cell::Number(amount) => json!(amount.to_string()),
        Cell::Bool(flag) => json!(flag),
        Cell::Text(text) => json!(text),
    });
    let names = columns.iter().map(|(name, _)| (*name).to_owned());
    Value::Object(names.zip(cells).collect::<Map<_, _>>())
}
