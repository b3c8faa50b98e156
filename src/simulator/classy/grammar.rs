//! The grammar of `filter` and `sort` (contract 4 and 5): one decoding, seven operators, a comma for "and", whole seconds.

use crate::simulator::world::Record;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use std::cmp::Ordering;

/// One condition of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    field: String,
    operator: Operator,
    value: Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtMost,
    AtLeast,
    Not,
    Is,
    Below,
    Above,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Moment(i64),
    Number(f64),
    Flag(bool),
    Text(String),
}

/// One key of a sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) field: String,
    pub(super) descending: bool,
}

/// Parses a filter; the error is the API's text.
pub(super) fn filter(text: &str, known: impl Fn(&str) -> bool) -> Result<Vec<Condition>, String> {
    text.split(',').filter(|part| !part.is_empty()).map(|part| condition(part, &known)).collect()
}

fn condition(part: &str, known: impl Fn(&str) -> bool) -> Result<Condition, String> {
    let at = part.find(['<', '>', '=', '!']).unwrap_or(part.len());
    let (field, rest) = part.split_at(at);
    let refused = || format!("Invalid value and/or operator for {field} filtering condition.");
    let operators = [
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<>", Operator::Not),
        ("!=", Operator::Not),
        ("=", Operator::Is),
        ("<", Operator::Below),
        (">", Operator::Above),
    ];
    let (sign, operator) = operators.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(refused)?;
    if field != "id" && field != "updated_at" && !known(field) {
        return Err(refused());
    }
    let value = &rest[sign.len()..];
    let value = if field.ends_with("_at") || field.ends_with("_date") {
        Operand::Moment(moment(value).ok_or_else(refused)?)
    } else if field.starts_with("is_") || field == "opt_in" {
        match value {
            "true" | "1" => Operand::Flag(true),
            "false" | "0" => Operand::Flag(false),
            _ => return Err(refused()),
        }
    } else {
        value.parse().map_or_else(|_| Operand::Text(value.to_owned()), Operand::Number)
    };
    Ok(Condition { field: field.to_owned(), operator, value })
}

/// `2025-04-20`, `...SSZ`, `...SS+0000`, `...SS+hh:mm`; neither milliseconds nor percent signs.
fn moment(text: &str) -> Option<i64> {
    if text.contains(['.', '%', ' ']) {
        return None;
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp());
    }
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%#z")
        .map(|at| at.timestamp())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").map(|at| at.and_utc().timestamp()))
        .ok()
}

impl Condition {
    pub(super) fn holds(&self, record: &Record) -> bool {
        let order = match &self.value {
            Operand::Moment(value) if self.field == "updated_at" => record.updated_at.map(|at| at.cmp(value)),
            Operand::Moment(value) => record.get(&self.field).and_then(|text| moment(text.trim_matches('"'))).map(|at| at.cmp(value)),
            Operand::Number(value) => {
                record.get(&self.field).and_then(|text| text.trim_matches('"').parse::<f64>().ok()?.partial_cmp(value))
            }
            Operand::Flag(value) => record.get(&self.field).map(|text| (text == "true").cmp(value)),
            Operand::Text(value) => {
                record.get(&self.field).filter(|text| text != "null").map(|text| text.trim_matches('"').cmp(value.as_str()))
            }
        };
        // What is null matches nothing.
        order.is_some_and(|order| match self.operator {
            Operator::AtMost => order != Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
            Operator::Not => order != Ordering::Equal,
            Operator::Is => order == Ordering::Equal,
            Operator::Below => order == Ordering::Less,
            Operator::Above => order == Ordering::Greater,
        })
    }
}

/// Parses a sort order; the error is the API's text.
pub(super) fn sort(text: &str, known: impl Fn(&str) -> bool) -> Result<Vec<Sort>, String> {
    let key = |part: &str| {
        let (field, direction) = part.split_once(':').unwrap_or((part, "asc"));
        let refused = || format!("Invalid value and/or operator for {field} sorting condition.");
        if field != "id" && field != "updated_at" && !known(field) {
            return Err(refused());
        }
        match direction {
            "asc" => Ok(Sort { field: field.to_owned(), descending: false }),
            "desc" => Ok(Sort { field: field.to_owned(), descending: true }),
            _ => Err(refused()),
        }
    };
    text.split(',').map(key).collect()
}

impl Sort {
    pub(super) fn compare(&self, a: &Record, b: &Record) -> Ordering {
        let order = match self.field.as_str() {
            "id" => a.id.cmp(&b.id),
            "updated_at" => a.updated_at.cmp(&b.updated_at),
            field => {
                let (a, b) = (a.get(field), b.get(field));
                let number = |text: &Option<std::borrow::Cow<'_, str>>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
                match (number(&a), number(&b)) {
                    (Some(a), Some(b)) => a.total_cmp(&b),
                    _ => a.cmp(&b),
                }
            }
        };
        if self.descending { order.reverse() } else { order }
    }
}
