//! The schema: brought up to date by one process at a time, refused when it is newer than this
//! program.

use super::dialect::Dialect;
use super::migration_lock::{self, LockRow};
use super::statement::sql;
use super::{Error, Store, tuple};
use crate::entities::dictionary::entry;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, TransactionTrait};

fn failed(error: DbErr) -> Error {
    Error::query("migrating the schema", error)
}

impl Store {
    /// Applies what is not applied yet and says which. Who finds another process at it waits, and
    /// says so in the end.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], [`Error::Encoding`], [`Error::Migrating`], and database errors.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        self.require_unicode().await?;
        // Nothing to do is nothing to wait for; what is said under the lock counts.
        if self.pending().await?.is_empty() {
            return Ok(Vec::new());
        }
        self.require_no_others().await?;
        let applied = self.migrate_alone().await?;
        if !applied.is_empty() {
            self.write_comments().await?;
            // What the views need besides, of organizations that are there.
            self.keep_zones().await?;
        }
        Ok(applied)
    }

    /// Refuses a database in which somebody else has a table or view of one of our names: it would
    /// be changed or replaced, and is not ours.
    async fn require_no_others(&self) -> Result<(), Error> {
        // Of one moment: another process that is migrating makes its own table first.
        let text = self.dialect().names_there();
        let names: Vec<String> = tuple::all(self.connection(), sql(self.dialect(), text, []))
            .await
            .map_err(|error| Error::query("looking what the database has", error))?
            .into_iter()
            .map(|name: String| name.to_lowercase())
            .collect();
        if names.iter().any(|name| name == "seaql_migrations") {
            return Ok(());
        }
        match names.into_iter().find(|name| entry(name).is_some()) {
            Some(name) => Err(Error::NotOurs { name }),
            None => Ok(()),
        }
    }

    async fn migrate_alone(&self) -> Result<Vec<String>, Error> {
        match (self.connection().get_database_backend(), self.file()) {
            (DbBackend::Postgres, _) => self.migrate_in_one_transaction().await,
            (DbBackend::MySql, _) => {
                let lock = LockRow::take(self.connection()).await?;
                let migrated = lock.keep_during(self.apply_pending()).await;
                lock.give_back().await;
                migrated
            }
            (_, file) => {
                let _lock = match file {
                    Some(file) => Some(migration_lock::beside(file).await?),
                    // In memory: nobody else can see it.
                    None => None,
                };
                self.apply_pending().await
            }
        }
    }

    async fn apply_pending(&self) -> Result<Vec<String>, Error> {
        let pending = self.pending().await?;
        if !pending.is_empty() {
            Migrator::up(self.connection(), None)
                .await
                .map_err(failed)?;
        }
        Ok(pending)
    }

    /// PostgreSQL makes tables within transactions, so the lock is the transaction's, too: it ends
    /// with it however it ends, and needs no session of its own, which a pooler in between would
    /// not keep.
    async fn migrate_in_one_transaction(&self) -> Result<Vec<String>, Error> {
        let tx = self.connection().begin().await.map_err(failed)?;
        migration_lock::within(&tx).await?;
        let pending = pending(&tx).await?;
        if !pending.is_empty() {
            Migrator::up(&tx, None).await.map_err(failed)?;
        }
        tx.commit().await.map_err(Error::commit)?;
        Ok(pending)
    }

    /// Every migration that this program knows, and whether it is applied.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], and database errors.
    pub async fn schema_status(&self) -> Result<Vec<(String, bool)>, Error> {
        let pending = self.pending().await?;
        let known = Migrator::migrations();
        Ok(known
            .iter()
            .map(|migration| {
                (
                    migration.name().to_owned(),
                    !pending.iter().any(|name| name == migration.name()),
                )
            })
            .collect())
    }

    /// Refuses a schema that is not exactly this program's.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], [`Error::SchemaBehind`], [`Error::Encoding`], and database errors.
    pub async fn require_schema(&self) -> Result<(), Error> {
        match self.pending().await?.into_iter().next() {
            None => self.require_unicode().await,
            Some(pending) => Err(Error::SchemaBehind { pending }),
        }
    }

    /// Refuses to read a schema that is not exactly this program's; one that was never made is told
    /// apart.
    ///
    /// # Errors
    /// [`Error::NothingYet`], [`Error::SchemaNewer`], [`Error::SchemaBehind`], and database errors.
    pub async fn require_readable(&self) -> Result<(), Error> {
        let pending = self.pending().await?;
        match pending.first() {
            None => Ok(()),
            Some(_) if pending.len() == Migrator::migrations().len() => Err(Error::NothingYet {
                place: "the database has no tables of this program".to_owned(),
            }),
            Some(first) => Err(Error::SchemaBehind {
                pending: first.clone(),
            }),
        }
    }

    async fn pending(&self) -> Result<Vec<String>, Error> {
        pending(self.connection()).await
    }
}

async fn pending<C: ConnectionTrait>(connection: &C) -> Result<Vec<String>, Error> {
    let dialect = Dialect::of(connection);
    let failed = |error| Error::query("reading the schema's state", error);
    let one = async |text: &str| {
        connection
            .query_one_raw(sql(dialect, text, []))
            .await
            .map_err(failed)
    };
    let is_there = match dialect.has_migrations() {
        Some(question) => one(question).await?.is_some(),
        None => true,
    };
    let read = async || {
        tuple::all(
            connection,
            sql(dialect, "SELECT version FROM seaql_migrations", []),
        )
        .await
    };
    let applied: Vec<String> = match if is_there {
        read().await
    } else {
        Ok(Vec::new())
    } {
        Ok(versions) => versions,
        // A table that is not there means that nothing is applied; any other fault shows itself in
        // the next statement.
        Err(_) => {
            one("SELECT 1 AS one").await?;
            Vec::new()
        }
    };
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    if let Some(unknown) = applied.iter().find(|name| !known.contains(name)) {
        let unknown = unknown.clone();
        let is_unreleased = known.first().is_some_and(|first| unknown < *first);
        return Err(if is_unreleased {
            Error::SchemaUnreleased { unknown }
        } else {
            Error::SchemaNewer { unknown }
        });
    }
    Ok(known
        .into_iter()
        .filter(|name| !applied.contains(name))
        .collect())
}
