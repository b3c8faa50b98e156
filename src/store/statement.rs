//! The statements that move many rows at once, made from lists of columns for the three databases.
//!
//! A batch travels as one JSON document in one parameter and is unpacked by the database: one
//! statement text a table and database, whatever the number of rows. Names come from our own lists,
//! values only through parameters. What the three say differently is in `dialect`.

use super::dialect::{Dialect, Field};
use crate::entities::record::Kind;
use sea_orm::{EntityTrait, IdenStatic, Iterable, Statement, Value};

/// What counts as a gift among rows `t` of `transactions`
/// ([`is_gift`](crate::entities::transaction::is_gift)), and is still at the source.
pub(crate) const GIFT: &str =
    "t.status = 'success' AND t.absent_since IS NULL AND t.total_gross_amount > 0";

/// A statement with `$1`, `$2`, ... each used once and in order.
pub(crate) fn sql(
    dialect: Dialect,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    dialect.statement(dialect.marked(text), values)
}

/// All columns of a model, of an alias: what a SELECT names for rows that become models.
pub(crate) fn columns<E: EntityTrait>(dialect: Dialect, alias: &str) -> String {
    let column = |column: E::Column| format!("{alias}.{}", dialect.quoted(column.as_str()));
    E::Column::iter().map(column).collect::<Vec<_>>().join(", ")
}

/// Inserts the rows of `$1`; fails when one is there.
pub(crate) fn insert(dialect: Dialect, table: &str, fields: &[Field<'_>]) -> String {
    let names = fields
        .iter()
        .map(|(name, _)| dialect.quoted(name))
        .collect::<Vec<_>>();
    let select = names
        .iter()
        .map(|name| format!("j.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    let source = dialect.unpack(fields);
    format!(
        "INSERT INTO {table} ({}) SELECT {select} FROM {source} WHERE TRUE",
        names.join(", ")
    )
}

/// Inserts the rows of `$1`, or replaces the fields of those that are there (by their `key`), but
/// for the `kept` ones. `also` are fixed assignments for replaced rows, such as
/// `absent_since = NULL`.
pub(crate) fn upsert(
    dialect: Dialect,
    table: &str,
    key: &str,
    fields: &[Field<'_>],
    kept: &[&str],
    also: &[&str],
) -> String {
    format!(
        "{} {}",
        insert(dialect, table, fields),
        replace(dialect, key, fields, kept, also)
    )
}

/// What follows rows to insert, for [`upsert`].
pub(crate) fn replace(
    dialect: Dialect,
    key: &str,
    fields: &[Field<'_>],
    kept: &[&str],
    also: &[&str],
) -> String {
    let replaced = names(fields).filter(|name| !kept.contains(name));
    dialect.on_conflict_set(key, replaced, also)
}

/// Inserts the rows of `$1` that are not there.
pub(crate) fn insert_missing(
    dialect: Dialect,
    table: &str,
    key: &str,
    fields: &[Field<'_>],
) -> String {
    format!(
        "{} {}",
        insert(dialect, table, fields),
        dialect.on_conflict_leave(table, key)
    )
}

/// Sets the given fields of the rows whose `id` is in `$1` and whose organization is `$2`.
pub(crate) fn update(dialect: Dialect, table: &str, fields: &[Field<'_>]) -> String {
    let mut all = vec![("id", Kind::Int)];
    all.extend_from_slice(fields);
    dialect.update_by_id(table, &dialect.unpack(&all), names(fields))
}

fn names<'a>(fields: &[Field<'a>]) -> impl Iterator<Item = &'a str> {
    fields.iter().map(|(name, _)| *name)
}

/// A document of ids for `unpack`.
pub(crate) fn ids_document(ids: impl IntoIterator<Item = i64>) -> Value {
    let mut text = String::from("[");
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str("{\"id\":");
        text.push_str(&id.to_string());
        text.push('}');
    }
    text.push(']');
    text.into()
}

/// An array of ready-made objects for `unpack`.
pub(crate) fn document<'a>(objects: impl IntoIterator<Item = &'a [u8]>) -> Value {
    let mut bytes = vec![b'['];
    for object in objects {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(object);
    }
    bytes.push(b']');
    // Every part was written from text.
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        .into()
}
