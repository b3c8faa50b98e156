//! `db dictionary`: every table, column and view, with what it means. It needs no database and no
//! configuration.

mod html;
mod markdown;

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

/// What each part is about.
const PARTS: [(Sort, &str, &str); 3] = [
    (
        Sort::View,
        "Views",
        "What analysts read. Days, months and years are those of the organization's zone, amounts are in its currency.",
    ),
    (
        Sort::Record,
        "Records from Classy",
        "Ids are Classy's, and unique only together with organization_id: join on both. Amounts without a prefix are in the organization's currency, raw_ in the donor's, charged_ in the processor's; they are exact to four decimals. Times are UTC. 'contract 6.2' is a section of docs/classy-api.md.",
    ),
    (
        Sort::Own,
        "The program's own tables",
        "How the sync goes on. They may change with any version.",
    ),
];

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
