//! A value on its way into a column, as each database takes it.

use super::dialect::Dialect;
use crate::domain::{Money, Time};
use crate::entities::record::{Column, Get};
use sea_orm::Value;
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

    /// Appends it as an element of a PostgreSQL array.
    pub(super) fn write_element(&self, dialect: Dialect, array: &mut String) {
        // Writing to a String cannot fail.
        match self {
            ColumnValue::Null => array.push_str("NULL"),
            ColumnValue::Int(value) => {
                let _ = write!(array, "{value}");
            }
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
            ColumnValue::Time(time) => array.push_str(&dialect.time_text(*time)),
        }
    }
}
