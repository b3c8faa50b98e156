//! Reads back what is stored: the little that decisions, audit and totals need.

use super::amount::Amount;
use super::dialect::{Dialect, EXACT_BELOW};
use crate::domain::{Money, Time};
use crate::entities::record::{Get, Gift, Kind};
use crate::entities::transaction::is_gift;
use crate::entities::{Entity, Record};
use rust_decimal::Decimal;
use sea_orm::{DbErr, FromQueryResult, QueryResult};
use std::marker::PhantomData;

/// A stored row, as far as it matters for what comes after it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) fingerprint: Option<i64>,
    pub(super) updated_at: Option<Time>,
    pub(super) is_stub: bool,
    pub(super) is_absent: bool,
    /// It was written with fewer columns than are stored now.
    pub(super) is_outdated: bool,
    /// The audited columns, in the table's order.
    pub(super) audited: Vec<Value>,
    /// The parents' ids, in the order of the table's links.
    pub(super) links: Vec<Option<i64>>,
    /// What it brought in, unless it is gone.
    pub(super) gift: Option<Gift>,
}

/// A stored row of a kind of record, with its id.
pub(super) struct StoredRow<R> {
    id: i64,
    stored: Stored,
    record: PhantomData<fn() -> R>,
}

impl<R> StoredRow<R> {
    pub(super) fn into_pair(self) -> (i64, Stored) {
        (self.id, self.stored)
    }
}

impl<R: Record> FromQueryResult for StoredRow<R> {
    fn from_query_result(row: &QueryResult, _prefix: &str) -> Result<Self, DbErr> {
        let (id, stored) = stored::<R>(row)?;
        Ok(StoredRow {
            id,
            stored,
            record: PhantomData,
        })
    }
}

/// A value that can be compared with a record's and told in the audit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Text(String),
    Money(Money),
}

impl Value {
    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Money(amount) => amount.to_string().into(),
        }
    }

    /// An audited column's value of a record.
    pub(super) fn of<R>(get: &Get<R>, record: &R) -> Value {
        match get {
            Get::Bool(get) => get(record).map_or(Value::Null, Value::Bool),
            Get::Text(get) => get(record).map_or(Value::Null, |text| Value::Text(text.to_owned())),
            Get::Made(make) => make(record).map_or(Value::Null, Value::Text),
            Get::Money(get) => get(record).map_or(Value::Null, Value::Money),
            Get::Int(get) => get(record).map_or(Value::Null, |id| Value::Text(id.to_string())),
            Get::Time(get) => {
                get(record).map_or(Value::Null, |time| Value::Text(time.to_rfc3339()))
            }
        }
    }
}

/// Why an amount is not stored, if it is not: the database does not keep it to the last digit, or
/// its sum would not be held. Whatever the database, one amount of a sum stays below what SQLite
/// holds exactly, too: beside a larger one, the total of a person would leave no room for the
/// ordinary gifts that come later, and they would be rejected for it.
pub(super) fn refusal(amount: Money, is_summed: bool, dialect: Dialect) -> Option<&'static str> {
    if is_summed && amount.decimal().abs() >= Decimal::from(EXACT_BELOW) {
        Some("100 billion or more, which leaves no room in the totals")
    } else {
        dialect.too_large_amount(amount)
    }
}

/// A sum that was worked out here; one that the database cannot hold refuses the record that
/// brought it there.
pub(super) fn sum(column: &str, sum: Decimal, dialect: Dialect) -> Result<Money, DbErr> {
    let sum = Money::new(sum).map_err(|error| DbErr::Type(format!("{column}: {error}")))?;
    match dialect.too_large_sum(sum) {
        Some(reason) => Err(DbErr::Type(format!("{column}: {reason}"))),
        None => Ok(sum),
    }
}

/// Reads an amount that was selected as text.
fn money(row: &QueryResult, column: &str) -> Result<Option<Money>, DbErr> {
    let amount: Option<Amount> = row.try_get("", column)?;
    Ok(amount.map(Money::from))
}

/// Reads a sum of amounts that was selected as text.
pub(super) fn total(row: &QueryResult, column: &str) -> Result<Option<Money>, DbErr> {
    let text: Option<String> = row.try_get("", column)?;
    let total = |text: String| {
        text.parse()
            .map(Money::total)
            .map_err(|error| DbErr::Type(format!("{column}: {error}")))
    };
    text.map(total).transpose()
}

fn stored<R: Record>(row: &QueryResult) -> Result<(i64, Stored), DbErr> {
    let flags: i64 = row.try_get("", "flags")?;
    let audited = R::COLUMNS
        .iter()
        .filter(|column| column.audit.is_some())
        .map(|column| {
            Ok(match column.kind() {
                Kind::Bool => row
                    .try_get::<Option<bool>>("", column.name)?
                    .map_or(Value::Null, Value::Bool),
                Kind::Money => money(row, column.name)?.map_or(Value::Null, Value::Money),
                _ => row
                    .try_get::<Option<String>>("", column.name)?
                    .map_or(Value::Null, Value::Text),
            })
        })
        .collect::<Result<_, DbErr>>()?;
    let links = R::LINKS
        .iter()
        .map(|link| row.try_get("", link.column))
        .collect::<Result<_, _>>()?;
    let is_absent = flags & 2 != 0;
    let gift = if R::ENTITY == Entity::Transactions && !is_absent {
        let amount = money(row, "total_gross_amount")?;
        let gift = Gift {
            supporter_id: row.try_get("", "supporter_id")?,
            campaign_id: row.try_get("", "campaign_id")?,
            amount: amount.unwrap_or_default(),
        };
        is_gift(&row.try_get::<String>("", "status")?, amount).then_some(gift)
    } else {
        None
    };
    let stored = Stored {
        fingerprint: row.try_get("", "fingerprint")?,
        updated_at: row.try_get("", "source_updated_at")?,
        is_stub: flags & 1 != 0,
        is_absent,
        is_outdated: flags & 4 != 0,
        audited,
        links,
        gift,
    };
    Ok((row.try_get("", "id")?, stored))
}
