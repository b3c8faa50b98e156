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
    /// A database in a file that cannot be opened.
    #[error("the database cannot be opened: {cause}")]
    File {
        /// What the system or the driver said, without values.
        cause: String,
    },
    /// A database that was never filled.
    #[error("there is nothing to read yet: {place}")]
    NothingYet {
        /// What is not there, or is empty.
        place: String,
    },
    /// A database that was read as if nobody wrote to it was written to.
    #[error("the database was written to while it was read, so what was read may not fit together")]
    WrittenMeanwhile,
    /// Something between us and the server gives each transaction another connection.
    #[error(
        "behind {address} is a pooler that gives every transaction another connection (such as PgBouncer with pool_mode = transaction)"
    )]
    Pooler {
        /// Without user, password and parameters.
        address: String,
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
        /// Whether a value that was to be written is the reason, rather than the connection or the
        /// server.
        of_data: bool,
    },
    /// More at once than the server takes.
    #[error(
        "{bytes} bytes in one statement are more than the database takes (max_allowed_packet is {limit})"
    )]
    TooLarge {
        /// The size of the statement.
        bytes: usize,
        /// What the server takes.
        limit: i64,
    },
    /// The database cannot hold every text.
    #[error("the database cannot hold every name: {place} is {encoding}, not {needed}")]
    Encoding {
        /// The database, or a table and its column.
        place: String,
        /// Its encoding.
        encoding: String,
        /// What it must be.
        needed: &'static str,
    },
    /// The connection was lost, or the server failed, between COMMIT and its answer.
    #[error("whether the last changes were stored is not known: {cause}")]
    CommitLost {
        /// What the driver said, without values.
        cause: String,
    },
    /// The schema is newer than this program.
    #[error("the database's schema has '{unknown}', which this version does not know")]
    SchemaNewer {
        /// The first unknown migration.
        unknown: String,
    },
    /// The schema is from before the first release, and no migration leads from it to the present
    /// one.
    #[error(
        "the database was made by a version from before the first release (its schema has '{unknown}')"
    )]
    SchemaUnreleased {
        /// The first migration of that time.
        unknown: String,
    },
    /// The schema is older than this program.
    #[error("the database's schema is behind: '{pending}' is not applied")]
    SchemaBehind {
        /// The first pending migration.
        pending: String,
    },
    /// Another process changes the schema, and does not come to an end.
    #[error("another process is migrating the schema, and was waited for for {waited_seconds} s")]
    Migrating {
        /// How long it was waited for.
        waited_seconds: u64,
    },
    /// Another process took the organization over: nothing was written.
    #[error("another process took this organization over; nothing was written")]
    FenceLost,
    /// Another process is at work on the organization.
    #[error(
        "the organization is being synced by {} (until {expires_at} unless renewed)",
        super::readable(holder)
    )]
    LeaseHeld {
        /// The name under which that process holds leases.
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
        Error::Query {
            context,
            transient: is_transient(&error),
            of_data: is_of_data(&error),
            cause: safe_text(&error),
        }
    }

    /// A failed COMMIT: undone where the database says so, otherwise it may have happened.
    pub(super) fn commit(error: DbErr) -> Error {
        match sqlx_error(&error) {
            Some(sqlx::Error::Database(said)) if is_undone(said.as_ref()) => {
                Error::query("committing", error)
            }
            _ => Error::CommitLost {
                cause: safe_text(&error),
            },
        }
    }

    pub(super) fn unreachable(error: &DbErr, address: &str) -> Error {
        let cause = format!("{address}: {}", safe_text(error));
        if address.starts_with("sqlite") {
            Error::File { cause }
        } else {
            Error::Unreachable { cause }
        }
    }

    /// What is to be done.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Error::WrittenMeanwhile
            | Error::Query {
                transient: true, ..
            }
            | Error::CommitLost { .. }
            | Error::Unreachable { .. }
            | Error::File { .. }
            | Error::Migrating { .. }
            | Error::LeaseHeld { .. } => Remedy::Retry { after: None },
            Error::NoOrganization | Error::FenceLost => Remedy::Skip,
            Error::Address { .. }
            | Error::NothingYet { .. }
            | Error::Pooler { .. }
            | Error::Query { .. }
            | Error::TooLarge { .. }
            | Error::Encoding { .. }
            | Error::SchemaNewer { .. }
            | Error::SchemaUnreleased { .. }
            | Error::SchemaBehind { .. } => Remedy::Stop,
        }
    }

    /// Whether a value that was to be written is the reason: then the other records of its batch
    /// can be stored without it.
    pub const fn is_of_data(&self) -> bool {
        matches!(
            self,
            Error::Query { of_data: true, .. } | Error::TooLarge { .. }
        )
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> FaultKind {
        match self {
            Error::LeaseHeld { .. } | Error::Migrating { .. } | Error::FenceLost => FaultKind::Busy,
            _ => FaultKind::Database,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::NothingYet { .. } => {
                "`classy-sync org add` adds an organization, `classy-sync sync` reads everything once, `classy-sync run` keeps it current; \
                 if it should be there already, check database.url (`classy-sync config show`)"
            }
            Error::WrittenMeanwhile => "run the command again",
            Error::Address { .. } => {
                "database.url is sqlite://FILE, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME; in a user's name or \
                 password write %23 for #, %2F for /, %3F for ?, %40 for @, %3A for : and %25 for %"
            }
            Error::File { .. } => {
                "check database.url, that its folder is there, and that this user may read and write the file and the folder"
            }
            // What a person reads who gave the server a password that it cannot be sent openly.
            Error::Unreachable { cause } if cause.contains("RSA") => {
                "the server wants the password encrypted: leave ssl-mode=DISABLED out, or give the user another kind of login"
            }
            Error::Unreachable { .. } => {
                "check database.url, that the server runs, and that it lets this user in; a special character of the password is written as %23 \
                 for #, %40 for @ and so on"
            }
            Error::Pooler { .. } => {
                "give the server's own address, or a pool with pool_mode = session; classy-sync keeps database.max_connections by itself"
            }
            Error::SchemaNewer { .. } => {
                "run the newer version of classy-sync, or restore the database that belongs to this one"
            }
            Error::SchemaUnreleased { .. } => {
                "give a new, empty database and run `classy-sync db migrate`: everything is read again from Classy; `plugin adopt` takes over \
                 the contacts that a plugin put elsewhere. Keep the old database until then: who left is known there only"
            }
            Error::SchemaBehind { .. } => "run `classy-sync db migrate`",
            Error::Migrating { .. } => {
                "try again when it is done, or when it was ended: what it holds ends with it, or a minute later"
            }
            Error::LeaseHeld { .. } => {
                "wait for it to end; a process that died is replaced when its lease ends"
            }
            Error::TooLarge { .. } => "raise max_allowed_packet on the database server",
            Error::Encoding { .. } => {
                "make the database anew: on PostgreSQL CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0, on MySQL and MariaDB \
                 CREATE DATABASE name CHARACTER SET utf8mb4"
            }
            Error::Query { .. }
            | Error::CommitLost { .. }
            | Error::FenceLost
            | Error::NoOrganization => return None,
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

/// Whether repeating the whole transaction may help: a deadlock, a lock that was waited for too
/// long, a lost connection.
fn is_transient(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            // PostgreSQL's and MySQL's SQLSTATE, MySQL's 1205 (HY000), SQLite's primary result
            // codes 5 and 6.
            let code = error.code().unwrap_or_default();
            let sqlite = || {
                code.parse::<u32>()
                    .is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6))
            };
            // A row that another transaction wrote between our look and our insert is found at the
            // next look.
            error.is_unique_violation()
                // Class 08 is a connection that failed, or a server of a cluster that has left it
                // (MySQL's 1047); 25006 and 70100 come from a server that became another one's
                // copy, or is being stopped.
                || code.starts_with("08")
                || matches!(&*code, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "25006" | "70100")
                || error.message().contains("Lock wait timeout")
                || error.message().contains("Deadlock found")
                || (error.message().contains("locked") && sqlite())
        }
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::PoolClosed,
        ) => true,
        _ => matches!(error, DbErr::ConnectionAcquire(_)),
    }
}

