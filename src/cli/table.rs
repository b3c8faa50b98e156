//! Tables for people: numbers stand at the right with separators, moments are told from now, columns
//! in which no row says anything are left out, and what is wrong is in colour on a terminal.

use crate::domain::Time;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use serde_json::Value;
use std::io::IsTerminal;
use std::time::Duration;

/// Headings of numbers that count nothing.
const NAMES: [&str; 8] = [
    "id",
    "run",
    "organization",
    "supporter",
    "generation",
    "cohort",
    "year",
    "month",
];

/// Rows under headings.
pub(super) fn of_rows(headings: &[&str], rows: &[Vec<Value>], now: Time) -> String {
    let said: Vec<usize> = (0..headings.len())
        .filter(|column| rows.iter().any(|row| !row[*column].is_null()))
        .collect();
    let mut table = empty();
    table.set_header(
        said.iter()
            .map(|column| headings[*column].replace('_', " ")),
    );
    let coloured = is_coloured();
    for row in rows {
        let cell = |column: &usize| {
            let (heading, value) = (headings[*column], &row[*column]);
            let text = if is_quantity(heading) {
                number(value).unwrap_or_else(|| text(value, now))
            } else {
                text(value, now)
            };
            let cell = Cell::new(text);
            match value.as_str().filter(|_| coloured).and_then(colour) {
                Some(Color::Red) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
                Some(colour) => cell.fg(colour),
                None => cell,
            }
        };
        table.add_row(said.iter().map(cell));
    }
    for (place, column) in said.iter().enumerate() {
        let mut values = rows
            .iter()
            .map(|row| &row[*column])
            .filter(|value| !value.is_null());
        if is_quantity(headings[*column])
            && values.all(|value| number(value).is_some())
            && let Some(column) = table.column_mut(place)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Names and values below each other.
pub(super) fn of_facts(facts: &[(&str, Value)], now: Time) -> String {
    let mut table = empty();
    for (name, value) in facts {
        table.add_row([name.replace('_', " "), text(value, now)]);
    }
    table.trim_fmt()
}

/// A value as people read it.
pub(super) fn text(value: &Value, now: Time) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => match moment(text) {
            Some(at) => told(at, now),
            // A donor's name must not move the cursor of somebody's terminal.
            None => text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        },
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// A moment with its zone, as JSON has it: nothing that a person wrote is taken for one.
fn moment(text: &str) -> Option<Time> {
    let is_long =
        text.len() >= "2026-01-31T12:00:00Z".len() && text.as_bytes().get(10) == Some(&b'T');
    text.parse().ok().filter(|_| is_long)
}

/// How long ago, or in how long, within a day; the moment itself beyond.
pub(super) fn told(at: Time, now: Time) -> String {
    let seconds = (now - at).num_seconds();
    if seconds.abs() >= 86_400 {
        return at.format("%Y-%m-%d %H:%M UTC").to_string();
    }
    let span = humantime::format_duration(Duration::from_secs(seconds.unsigned_abs())).to_string();
    // Two parts are enough: "3h 4m".
    let span = span.split(' ').take(2).collect::<Vec<_>>().join(" ");
    if seconds < 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// Whether the numbers under a heading are counts, amounts or shares.
fn is_quantity(heading: &str) -> bool {
    !NAMES.contains(&heading) && !heading.ends_with("_id") && !heading.ends_with("_year")
}

/// A number with separators: JSON's own, and one with decimals that is a text so that it is exact.
fn number(value: &Value) -> Option<String> {
    let plain = match value {
        Value::Number(number) if number.is_f64() => format!("{:.2}", number.as_f64()?),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.as_str()),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        // A text of digits alone may be a name.
        None if value.is_string() => return None,
        None => (digits, None),
    };
    let are_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || decimals.is_some_and(|decimals| !are_digits(decimals)) {
        return None;
    }
    let mut grouped = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(decimals) = decimals {
        grouped.push('.');
        grouped.push_str(decimals);
    }
    Some(grouped)
}

/// The colour of a word that says how something is.
fn colour(word: &str) -> Option<Color> {
    match word {
        "failing" | "failed" | "suspended" | "critical" | "wrong_key" => Some(Color::Red),
        "degraded" | "partial" | "incomplete" | "paused" | "stopped" | "held" => {
            Some(Color::Yellow)
        }
        "ok" | "complete" => Some(Color::Green),
        _ => None,
    }
}

/// On a terminal, unless `NO_COLOR` says otherwise.
fn is_coloured() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Time {
        "2026-12-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn numbers_stand_at_the_right_and_names_do_not() {
        let rows = vec![
            vec![
                json!(10_001),
                json!("Food"),
                json!(7_431),
                json!("266391.59"),
                json!(null),
            ],
            vec![
                json!(10_002),
                json!("Water"),
                json!(12),
                json!("-5.00"),
                json!(null),
            ],
        ];
        let headings = ["organization", "name", "gifts", "raised", "error"];
        let table = of_rows(&headings, &rows, now());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                " organization  name   gifts      raised",
                " 10001         Food   7,431  266,391.59",
                " 10002         Water     12       -5.00",
            ]
        );
    }

    #[test]
    fn a_number_is_grouped_and_whatever_else_is_as_it_was() {
        let of = |value: Value| number(&value);
        assert_eq!(of(json!(0)).as_deref(), Some("0"));
        assert_eq!(of(json!(-1_234_567)).as_deref(), Some("-1,234,567"));
        assert_eq!(of(json!(0.0)).as_deref(), Some("0.00"));
        assert_eq!(of(json!("999.5000")).as_deref(), Some("999.5000"));
        for text in ["12345", "1.2.3", "", ".", "1.", "1,5", "x", "-", "Infinity"] {
            assert_eq!(of(json!(text)), None, "{text}");
        }
    }

    #[test]
    fn moments_are_told_from_now_and_old_ones_by_their_day() {
        let of = |text_of: &str| text(&json!(text_of), now());
        assert_eq!(of("2026-12-01T11:57:58.469944+00:00"), "2m 1s ago");
        assert_eq!(of("2026-12-01T13:00:00Z"), "in 1h");
        assert_eq!(of("2026-11-01T11:57:58Z"), "2026-11-01 11:57 UTC");
        assert_eq!(of("2026-11-01"), "2026-11-01");
        assert_eq!(of("to\u{1b}[2J"), "to [2J");
    }
}
