//! What can go wrong with the database, told without a single stored value.

use super::driver_error::{hint_of, is_of_data, is_transient, is_undone, safe_text, sqlx_error};
use crate::domain::{FaultKind, Remedy, Time};
use sea_orm::{DbErr, sqlx};

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
        /// What a person can do, where what the database said is known.
        hint: Option<&'static str>,
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
    /// Somebody else has a table or view of one of our names.
    #[error(
        "the database has '{name}', which is not classy-sync's and has the name of one of its tables or views; nothing was changed"
    )]
    NotOurs {
        /// Its name.
        name: String,
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
            hint: hint_of(&error),
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
            | Error::NotOurs { .. }
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
            Error::NotOurs { .. } => {
                "give classy-sync a database of its own (CREATE DATABASE name), or on PostgreSQL a schema of its own (in database.url: \
                 ?options=-csearch_path=name)"
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
            Error::Query { hint, .. } => return hint.map(str::to_owned),
            Error::CommitLost { .. } | Error::FenceLost | Error::NoOrganization => return None,
        };
        Some(hint.to_owned())
    }
}
