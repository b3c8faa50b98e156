//! The statements that move many rows at once, made from lists of columns for the three backends.
//!
//! A batch travels as one JSON document in one parameter and is unpacked by the database: one
//! statement text a table and backend, whatever the number of rows. Names come from our own lists,
//! values only through parameters.

use crate::entities::record::Kind;
use sea_orm::{DbBackend, EntityTrait, IdenStatic, Iterable, Statement, Value};

/// What counts as a gift among rows `t` of `transactions`
/// ([`is_gift`](crate::entities::transaction::is_gift)), and is still at the source.
pub(crate) const GIFT: &str =
    "t.status = 'success' AND t.absent_since IS NULL AND t.total_gross_amount > 0";

/// A column of an unpacked document.
pub(crate) type Field<'a> = (&'a str, Kind);

/// A statement with `$1`, `$2`, ... each used once and in order.
pub(crate) fn sql(
    backend: DbBackend,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    if backend != DbBackend::MySql {
        return Statement::from_sql_and_values(backend, text, values);
    }
    let mut rest = text;
    let mut marked = String::with_capacity(text.len());
    while let Some(at) = rest.find('$') {
        marked.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        marked.push_str(if digits > 0 { "?" } else { "$" });
        rest = &after[digits..];
    }
    marked.push_str(rest);
    Statement::from_sql_and_values(backend, marked, values)
}

/// A name in the backend's quotes.
pub(crate) fn quoted(backend: DbBackend, name: &str) -> String {
    match backend {
        DbBackend::MySql => format!("`{name}`"),
        _ => format!("\"{name}\""),
    }
}

/// All columns of a model, of an alias: what a SELECT names for rows that become models.
pub(crate) fn columns<E: EntityTrait>(backend: DbBackend, alias: &str) -> String {
    let column = |column: E::Column| format!("{alias}.{}", quoted(backend, column.as_str()));
    E::Column::iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The database's own clock.
pub(crate) const fn now(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "clock_timestamp()",
        DbBackend::MySql => "UTC_TIMESTAMP(6)",
        _ => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
    }
}

/// An integer expression that decodes as `i64` everywhere.
pub(crate) fn as_bigint(backend: DbBackend, expression: &str) -> String {
    let kind = if backend == DbBackend::MySql {
        "SIGNED"
    } else {
        "BIGINT"
    };
    format!("CAST({expression} AS {kind})")
}

/// A sum of amounts as text, exact on every backend: SQLite adds whole ten-thousandths, not floats.
pub(crate) fn sum_text(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("CAST(COALESCE(SUM({column}), 0) AS TEXT)"),
        DbBackend::MySql => format!("CAST(COALESCE(SUM({column}), 0) AS CHAR)"),
        _ => format!(
            "printf('%d', COALESCE(SUM(CAST(ROUND({column} * 10000) AS INTEGER)), 0)) || 'e-4'"
        ),
    }
}

/// An amount as text with four decimals.
pub(crate) fn money_text(backend: DbBackend, expression: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("CAST({expression} AS TEXT)"),
        DbBackend::MySql => format!("CAST({expression} AS CHAR)"),
        _ => format!(
            "CASE WHEN {expression} IS NULL THEN NULL ELSE printf('%.4f', {expression}) END"
        ),
    }
}

pub(crate) fn type_name(backend: DbBackend, kind: Kind) -> &'static str {
    match (backend, kind) {
        (DbBackend::Postgres, Kind::Int) => "bigint",
        (DbBackend::Postgres, Kind::Text) => "text",
        (DbBackend::Postgres, Kind::Bool) => "boolean",
        (DbBackend::Postgres, Kind::Money) => "numeric(19,4)",
        (DbBackend::Postgres, Kind::Time) => "timestamptz",
        (_, Kind::Int) => "BIGINT",
        // Without a character set it would be the one that somebody once chose for the database.
        (_, Kind::Text) => "LONGTEXT CHARACTER SET utf8mb4",
        (_, Kind::Bool) => "TINYINT",
        (_, Kind::Money) => "DECIMAL(19,4)",
        (_, Kind::Time) => "DATETIME(6)",
    }
}

/// `$1`, an array of objects, as a row source named `j` with the given fields; a missing key is
/// NULL.
pub(crate) fn unpack(backend: DbBackend, fields: &[Field<'_>]) -> String {
    let list = |each: &dyn Fn(&Field<'_>) -> String| {
        fields.iter().map(each).collect::<Vec<_>>().join(", ")
    };
    match backend {
        DbBackend::Postgres => {
            let columns = list(&|(name, kind)| {
                format!("{} {}", quoted(backend, name), type_name(backend, *kind))
            });
            format!("json_to_recordset($1::json) AS j({columns})")
        }
        DbBackend::MySql => {
            let columns = list(&|(name, kind)| {
                format!(
                    "{} {} PATH '$.{name}'",
                    quoted(backend, name),
                    type_name(backend, *kind)
                )
            });
            format!("JSON_TABLE($1, '$[*]' COLUMNS ({columns})) AS j")
        }
        _ => {
            let columns =
                list(&|(name, _)| format!("value ->> '{name}' AS {}", quoted(backend, name)));
            // The limit keeps the inner query apart: otherwise each column renders its whole object
            // again.
            format!("(SELECT {columns} FROM (SELECT value FROM json_each($1) LIMIT -1)) AS j")
        }
    }
}

/// How the rows of `$1` are looked up in a table by its index. Left to themselves SQLite and MySQL
/// may walk the table and read the document again for each of its rows.
pub(crate) const fn lookup(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "CROSS JOIN",
        DbBackend::MySql => "STRAIGHT_JOIN",
        _ => "JOIN",
    }
}

