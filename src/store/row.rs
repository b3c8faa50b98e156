//! How a record lies in its table: one list of columns a table, from which every statement is made.

use super::columns;
use crate::domain::{Campaign, Entity, Money, Record, RecurringPlan, Supporter, Time, Transaction};
use sea_orm::DbBackend;
use sha2::{Digest, Sha256};

/// Reads one column's value out of a record.
pub(crate) enum Get<R> {
    Int(fn(&R) -> Option<i64>),
    Text(fn(&R) -> Option<&str>),
    Bool(fn(&R) -> Option<bool>),
    Money(fn(&R) -> Option<Money>),
    Time(fn(&R) -> Option<Time>),
}

/// The type of a column, whatever the backend calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bool,
    Money,
    Time,
}

/// A column that comes from the source.
pub(crate) struct Column<R> {
    pub(crate) name: &'static str,
    pub(crate) get: Get<R>,
    /// The audit action when the value of a stored row changes, for what concerns consent, e-mail and money.
    pub(crate) audit: Option<&'static str>,
}

impl<R> Column<R> {
    pub(crate) const fn kind(&self) -> Kind {
        match self.get {
            Get::Int(_) => Kind::Int,
            Get::Text(_) => Kind::Text,
            Get::Bool(_) => Kind::Bool,
            Get::Money(_) => Kind::Money,
            Get::Time(_) => Kind::Time,
        }
    }
}

/// A table that a record may link to.
pub(crate) struct Link<R> {
    /// The column that holds the parent's id.
    pub(crate) column: &'static str,
    pub(crate) parent: Entity,
    pub(crate) get: fn(&R) -> Option<i64>,
    pub(crate) clear: fn(&mut R),
}

/// A record that has a table. Implemented for the four entities, for nothing else.
pub trait Row: Record + private::Sealed {
    #[doc(hidden)]
    fn table() -> Table<Self>;

    /// The money that this record brought in, if it did.
    #[doc(hidden)]
    fn gift(&self) -> Option<Gift> {
        None
    }
}

/// Money in, as giving totals count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    pub(crate) supporter_id: Option<i64>,
    pub(crate) campaign_id: Option<i64>,
    pub(crate) amount: Money,
}

/// The one status of a transaction that is money in (contract 6.2).
pub(crate) const MONEY_IN: &str = "success";

/// A table's description.
pub struct Table<R: 'static> {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column<R>],
    pub(crate) links: &'static [Link<R>],
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Supporter {}
    impl Sealed for super::Campaign {}
    impl Sealed for super::RecurringPlan {}
    impl Sealed for super::Transaction {}
}

impl Row for Supporter {
    fn table() -> Table<Self> {
        Table { name: Self::ENTITY.as_str(), columns: columns::SUPPORTERS, links: &[] }
    }
}

impl Row for Campaign {
    fn table() -> Table<Self> {
        Table { name: Self::ENTITY.as_str(), columns: columns::CAMPAIGNS, links: &[] }
    }
}

impl Row for RecurringPlan {
    fn table() -> Table<Self> {
        Table { name: Self::ENTITY.as_str(), columns: columns::RECURRING_PLANS, links: columns::PLAN_LINKS }
    }
}

impl Row for Transaction {
    fn table() -> Table<Self> {
        Table { name: Self::ENTITY.as_str(), columns: columns::TRANSACTIONS, links: columns::TRANSACTION_LINKS }
    }

    fn gift(&self) -> Option<Gift> {
        let Transaction { supporter_id, campaign_id, total_gross_amount, .. } = *self;
        (self.status == MONEY_IN).then(|| Gift { supporter_id, campaign_id, amount: total_gross_amount.unwrap_or_default() })
    }
}

/// Whether rows of this entity may be stubs: only what others link to.
pub(crate) const fn has_stubs(entity: Entity) -> bool {
    !matches!(entity, Entity::Transactions)
}

/// A time as this backend's text; equal moments have equal texts, and texts sort as moments do.
pub(crate) fn time_text(time: Time, backend: DbBackend) -> String {
    match backend {
        DbBackend::MySql => time.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        _ => time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false),
    }
}

/// Appends the record's source columns as the opening of a JSON object (no closing brace): absent means NULL.
fn write_columns<R: Row>(record: &R, backend: DbBackend, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    write_int(record.id(), out);
    for column in R::table().columns {
        match &column.get {
            Get::Int(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_int(value, out);
                }
            }
            Get::Bool(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    out.push(if value { b'1' } else { b'0' });
                }
            }
            Get::Text(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(value, out);
                }
            }
            Get::Money(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(&value.to_string(), out);
                }
            }
            Get::Time(get) => {
                if let Some(value) = get(record) {
                    write_key(column.name, out);
                    write_text(&time_text(value, backend), out);
                }
            }
        }
    }
}

pub(crate) fn write_key(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

pub(crate) fn write_int(value: i64, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{value}"));
}

pub(crate) fn write_text(value: &str, out: &mut Vec<u8>) {
    // A string always serializes, and writing to a Vec cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// A record's source columns as its table's database takes them, and their fingerprint: what of a row can be made before its
/// transaction begins.
#[derive(Debug, Clone)]
pub struct RowText {
    pub(crate) columns: Vec<u8>,
    pub(crate) fingerprint: i64,
}

impl RowText {
    pub(crate) fn of<R: Row>(record: &R, backend: DbBackend) -> RowText {
        let mut columns = Vec::with_capacity(768);
        write_columns(record, backend, &mut columns);
        RowText { fingerprint: fingerprint(&columns), columns }
    }
}

/// The fingerprint of a row's source columns: the first eight bytes of their SHA-256.
fn fingerprint(columns: &[u8]) -> i64 {
    let digest = Sha256::digest(columns);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
