//! A value on its way into a column, as each database takes it.

use super::dialect::Dialect;
use crate::domain::{Money, Time};
use crate::entities::record::{Column, Get, Kind};
use chrono::DateTime;
use sea_orm::Value;
use sea_orm::sea_query::ArrayType;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ColumnValue<'a> {
    Null,
    Int(i64),
    Bool(bool),
    Text(Cow<'a, str>),
    Money(Money),
    Time(Time),
}

impl<'a> ColumnValue<'a> {
    /// What a record has in a column.
    pub(super) fn of<R>(column: &Column<R>, record: &'a R) -> ColumnValue<'a> {
        let value = match &column.get {
            Get::Int(get) => get(record).map(ColumnValue::Int),
            Get::Bool(get) => get(record).map(ColumnValue::Bool),
            Get::Text(get) => get(record).map(|text| ColumnValue::Text(Cow::Borrowed(text))),
            Get::Made(make) => make(record).map(|text| ColumnValue::Text(Cow::Owned(text))),
            Get::Money(get) => get(record).map(ColumnValue::Money),
            Get::Time(get) => get(record).map(ColumnValue::Time),
        };
        value.unwrap_or(ColumnValue::Null)
    }

    /// What it occupies in a statement with its type, in bytes, at most.
    pub(super) fn bytes(&self) -> usize {
        match self {
            ColumnValue::Text(text) => text.len() + 12,
            ColumnValue::Time(_) => 40,
            ColumnValue::Money(_) => 40,
            _ => 12,
        }
    }

    /// As a parameter. Amounts and times travel as text: SQLite's and MySQL's columns make of it
    /// what they hold, to the last digit.
    pub(super) fn parameter(self, dialect: Dialect) -> Value {
        match self {
            ColumnValue::Null => Value::String(None),
            ColumnValue::Int(value) => value.into(),
            ColumnValue::Bool(value) => i64::from(value).into(),
            ColumnValue::Text(text) => text.into_owned().into(),
            ColumnValue::Money(amount) => amount.to_string().into(),
            ColumnValue::Time(time) => dialect.time_text(time).into(),
        }
    }

    /// Appends it as an element of a PostgreSQL array that travels as text.
    fn write_element(&self, array: &mut String) {
        // Writing to a String cannot fail.
        match self {
            ColumnValue::Bool(value) => array.push(if *value { 't' } else { 'f' }),
            ColumnValue::Text(text) => {
                array.push('"');
                let mut rest = text.as_ref();
                while let Some(at) = rest.find(['"', '\\']) {
                    let (plain, special) = rest.split_at(at);
                    array.push_str(plain);
                    array.push('\\');
                    array.push_str(&special[..1]);
                    rest = &special[1..];
                }
                array.push_str(rest);
                array.push('"');
            }
            ColumnValue::Money(amount) => {
                let _ = write!(array, "{amount}");
            }
            ColumnValue::Null | ColumnValue::Int(_) | ColumnValue::Time(_) => {
                array.push_str("NULL");
            }
        }
    }
}

/// A column's values for PostgreSQL.
pub(super) struct Array {
    pub(super) value: Value,
    /// What they occupy.
    pub(super) bytes: usize,
    /// What stands for NULL, as the database spells it, where the array cannot hold it: the driver's
    /// own. Others go as text.
    pub(super) null: Option<&'static str>,
}

/// Of whole numbers NULL: an id is not negative, and a fingerprint is this one once in 2^64 times.
const NO_INT: (i64, &str) = (i64::MIN, "'-9223372036854775808'");

/// Of times NULL, by seconds since 1970: the 1st of January 4001 before Christ, to the left of all
/// that is stored (`domain::Time`), and to the right of where PostgreSQL's calendar begins.
const NO_TIME: (i64, &str) = (-188_395_027_200, "'4001-01-01 00:00:00+00 BC'");

/// The values of a column of this kind, in the order of their rows.
pub(super) fn array<'v>(kind: Kind, values: impl Iterator<Item = ColumnValue<'v>>) -> Array {
    let own = |of, null, values: Vec<Value>| Array {
        bytes: 8 * values.len(),
        value: Value::Array(of, Some(Box::new(values))),
        null: Some(null),
    };
    match kind {
        Kind::Int => {
            let value = |value| match value {
                ColumnValue::Int(value) => value,
                _ => NO_INT.0,
            };
            own(
                ArrayType::BigInt,
                NO_INT.1,
                values.map(|one| value(one).into()).collect(),
            )
        }
        Kind::Time => {
            let none = DateTime::from_timestamp(NO_TIME.0, 0).unwrap_or_default();
            let value = |value| match value {
                ColumnValue::Time(value) => value,
                _ => none,
            };
            own(
                ArrayType::ChronoDateTimeUtc,
                NO_TIME.1,
                values.map(|one| value(one).into()).collect(),
            )
        }
        Kind::Text | Kind::Bool | Kind::Money => {
            let mut array = String::from("{");
            for (place, value) in values.enumerate() {
                if place > 0 {
                    array.push(',');
                }
                value.write_element(&mut array);
            }
            array.push('}');
            Array {
                bytes: array.len(),
                value: array.into(),
                null: None,
            }
        }
    }
}