/// The condition that rows of `alias` are the organization's of `$N`, beside one that finds them by
/// id. PostgreSQL gets it as no index serves it: as long as it has no statistics, it takes an
/// organization's rows for a few, and reads them all rather than looking ids up.
pub(crate) fn is_tenants(backend: DbBackend, alias: &str, parameter: u8) -> String {
    let none = if backend == DbBackend::Postgres {
        " + 0"
    } else {
        ""
    };
    format!("{alias}.organization_id{none} = ${parameter}")
}

/// The join behind [`unpack`] that finds rows of a table by `j.id`, of the organization in `$N`, each
/// by its key, however little the database knows of the table. PostgreSQL without statistics takes
/// an id for one that hundreds of rows may have, and reads the whole table for every batch; the
/// limit leaves it no other way.
pub(crate) fn found_by_id(backend: DbBackend, table: &str, alias: &str, parameter: u8) -> String {
    let is_meant = format!("{alias}.id = j.id AND {alias}.organization_id = ${parameter}");
    match backend {
        DbBackend::Postgres => format!(
            "CROSS JOIN LATERAL (SELECT * FROM {table} AS {alias} WHERE {is_meant} LIMIT 1) AS {alias}"
        ),
        _ => format!(
            "{} {table} AS {alias} {} ON {is_meant}",
            lookup(backend),
            by_index(backend, KEY)
        ),
    }
}

/// The index to look rows up by, for MySQL, which without statistics takes any that begins with the
/// organization and walks all its rows.
pub(crate) fn by_index(backend: DbBackend, name: &str) -> String {
    if backend == DbBackend::MySql {
        format!("FORCE INDEX ({name})")
    } else {
        String::new()
    }
}

/// MySQL's name of a primary key, for `by_index`.
pub(crate) const KEY: &str = "PRIMARY";

/// Inserts the rows of `$1`; fails when one is there.
pub(crate) fn insert(backend: DbBackend, table: &str, fields: &[Field<'_>]) -> String {
    let names = fields
        .iter()
        .map(|(name, _)| quoted(backend, name))
        .collect::<Vec<_>>();
    let select = names
        .iter()
        .map(|name| format!("j.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    let source = unpack(backend, fields);
    format!(
        "INSERT INTO {table} ({}) SELECT {select} FROM {source} WHERE TRUE",
        names.join(", ")
    )
}

/// Inserts the rows of `$1`, or replaces the fields of those that are there (by their `key`), but
/// for the `kept` ones. `also` are fixed assignments for replaced rows, such as
/// `absent_since = NULL`.
pub(crate) fn upsert(
    backend: DbBackend,
    table: &str,
    key: &str,
    fields: &[Field<'_>],
    kept: &[&str],
    also: &[&str],
) -> String {
    format!(
        "{} {}",
        insert(backend, table, fields),
        replace(backend, key, fields, kept, also)
    )
}

/// What follows rows to insert, for [`upsert`].
pub(crate) fn replace(
    backend: DbBackend,
    key: &str,
    fields: &[Field<'_>],
    kept: &[&str],
    also: &[&str],
) -> String {
    let mut set = fields
        .iter()
        .filter(|(name, _)| !kept.contains(name))
        .map(|(name, _)| {
            let name = quoted(backend, name);
            if backend == DbBackend::MySql {
                format!("{name} = VALUES({name})")
            } else {
                format!("{name} = excluded.{name}")
            }
        })
        .collect::<Vec<_>>();
    set.extend(also.iter().map(|text| (*text).to_owned()));
    let set = set.join(", ");
    match backend {
        DbBackend::MySql => format!("ON DUPLICATE KEY UPDATE {set}"),
        _ => format!("ON CONFLICT ({key}) DO UPDATE SET {set}"),
    }
}

/// Inserts the rows of `$1` that are not there.
pub(crate) fn insert_missing(
    backend: DbBackend,
    table: &str,
    key: &str,
    fields: &[Field<'_>],
) -> String {
    let conflict = match backend {
        DbBackend::MySql => format!("ON DUPLICATE KEY UPDATE {key} = {table}.{key}"),
        _ => "ON CONFLICT DO NOTHING".to_owned(),
    };
    format!("{} {conflict}", insert(backend, table, fields))
}

/// Sets the given fields of the rows whose `id` is in `$1` and whose organization is `$2`.
pub(crate) fn update(backend: DbBackend, table: &str, fields: &[Field<'_>]) -> String {
    let mut all = vec![("id", Kind::Int)];
    all.extend_from_slice(fields);
    let source = unpack(backend, &all);
    let names = fields.iter().map(|(name, _)| quoted(backend, name));
    match backend {
        DbBackend::MySql => {
            let set = names
                .map(|name| format!("t.{name} = j.{name}"))
                .collect::<Vec<_>>()
                .join(", ");
            let (by_key, ours) = (by_index(backend, KEY), is_tenants(backend, "t", 2));
            format!(
                "UPDATE {source} STRAIGHT_JOIN {table} AS t {by_key} ON t.id = j.id AND {ours} SET {set}"
            )
        }
        _ => {
            let set = names
                .map(|name| format!("{name} = j.{name}"))
                .collect::<Vec<_>>()
                .join(", ");
            format!(
                "UPDATE {table} AS t SET {set} FROM {source} WHERE t.id = j.id AND {}",
                is_tenants(backend, "t", 2)
            )
        }
    }
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
