//! A batch as rows of a statement, and how rows of a table are found by them. Left to themselves
//! the databases take ways for it that are quick for ten rows and endless for a million, as long as
//! they have no statistics; each is told another way.

use super::{Database, Dialect};
use crate::entities::record::Kind;

/// A column of an unpacked document.
pub(crate) type Field<'a> = (&'a str, Kind);

/// MySQL's name of a primary key, for `by_index`.
const KEY: &str = "PRIMARY";

impl Dialect {
    /// `$1`, an array of objects, as a row source named `j` with the given fields; a missing key is
    /// NULL.
    pub(crate) fn unpack(self, fields: &[Field<'_>]) -> String {
        let list = |each: &dyn Fn(&Field<'_>) -> String| {
            fields.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        match self.0 {
            Database::Postgres => {
                let columns = list(&|(name, kind)| {
                    format!("{} {}", self.quoted(name), self.type_name(*kind))
                });
                format!("json_to_recordset($1::json) AS j({columns})")
            }
            Database::MySql => {
                let columns = list(&|(name, kind)| {
                    format!(
                        "{} {} PATH '$.{name}'",
                        self.quoted(name),
                        self.type_name(*kind)
                    )
                });
                format!("JSON_TABLE($1, '$[*]' COLUMNS ({columns})) AS j")
            }
            Database::Sqlite => {
                let columns =
                    list(&|(name, _)| format!("value ->> '{name}' AS {}", self.quoted(name)));
                // The limit keeps the inner query apart: otherwise each column renders its whole
                // object again.
                format!("(SELECT {columns} FROM (SELECT value FROM json_each($1) LIMIT -1)) AS j")
            }
        }
    }

    /// The join by which the rows of `$1` are looked up in a table by its index. Left to themselves
    /// SQLite and MySQL may walk the table and read the document again for each of its rows.
    pub(crate) const fn lookup(self) -> &'static str {
        match self.0 {
            Database::Sqlite => "CROSS JOIN",
            Database::MySql => "STRAIGHT_JOIN",
            Database::Postgres => "JOIN",
        }
    }

    /// The join behind [`unpack`](Self::unpack) that finds rows of a table by `j.id`, of the
    /// organization in `$N`, each by its key, however little the database knows of the table.
    /// PostgreSQL without statistics takes an id for one that hundreds of rows may have, and reads
    /// the whole table for every batch; the limit leaves it no other way.
    pub(crate) fn found_by_id(self, table: &str, alias: &str, parameter: u8) -> String {
        let is_meant = format!("{alias}.id = j.id AND {alias}.organization_id = ${parameter}");
        match self.0 {
            Database::Postgres => format!(
                "CROSS JOIN LATERAL (SELECT * FROM {table} AS {alias} WHERE {is_meant} LIMIT 1) AS {alias}"
            ),
            Database::Sqlite | Database::MySql => format!(
                "{} {table} AS {alias} {} ON {is_meant}",
                self.lookup(),
                self.by_key()
            ),
        }
    }

    /// The index to look rows up by, for MySQL, which without statistics takes any that begins with
    /// the organization and walks all its rows.
    pub(crate) fn by_index(self, name: &str) -> String {
        match self.0 {
            Database::MySql => format!("FORCE INDEX ({name})"),
            Database::Sqlite | Database::Postgres => String::new(),
        }
    }

    /// The same for the primary key.
    pub(super) fn by_key(self) -> String {
        self.by_index(KEY)
    }

    /// The condition that rows of `alias` are the organization's of `$N`, beside one that finds
    /// them by id. PostgreSQL gets it as no index serves it: as long as it has no statistics, it
    /// takes an organization's rows for a few, and reads them all rather than looking ids up.
    pub(crate) fn is_tenants(self, alias: &str, parameter: u8) -> String {
        let none = match self.0 {
            Database::Postgres => " + 0",
            Database::Sqlite | Database::MySql => "",
        };
        format!("{alias}.organization_id{none} = ${parameter}")
    }

    /// The condition that rows are the organization's of `$N`, beside a range of ids. Without
    /// statistics SQLite would read all rows of the organization for each range.
    pub(crate) fn is_tenants_in_range(self, parameter: u8) -> String {
        let none = match self.0 {
            Database::Sqlite => " + 0",
            Database::Postgres | Database::MySql => "",
        };
        format!("organization_id{none} = ${parameter}")
    }

    /// The word that a `WITH g AS` has before its query, so that it is answered once. PostgreSQL
    /// without statistics would answer it again for each row that is joined with it.
    pub(crate) const fn answered_once(self) -> &'static str {
        match self.0 {
            Database::Postgres => "MATERIALIZED ",
            Database::Sqlite | Database::MySql => "",
        }
    }
}
