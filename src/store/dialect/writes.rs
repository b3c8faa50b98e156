//! What inserts and updates need: how rows that are there are replaced or left, how an update finds
//! its rows in another source, and what a server takes at once.

use super::{Database, Dialect};
use sea_orm::SqliteTransactionMode;

impl Dialect {
    /// What follows rows to insert, so that those that are there (by their `key`) get these fields,
    /// and the fixed assignments of `also`.
    pub(crate) fn on_conflict_set<'a>(
        self,
        key: &str,
        fields: impl Iterator<Item = &'a str>,
        also: &[&str],
    ) -> String {
        let set: Vec<String> = fields
            .map(|name| self.quoted(name))
            .map(|name| match self.0 {
                Database::MySql => format!("{name} = VALUES({name})"),
                Database::Sqlite | Database::Postgres => format!("{name} = excluded.{name}"),
            })
            .chain(also.iter().map(|text| (*text).to_owned()))
            .collect();
        let set = set.join(", ");
        match self.0 {
            Database::MySql => format!("ON DUPLICATE KEY UPDATE {set}"),
            Database::Sqlite | Database::Postgres => {
                format!("ON CONFLICT ({key}) DO UPDATE SET {set}")
            }
        }
    }

    /// What follows rows to insert, so that those that are there stay as they are. On MySQL by an
    /// assignment that changes nothing: its `IGNORE` would pass over other faults, too.
    pub(crate) fn on_conflict_leave(self, table: &str, key: &str) -> String {
        match self.0 {
            Database::MySql => format!("ON DUPLICATE KEY UPDATE {key} = {table}.{key}"),
            Database::Sqlite | Database::Postgres => "ON CONFLICT DO NOTHING".to_owned(),
        }
    }

    /// An update of a table, named `t`, from a row source named `j`, whose fields it takes: of the
    /// rows with its ids, each found by its key, of the organization `$2`.
    pub(crate) fn update_by_id<'a>(
        self,
        table: &str,
        source: &str,
        fields: impl Iterator<Item = &'a str>,
    ) -> String {
        let target = match self.0 {
            Database::MySql => "t.",
            Database::Sqlite | Database::Postgres => "",
        };
        let set = fields
            .map(|name| self.quoted(name))
            .map(|name| format!("{target}{name} = j.{name}"))
            .collect::<Vec<_>>()
            .join(", ");
        let ours = self.is_tenants("t", 2);
        match self.0 {
            Database::MySql => {
                let by_key = self.by_key();
                format!(
                    "UPDATE {source} STRAIGHT_JOIN {table} AS t {by_key} ON t.id = j.id AND {ours} SET {set}"
                )
            }
            Database::Sqlite | Database::Postgres => {
                format!("UPDATE {table} AS t SET {set} FROM {source} WHERE t.id = j.id AND {ours}")
            }
        }
    }

    /// An update of a table, named `t`, of the rows that a row source named `j` matches: `set` are
    /// columns and what they become.
    pub(crate) fn update_matched(
        self,
        table: &str,
        source: &str,
        is_matched: &str,
        set: &[(&str, &str)],
        condition: &str,
    ) -> String {
        let list = |target: &str| {
            let one = |(name, value): &(&str, &str)| format!("{target}{name} = {value}");
            set.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        match self.0 {
            Database::MySql => format!(
                "UPDATE {table} AS t JOIN {source} ON {is_matched} SET {} WHERE {condition}",
                list("t.")
            ),
            Database::Sqlite | Database::Postgres => format!(
                "UPDATE {table} AS t SET {} FROM {source} WHERE {is_matched} AND {condition}",
                list("")
            ),
        }
    }

    /// Whether many rows travel fastest as one array for each column; else as rows of parameters.
    pub(crate) const fn takes_arrays(self) -> bool {
        matches!(self.0, Database::Postgres)
    }

    /// The question how large a statement with its values may be, in bytes, where that is limited.
    pub(crate) fn statement_limit(self) -> Option<String> {
        match self.0 {
            Database::MySql => Some(format!(
                "SELECT {} AS n",
                self.as_bigint("@@max_allowed_packet")
            )),
            Database::Sqlite | Database::Postgres => None,
        }
    }

    /// How a transaction begins that will write: on SQLite it waits its turn at BEGIN, since one
    /// that reads first and then wants to write fails at once when another wrote meanwhile.
    pub(crate) const fn write_mode(self) -> Option<SqliteTransactionMode> {
        match self.0 {
            Database::Sqlite => Some(SqliteTransactionMode::Immediate),
            Database::Postgres | Database::MySql => None,
        }
    }
}
