//! What can go wrong with the database, told without a single stored value.

use crate::domain::{FaultKind, Remedy, Time};
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no database that is known here.
    #[error("the database address is not understood: {reason}")]
    Address {
        /// What is wrong with it; never the address itself, which may hold a password.
        reason: String,
    },
    /// No connection.
    #[error("the database cannot be reached: {cause}")]
    Unreachable {
        /// What the driver said, without values.
        cause: String,
    },
    /// A statement failed.
    #[error("{context}: {cause}")]
    Query {
        /// What was being done.
        context: &'static str,
        /// What the database said, without values.
        cause: String,
        /// Whether the same transaction may work when repeated.
        transient: bool,
    },
    /// The schema is newer than this program.
    #[error("the database's schema has '{unknown}', which this version does not know")]
    SchemaNewer {
        /// The first unknown migration.
        unknown: String,
    },
    /// The schema is older than this program.
    #[error("the database's schema is behind: '{pending}' is not applied")]
    SchemaBehind {
        /// The first pending migration.
        pending: String,
    },
    /// Another process took the organization over: nothing was written.
    #[error("another process took this organization over; nothing was written")]
    FenceLost,
    /// Another process is at work on the organization.
    #[error("the organization is being synced by {holder} (until {expires_at} unless renewed)")]
    LeaseHeld {
        /// Host and pid file of that process.
        holder: String,
        /// When the lease ends by the database's clock.
        expires_at: Time,
    },
    /// The organization's row is not there.
    #[error("the organization is not in the database")]
    NoOrganization,
}

impl Error {
    pub(super) fn query(context: &'static str, error: DbErr) -> Error {
        Error::Query { context, transient: is_transient(&error), cause: safe_text(&error) }
    }

    /// A failed COMMIT may have happened; every write here may be repeated, so it is repeated.
    pub(super) fn commit(error: DbErr) -> Error {
        Error::query("committing", error)
    }

    pub(super) fn unreachable(error: &DbErr) -> Error {
        Error::Unreachable { cause: safe_text(error) }
    }

    /// What is to be done.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Error::Query { transient: true, .. } | Error::Unreachable { .. } | Error::LeaseHeld { .. } => Remedy::Retry { after: None },
            Error::NoOrganization | Error::FenceLost => Remedy::Skip,
            Error::Address { .. } | Error::Query { .. } | Error::SchemaNewer { .. } | Error::SchemaBehind { .. } => Remedy::Stop,
        }
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> FaultKind {
        match self {
            Error::LeaseHeld { .. } | Error::FenceLost => FaultKind::Busy,
            _ => FaultKind::Database,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Address { .. } => "database.url is sqlite://FILE, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME",
            Error::Unreachable { .. } => "check database.url, and that the server runs and lets this user in",
            Error::SchemaNewer { .. } => "run the newer version of classy-sync, or restore the database that belongs to this one",
            Error::SchemaBehind { .. } => "run `classy-sync db migrate`",
            Error::LeaseHeld { .. } => "wait for it to end; a process that died is replaced when its lease ends",
            Error::Query { .. } | Error::FenceLost | Error::NoOrganization => return None,
        };
        Some(hint.to_owned())
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Whether repeating the whole transaction may help: a deadlock, a lock that was waited for too long, a lost connection.
fn is_transient(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            // PostgreSQL's and MySQL's SQLSTATE, MySQL's 1205 (HY000), SQLite's primary result codes 5 and 6.
            let code = error.code().unwrap_or_default();
            let sqlite = || code.parse::<u32>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6));
            // A row that another transaction wrote between our look and our insert is found at the next look.
            error.is_unique_violation()
                || matches!(&*code, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03")
                || error.message().contains("Lock wait timeout")
                || error.message().contains("Deadlock found")
                || (error.message().contains("locked") && sqlite())
        }
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed) => true,
        _ => matches!(error, DbErr::ConnectionAcquire(_)),
    }
}

/// The driver's error without values: databases like to quote the offending row.
fn safe_text(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            let place = [error.table(), error.constraint()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let kind = match error.kind() {
                sqlx::error::ErrorKind::UniqueViolation => "a unique key was violated",
                sqlx::error::ErrorKind::ForeignKeyViolation => "a foreign key was violated",
                sqlx::error::ErrorKind::NotNullViolation => "a value is missing",
                sqlx::error::ErrorKind::CheckViolation => "a check was violated",
                _ => &without_values(error.message()),
            };
            format!("{kind} (code {code}{}{place})", if place.is_empty() { "" } else { ", " })
        }
        Some(sqlx::Error::ColumnDecode { index, .. }) => format!("the column {index} has a value of another type"),
        Some(error) => error.to_string(),
        None => match error {
            DbErr::Type(text) | DbErr::Custom(text) | DbErr::Migration(text) => text.clone(),
            DbErr::Conn(RuntimeErr::Internal(text)) => text.clone(),
            other => other.to_string(),
        },
    }
}

/// Drops what stands in single or double quotes.
fn without_values(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                out.push('…');
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_never_reach_a_person_or_a_log() {
        assert_eq!(without_values("invalid input syntax for type bigint: \"ada@example.org\""), "invalid input syntax for type bigint: …");
        assert_eq!(without_values("Incorrect value: 'O\"Hara' for column 'x' at row 1"), "Incorrect value: … for column … at row 1");
        assert_eq!(without_values("unfinished 'ada"), "unfinished …");
    }
}