/// Whether a value is the reason: one that does not fit its column, an index or a sum, breaks a
/// constraint, or cannot be read back.
fn is_of_data(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                && MYSQL_DATA.contains(&error.number())
            {
                return true;
            }
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                // Constraint, too big, mismatch: the primary result codes.
                Some(_) => code
                    .parse::<u32>()
                    .is_ok_and(|code| matches!(code & 0xff, 18..=20)),
                // Data exceptions, integrity, program limits such as the size of an index row.
                None => ["22", "23", "54"]
                    .iter()
                    .any(|class| code.starts_with(class)),
            }
        }
        Some(
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_),
        ) => true,
        Some(_) => false,
        None => matches!(error, DbErr::Type(_)),
    }
}

/// What MySQL and MariaDB tell of a value under no SQLSTATE of values: packet too big, row too big,
/// key too long, incorrect and truncated values, and (4035 to 4044) what cannot be read as JSON.
const MYSQL_DATA: [u16; 17] = [
    1118, 1139, 1153, 1264, 1265, 1292, 1301, 1366, 1406, 1411, 1690, 1977, 3140, 3141, 4035, 4037,
    4038,
];

/// Whether a COMMIT that failed like this did nothing for certain: a conflict, a row that was
/// refused in the end, a server that takes no orders at all.
fn is_undone(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    let sqlite = code
        .parse::<u32>()
        .is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6 | 13 | 19));
    sqlite
        || code.starts_with("40")
        || code.starts_with("23")
        || error.message().contains("WSREP has not yet prepared")
}

/// The driver's error without values: databases like to quote the offending row.
fn safe_text(error: &DbErr) -> String {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            let place = [error.table(), error.constraint()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            let kind = match error.kind() {
                sqlx::error::ErrorKind::UniqueViolation => "a unique key was violated",
                sqlx::error::ErrorKind::ForeignKeyViolation => "a foreign key was violated",
                sqlx::error::ErrorKind::NotNullViolation => "a value is missing",
                sqlx::error::ErrorKind::CheckViolation => "a check was violated",
                _ => &without_values(error.message()),
            };
            format!(
                "{kind} (code {code}{}{place})",
                if place.is_empty() { "" } else { ", " }
            )
        }
        // It repeats a value of the address.
        Some(sqlx::Error::Configuration(_)) => {
            "the driver does not take a value of the address".to_owned()
        }
        Some(sqlx::Error::ColumnDecode { index, .. }) => {
            format!("the column {index} has a value of another type")
        }
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
        assert_eq!(
            without_values("invalid input syntax for type bigint: \"ada@example.org\""),
            "invalid input syntax for type bigint: …"
        );
        assert_eq!(
            without_values("Incorrect value: 'O\"Hara' for column 'x' at row 1"),
            "Incorrect value: … for column … at row 1"
        );
        assert_eq!(without_values("unfinished 'ada"), "unfinished …");
    }
}
