//! Reads back what is stored: the little that decisions, audit and totals need.

use super::row::{Get, Gift, Kind, MONEY_IN, Row};
use crate::domain::{Entity, Money, Time};
use sea_orm::{DbErr, QueryResult};

/// A stored row, as far as it matters for what comes after it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) is_foreign: bool,
    pub(super) owner: i64,
    pub(super) fingerprint: Option<i64>,
    pub(super) updated_at: Option<Time>,
    pub(super) is_stub: bool,
    pub(super) is_absent: bool,
    /// The audited columns, in the table's order.
    pub(super) audited: Vec<Value>,
    /// The parents' ids, in the order of the table's links.
    pub(super) links: Vec<Option<i64>>,
    /// What it brought in, unless it is gone.
    pub(super) gift: Option<Gift>,
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
            Get::Money(get) => get(record).map_or(Value::Null, Value::Money),
            Get::Int(get) => get(record).map_or(Value::Null, |id| Value::Text(id.to_string())),
            Get::Time(get) => get(record).map_or(Value::Null, |time| Value::Text(time.to_rfc3339())),
        }
    }
}

/// Reads an amount that was selected as text.
pub(super) fn money(row: &QueryResult, column: &str) -> Result<Option<Money>, DbErr> {
    let text: Option<String> = row.try_get("", column)?;
    text.map(|text| Money::parse(&text).map_err(|error| DbErr::Type(format!("{column}: {error}")))).transpose()
}

pub(super) fn stored<R: Row>(row: &QueryResult, organization_id: i64) -> Result<(i64, Stored), DbErr> {
    let table = R::table();
    let owner: i64 = row.try_get("", "organization_id")?;
    let flags: i64 = row.try_get("", "flags")?;
    let audited = table
        .columns
        .iter()
        .filter(|column| column.audit.is_some())
        .map(|column| {
            Ok(match column.kind() {
                Kind::Bool => row.try_get::<Option<bool>>("", column.name)?.map_or(Value::Null, Value::Bool),
                Kind::Money => money(row, column.name)?.map_or(Value::Null, Value::Money),
                _ => row.try_get::<Option<String>>("", column.name)?.map_or(Value::Null, Value::Text),
            })
        })
        .collect::<Result<_, DbErr>>()?;
    let links = table.links.iter().map(|link| row.try_get("", link.column)).collect::<Result<_, _>>()?;
    let is_absent = flags & 2 != 0;
    let gift = if R::ENTITY == Entity::Transactions && !is_absent && row.try_get::<String>("", "status")? == MONEY_IN {
        Some(Gift {
            supporter_id: row.try_get("", "supporter_id")?,
            campaign_id: row.try_get("", "campaign_id")?,
            amount: money(row, "total_gross_amount")?.unwrap_or_default(),
        })
    } else {
        None
    };
    let stored = Stored {
        is_foreign: owner != organization_id,
        owner,
        fingerprint: row.try_get("", "fingerprint")?,
        updated_at: row.try_get("", "source_updated_at")?,
        is_stub: flags & 1 != 0,
        is_absent,
        audited,
        links,
        gift,
    };
    Ok((row.try_get("", "id")?, stored))
}
