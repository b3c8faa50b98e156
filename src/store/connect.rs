//! The database as the rest of the store sees it: connected to, asked for its clock, closed.

use super::dialect::Dialect;
use super::pool::{PATIENCE, Way};
use super::reading::{Reading, left_behind, require_writable};
use super::statement::sql;
use super::written::Written;
use super::{Error, pool, tuple};
use crate::config::{DatabaseAddress, DatabaseKind};
use crate::domain::Time;
use crate::files::OpenFile;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionOptions, TransactionTrait,
};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::Arc;

/// How to reach the database.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite://FILE`, `postgres://...` or `mysql://...`; may hold a password.
    pub url: SecretString,
    /// Size of the pool.
    pub max_connections: u32,
}

/// The database. Cheap to clone: all clones share one pool.
#[derive(Clone)]
pub struct Store {
    connection: DatabaseConnection,
    /// The file of a SQLite database.
    file: Option<OpenFile>,
    written: Arc<Written>,
    /// How its file is read, when nothing else is done with it.
    reading: Option<Reading>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.connection.get_database_backend())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Connects. A SQLite file and its folder are made if they are not there.
    ///
    /// # Errors
    /// An address that is not understood, a server that cannot be reached, a pooler that shares its
    /// connections.
    pub async fn connect(settings: &Settings) -> Result<Store, Error> {
        let address = address_of(settings)?;
        if let Some(folder) = address
            .file
            .as_ref()
            .and_then(|file| file.parent())
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            crate::files::make_folder(folder).map_err(|error| Error::File {
                cause: format!("{}: {error}", folder.display()),
            })?;
        }
        address.file.as_deref().map_or(Ok(()), require_writable)?;
        Store::open(settings, address, None).await
    }

    /// Connects to read what is there: makes nothing, and needs no right to write.
    ///
    /// # Errors
    /// [`Error::NothingYet`]; else as for [`Store::connect`].
    pub async fn connect_to_read(settings: &Settings) -> Result<Store, Error> {
        let address = address_of(settings)?;
        if address.file.is_none() && address.kind == DatabaseKind::Sqlite {
            return Err(Error::NothingYet {
                place: "a database in memory ends with its process".to_owned(),
            });
        }
        let file = address.file.clone();
        let reading = file.as_deref().map(Reading::of).transpose()?;
        Store::open(settings, address, reading)
            .await
            .map_err(
                |error| match (error, file.as_deref().and_then(left_behind)) {
                    (Error::File { .. }, Some(cause)) => Error::File { cause },
                    (error, _) => error,
                },
            )
    }

    /// Refuses when a SQLite file is not there yet; servers answer for themselves.
    ///
    /// # Errors
    /// [`Error::NothingYet`].
    pub fn require_there(settings: &Settings) -> Result<(), Error> {
        address_of(settings)?
            .file
            .as_deref()
            .map_or(Ok(()), |file| Reading::of(file).map(|_| ()))
    }

    async fn open(
        settings: &Settings,
        address: DatabaseAddress,
        reading: Option<Reading>,
    ) -> Result<Store, Error> {
        let way = Way {
            max_connections: settings.max_connections,
            alone: reading.as_ref().map(Reading::is_alone),
        };
        let silent = |_| Error::Unreachable {
            cause: format!(
                "{}: no answer within {} s",
                address.shown(),
                PATIENCE.as_secs()
            ),
        };
        let connection = tokio::time::timeout(PATIENCE, pool::open(&address, way))
            .await
            .map_err(silent)??;
        Ok(Store {
            connection,
            file: address.file.map(OpenFile::new),
            written: Arc::default(),
            reading,
        })
    }

    pub(super) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref().map(OpenFile::path)
    }

    pub(super) fn written(&self) -> &Written {
        &self.written
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect::of(&self.connection)
    }

    /// A transaction that will write.
    pub(super) async fn begin_write(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: self.dialect().write_mode(),
            ..TransactionOptions::default()
        };
        self.connection
            .begin_with_options(options)
            .await
            .map_err(|error| Error::query("beginning a transaction", error))
    }

    /// The database's own clock; also the cheapest proof that it answers.
    ///
    /// # Errors
    /// [`Error::File`] when another file, or none, has the name of the one that is open; database
    /// errors.
    pub async fn ping(&self) -> Result<Time, Error> {
        // Whatever is written into a file that has no name any more is lost with the process.
        if let Some(file) = self.file.as_ref().filter(|file| !file.is_there()) {
            return Err(Error::File {
                cause: format!(
                    "{} was removed, or another file put in its place, while it was open: stop classy-sync, put back the database that is \
                     meant, and start it again",
                    file.path().display()
                ),
            });
        }
        now_in(&self.connection, self.dialect()).await
    }

    /// Closes the pool.
    pub async fn close(self) -> Result<(), Error> {
        self.connection
            .close()
            .await
            .map_err(|error| Error::query("closing the pool", error))?;
        if self.reading.is_some_and(|reading| !reading.was_right()) {
            Err(Error::WrittenMeanwhile)
        } else {
            Ok(())
        }
    }
}

/// The database's own clock, also within a transaction.
pub(super) async fn now_in<C: ConnectionTrait>(
    connection: &C,
    dialect: Dialect,
) -> Result<Time, Error> {
    let failed = |error| Error::query("reading the database's clock", error);
    let text = format!("SELECT {} AS now_at", dialect.now());
    tuple::one(connection, sql(dialect, &text, []))
        .await
        .map_err(failed)?
        .ok_or(Error::NoOrganization)
}

fn address_of(settings: &Settings) -> Result<DatabaseAddress, Error> {
    DatabaseAddress::parse(settings.url.expose_secret()).map_err(|reason| Error::Address {
        reason: reason.to_owned(),
    })
}
