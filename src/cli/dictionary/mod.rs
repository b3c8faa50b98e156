//! `db dictionary`: every table, column and view, with what it means. It needs no database and no
//! configuration.

mod html;
mod markdown;
mod parts;

use super::args::{Cli, DictionaryFormat, Output};
use super::exit::Failure;
use super::output;
use crate::entities::dictionary::{Entry, Field, Sort, dictionary};
use serde_json::{Value, json};

pub(super) fn print(cli: &Cli, format: Option<DictionaryFormat>) -> Result<(), Failure> {
    let entries = dictionary();
    let format = format.unwrap_or(match cli.output {
        Output::Json => DictionaryFormat::Json,
        Output::Table => DictionaryFormat::Markdown,
    });
    match format {
        DictionaryFormat::Markdown => output::print(markdown::text(&entries).as_bytes()),
        DictionaryFormat::Html => output::print(html::text(&entries).as_bytes()),
        DictionaryFormat::Json => output::json(&Value::Array(entries.iter().map(json).collect())),
    }
}

fn json(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "kind": match entry.sort {
            Sort::View => "view",
            Sort::Record | Sort::Own => "table",
        },
        "part": match entry.sort {
            Sort::View => "views",
            Sort::Record => "records",
            Sort::Own => "own",
        },
        "meaning": entry.meaning,
        "classy_path": entry.path,
        "columns": entry.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn column(field: &Field) -> Value {
    json!({
        "name": field.name,
        "type": field.kind.told(),
        "meaning": field.meaning,
        "classy_key": field.source,
        "links_to": field.links,
    })
}
