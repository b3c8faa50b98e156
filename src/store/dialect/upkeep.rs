//! What is asked of the database about itself: statistics, damage, what is there already.

use super::{Database, Dialect};

impl Dialect {
    /// A table as statistics of it are gathered. PostgreSQL is asked for the columns by which this
    /// program finds rows; of all eighty it takes ten times as long, and it looks at the others by
    /// itself in time.
    pub(crate) fn analyzed(self, table: &str, sought: &[&str]) -> String {
        match self.0 {
            Database::Postgres => format!("{table} ({})", sought.join(", ")),
            Database::Sqlite | Database::MySql => table.to_owned(),
        }
    }

    /// Gathers statistics of a table.
    pub(crate) fn analyze(self, table: &str) -> String {
        match self.0 {
            // Of this server alone: the others of a cluster look after themselves, and need not
            // stop for it.
            Database::MySql => format!("ANALYZE LOCAL TABLE {table}"),
            Database::Sqlite | Database::Postgres => format!("ANALYZE {table}"),
        }
    }

    /// Puts the write-ahead log into the file, where there is one.
    pub(crate) const fn empty_log(self) -> Option<&'static str> {
        match self.0 {
            Database::Sqlite => Some("PRAGMA wal_checkpoint(TRUNCATE)"),
            Database::Postgres | Database::MySql => None,
        }
    }

    /// Counts as `n` what is damaged below the tables. A database in a file can be; a server looks
    /// after its own.
    pub(crate) const fn count_damage(self) -> Option<&'static str> {
        match self.0 {
            Database::Sqlite => Some(
                "SELECT COUNT(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
            ),
            Database::Postgres | Database::MySql => None,
        }
    }

    /// The names of all tables and views that are there.
    pub(crate) const fn names_there(self) -> &'static str {
        match self.0 {
            Database::Postgres => {
                "SELECT c.relname::text AS name FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE n.nspname = current_schema() ORDER BY c.relname"
            }
            Database::MySql => {
                "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
            }
            Database::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name"
            }
        }
    }

    /// The question whether the table of migrations is there, where it must be asked before the
    /// table is: PostgreSQL gives up a transaction in which anything failed. By its catalog's rows,
    /// since `to_regclass` may go by what this session knew before it waited for the lock.
    pub(crate) const fn has_migrations(self) -> Option<&'static str> {
        match self.0 {
            Database::Postgres => Some(
                "SELECT 1 AS one FROM pg_catalog.pg_class AS c WHERE c.relname = 'seaql_migrations' AND pg_catalog.pg_table_is_visible(c.oid)",
            ),
            Database::Sqlite | Database::MySql => None,
        }
    }
}
