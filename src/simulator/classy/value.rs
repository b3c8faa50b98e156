//! A field's value: how JSON writes it, and how a filter or an order compares it.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

/// What is compared. Times are numbers: seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulator) enum Value<'a> {
    Null,
    Flag(bool),
    Number(f64),
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// Null first, as the database behind the API sorts.
    pub(super) fn compare(&self, other: &Value<'_>) -> Ordering {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Flag(_) => 1,
            Value::Number(_) => 2,
            Value::Text(_) => 3,
        }
    }
}

/// A JSON text.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter < ' ' => {
                let _ = write!(out, "\\u{:04x}", letter as u32);
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// Cents as the API writes numbers: `5`, `10.5`, `6.01`.
pub(super) fn amount(cents: i64, out: &mut String) {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    let (whole, rest) = (cents / 100, cents % 100);
    let _ = match (rest, rest % 10) {
        (0, _) => write!(out, "{sign}{whole}"),
        (_, 0) => write!(out, "{sign}{whole}.{}", rest / 10),
        _ => write!(out, "{sign}{whole}.{rest:02}"),
    };
}

/// Cents with so many decimals, at least two: `52.500`.
pub(super) fn padded(cents: i64, decimals: usize, out: &mut String) {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    let _ = write!(
        out,
        "{sign}{}.{:02}{:0<zeros$}",
        cents / 100,
        cents % 100,
        "",
        zeros = decimals - 2
    );
}

/// A moment as the API writes it (contract 6): `2025-05-29T17:45:43+0000`.
pub(in crate::simulator) fn clock_text(seconds: i64) -> String {
    let mut out = String::with_capacity(24);
    write_moment(seconds, &mut out);
    out
}

pub(super) fn write_moment(seconds: i64, out: &mut String) {
    let at = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let (year, month, day) = (at.year(), at.month(), at.day());
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+0000",
        at.hour(),
        at.minute(),
        at.second()
    );
}

/// `2025-04-20`, `...SSZ`, `...SS+0000`, `...SS+hh:mm` and no zone at all; neither milliseconds nor
/// percent signs (contract 5).
pub(in crate::simulator) fn moment(text: &str) -> Option<i64> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN).and_utc().timestamp());
    }
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%#z")
        .map(|at| at.timestamp())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
                .map(|at| at.and_utc().timestamp())
        })
        .ok()
}
