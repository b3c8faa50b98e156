//! Flags: a type of their own on PostgreSQL, elsewhere 0 and 1, with which they are compared.

use super::{Database, Dialect};

impl Dialect {
    /// The condition that a flag is set.
    pub(crate) fn is(self, flag: &str) -> String {
        match self.0 {
            Database::Postgres => flag.to_owned(),
            Database::Sqlite | Database::MySql => format!("{flag} = 1"),
        }
    }

    /// The condition that a flag is not set.
    pub(crate) fn not(self, flag: &str) -> String {
        match self.0 {
            Database::Postgres => format!("NOT {flag}"),
            Database::Sqlite | Database::MySql => format!("{flag} = 0"),
        }
    }

    /// `flag = FALSE`: an assignment, or the comparison with a flag that may be NULL.
    pub(crate) fn is_false(self, flag: &str) -> String {
        match self.0 {
            Database::Postgres => format!("{flag} = FALSE"),
            Database::Sqlite | Database::MySql => format!("{flag} = 0"),
        }
    }
}
