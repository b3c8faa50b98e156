//! Results on standard output, as a table for people or as JSON for programs.
//!
//! Every write is checked. A full disk is a failure with a code of its own: half a report that ends
//! with 0 would be believed. A reader that went away (`| head -1`) has what it wanted: nothing more
//! is printed, and the command goes on to its own end and code.

use super::args::Output;
use super::exit::{Code, Failure};
use super::stderr::take_remarks;
pub(super) use super::stderr::{done, remark, say};
use super::table;
use crate::clock;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// The reader of standard output went away.
static GONE: AtomicBool = AtomicBool::new(false);
/// Something was printed there.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Standard output, for whoever writes to it piece by piece.
pub(super) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if is_gone() {
            return Ok(bytes.len());
        }
        PRINTED.store(true, Ordering::Relaxed);
        unless_gone(std::io::stdout().lock().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if is_gone() {
            Ok(())
        } else {
            unless_gone(std::io::stdout().lock().flush(), ())
        }
    }
}

fn unless_gone<T>(result: std::io::Result<T>, taken: T) -> std::io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            GONE.store(true, Ordering::Relaxed);
            Ok(taken)
        }
        other => other,
    }
}

/// Whether nobody reads any more: what repeats itself may end.
pub(super) fn is_gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

/// Standard output took nothing more.
pub(super) fn unwritable(error: std::io::Error) -> Failure {
    Failure::new(Code::Output, Unwritable { source: error })
        .hint("what was printed is incomplete: make room, or write to another place, and run the command again")
}

/// Why [`Code::Output`].
#[derive(Debug, thiserror::Error)]
#[error("the result cannot be written to standard output")]
struct Unwritable {
    source: std::io::Error,
}

/// Prints rows under headings, or the same as a JSON array of objects keyed by the headings.
/// Without rows people are told `nothing`.
pub(super) fn rows(
    output: Output,
    headings: &[&str],
    rows: Vec<Vec<Value>>,
    nothing: &str,
) -> Result<(), Failure> {
    match output {
        Output::Json => json(&objects(headings, rows)),
        Output::Table if rows.is_empty() => {
            remark(nothing);
            Ok(())
        }
        Output::Table => line(&table::of_rows(headings, &rows, clock::now())),
    }
}

/// The first rows of a list that was asked for with one more than `limit`: that one says that there
/// are more, and so does this.
pub(super) fn at_most<T>(mut rows: Vec<T>, limit: u64) -> Vec<T> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() > most {
        rows.truncate(most);
        remark(&format!(
            "{limit} are shown and there are more: `--limit N` shows N"
        ));
    }
    rows
}

/// Rows as an array of objects keyed by the headings.
pub(super) fn objects(headings: &[&str], rows: Vec<Vec<Value>>) -> Value {
    let object = |row: Vec<Value>| {
        Value::Object(
            headings
                .iter()
                .map(|name| (*name).to_owned())
                .zip(row)
                .collect(),
        )
    };
    Value::Array(rows.into_iter().map(object).collect())
}

/// Prints names and values below each other, or the same as one JSON object.
pub(super) fn facts(output: Output, facts: Vec<(&str, Value)>) -> Result<(), Failure> {
    match output {
        Output::Json => json(&Value::Object(
            facts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )),
        Output::Table => line(&table::of_facts(&facts, clock::now())),
    }
}

/// Prints JSON, indented.
pub(super) fn json(value: &Value) -> Result<(), Failure> {
    line(&format!("{value:#}"))
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    print(text.as_bytes())
        .and_then(|()| print(b"\n"))
        .and_then(|()| finish())
}

/// Prints bytes as they are.
pub(super) fn print(bytes: &[u8]) -> Result<(), Failure> {
    Stdout.write_all(bytes).map_err(unwritable)
}

/// Writes out what is still in memory.
pub(super) fn finish() -> Result<(), Failure> {
    Stdout.flush().map_err(unwritable)
}

/// Prints the help or the version that was asked for.
pub(super) fn help(asked: &clap::Error) -> Result<(), Failure> {
    PRINTED.store(true, Ordering::Relaxed);
    unless_gone(asked.print(), ())
        .map_err(unwritable)
        .and_then(|()| finish())
}

/// For programs, when a command that prints no result of its own has done what it was told: what it
/// said.
pub(super) fn acknowledge() -> Result<(), Failure> {
    if PRINTED.load(Ordering::Relaxed) {
        return Ok(());
    }
    json(&json!({ "done": true, "remarks": take_remarks() }))
}

/// For programs, when a command failed before it printed anything: the failure as a document.
pub(super) fn failed(failure: &Failure) {
    if !PRINTED.load(Ordering::Relaxed) {
        // Standard error has it, too, and the code says the rest.
        let _ = json(&failure.document());
    }
}

/// Wipes the terminal.
pub(super) fn clear() -> Result<(), Failure> {
    print(b"\x1b[H\x1b[2J")
}

/// `1 record`, `2 records`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A value as people read it.
pub(super) fn text(value: &Value) -> String {
    table::text(value, clock::now())
}
