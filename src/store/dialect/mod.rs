//! What SQLite, PostgreSQL and MySQL say differently. Here alone it is asked which of the three a
//! statement is for: whoever writes one takes the piece that it needs by its name, so that the
//! statement reads as one text, and what one of them has to be told stands beside the reason.
//!
//! | what | where |
//! |---|---|
//! | amounts and whole numbers, as they are selected and as far as they are exact | `amounts` |
//! | moments and days | `times` |
//! | flags | `flags` |
//! | a batch as rows, and how a table's rows are found by it | `lookups` |
//! | what inserts and updates need | `writes` |
//! | statistics, damage, what is there already | `upkeep` |
//! | comments on tables and columns | `comments` |
//! | whether every text can be held | `encodings` |

mod amounts;
mod comments;
mod encodings;
mod flags;
mod lookups;
mod times;
mod upkeep;
mod writes;

pub(crate) use amounts::EXACT_BELOW;
pub(crate) use lookups::Field;

use crate::entities::record::Kind;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::borrow::Cow;

/// The database that a statement is for. Which one it is cannot be asked from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect(Database);

#[derive(Debug, Clone, Copy)]
enum Database {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    /// One of each.
    #[cfg(test)]
    pub(crate) const ALL: [Dialect; 3] = [
        Dialect(Database::Sqlite),
        Dialect(Database::Postgres),
        Dialect(Database::MySql),
    ];

    /// Of the database behind a connection or a transaction.
    pub(crate) fn of(connection: &impl ConnectionTrait) -> Dialect {
        Dialect(match connection.get_database_backend() {
            DbBackend::Postgres => Database::Postgres,
            DbBackend::MySql => Database::MySql,
            _ => Database::Sqlite,
        })
    }

    /// A statement whose text is as this database reads it.
    pub(crate) fn statement(
        self,
        text: impl Into<String>,
        values: impl IntoIterator<Item = Value>,
    ) -> Statement {
        let backend = match self.0 {
            Database::Sqlite => DbBackend::Sqlite,
            Database::Postgres => DbBackend::Postgres,
            Database::MySql => DbBackend::MySql,
        };
        Statement::from_sql_and_values(backend, text, values)
    }

    /// A text with `$1`, `$2`, ... as this database marks its parameters. MySQL's have no numbers,
    /// so each is used once and in order.
    pub(crate) fn marked(self, text: &str) -> Cow<'_, str> {
        let Database::MySql = self.0 else {
            return Cow::Borrowed(text);
        };
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
        Cow::Owned(marked)
    }

    /// A name in quotes.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self.0 {
            Database::MySql => format!("`{name}`"),
            Database::Sqlite | Database::Postgres => format!("\"{name}\""),
        }
    }

    /// The type that a value of an unpacked batch is given. SQLite asks for none.
    pub(crate) const fn type_name(self, kind: Kind) -> &'static str {
        match (self.0, kind) {
            (Database::Postgres, Kind::Int) => "bigint",
            (Database::Postgres, Kind::Text) => "text",
            (Database::Postgres, Kind::Bool) => "boolean",
            (Database::Postgres, Kind::Money) => "numeric(19,4)",
            (Database::Postgres, Kind::Time) => "timestamptz",
            (_, Kind::Int) => "BIGINT",
            // Without a character set it would be the one that somebody once chose for the
            // database.
            (_, Kind::Text) => "LONGTEXT CHARACTER SET utf8mb4",
            (_, Kind::Bool) => "TINYINT",
            (_, Kind::Money) => "DECIMAL(19,4)",
            (_, Kind::Time) => "DATETIME(6)",
        }
    }
}
