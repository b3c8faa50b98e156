//! Results on standard output, as a table for people or as JSON for programs.

use super::args::Output;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// Prints rows under headings, or the same as a JSON array of objects keyed by the headings.
pub(super) fn rows(output: Output, headings: &[&str], rows: Vec<Vec<Value>>) {
    match output {
        Output::Json => json(&objects(headings, rows)),
        Output::Table => {
            let mut table = plain();
            table.set_header(headings.iter().map(|heading| heading.replace('_', " ")));
            for row in rows {
                table.add_row(row.iter().map(text));
            }
            line(&table.to_string());
        }
    }
}

/// Rows as an array of objects keyed by the headings.
pub(super) fn objects(headings: &[&str], rows: Vec<Vec<Value>>) -> Value {
    let object = |row: Vec<Value>| Value::Object(headings.iter().map(|name| (*name).to_owned()).zip(row).collect());
    Value::Array(rows.into_iter().map(object).collect())
}

/// Prints names and values below each other, or the same as one JSON object.
pub(super) fn facts(output: Output, facts: Vec<(&str, Value)>) {
    match output {
        Output::Json => json(&Value::Object(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        Output::Table => {
            let mut table = plain();
            for (name, value) in facts {
                table.add_row([name.replace('_', " "), text(&value)]);
            }
            line(&table.to_string());
        }
    }
}

/// Prints JSON, indented.
pub(super) fn json(value: &Value) {
    line(&format!("{value:#}"));
}

/// Prints a line; a reader that went away ends the printing, not the program with a panic.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Wipes the terminal.
pub(super) fn clear() {
    let _ = write!(std::io::stdout().lock(), "\x1b[H\x1b[2J");
}

/// Prints a remark that is no result.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

/// A value as people read it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        // A donor's name must not move the cursor of somebody's terminal.
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}
