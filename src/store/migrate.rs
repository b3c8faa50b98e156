//! The schema: brought up to date by one process at a time, refused when it is newer than this program.

use super::statement::sql;
use super::{Error, Store};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use std::fs::File;

/// The key of the lock: any number that nobody else uses.
const LOCK: i64 = 0x00C1_A551;

/// Held while migrations run; let go by dropping it.
enum MigrationLock {
    /// PostgreSQL and MySQL: a lock of a connection's session.
    Session(DatabaseConnection),
    /// SQLite: a lock on a file beside the database.
    Beside(#[expect(dead_code, reason = "the lock is the open file")] File),
    /// SQLite in memory: nobody else can see it.
    Alone,
}

impl Store {
    /// Applies what is not applied yet and says which.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], and database errors.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        let lock = self.lock_migrations().await?;
        let pending = self.pending().await;
        let result = match pending {
            Ok(pending) if pending.is_empty() => Ok(pending),
            Ok(pending) => {
                Migrator::up(self.connection(), None).await.map(|()| pending).map_err(|error| Error::query("migrating the schema", error))
            }
            Err(error) => Err(error),
        };
        if let MigrationLock::Session(connection) = lock {
            // The lock goes with its session, whatever closing says.
            let _ = connection.close().await;
        }
        result
    }

    /// Every migration that this program knows, and whether it is applied.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], and database errors.
    pub async fn schema_status(&self) -> Result<Vec<(String, bool)>, Error> {
        let pending = self.pending().await?;
        let known = Migrator::migrations();
        Ok(known.iter().map(|migration| (migration.name().to_owned(), !pending.iter().any(|name| name == migration.name()))).collect())
    }

    /// Refuses a schema that is not exactly this program's.
    ///
    /// # Errors
    /// [`Error::SchemaNewer`], [`Error::SchemaBehind`], and database errors.
    pub async fn require_schema(&self) -> Result<(), Error> {
        match self.pending().await?.into_iter().next() {
            None => Ok(()),
            Some(pending) => Err(Error::SchemaBehind { pending }),
        }
    }

    async fn pending(&self) -> Result<Vec<String>, Error> {
        let failed = |error| Error::query("reading the schema's state", error);
        // A table that is not there means that nothing is applied; any other fault shows itself in the next statement.
        let applied: Vec<String> =
            match self.connection().query_all_raw(sql(self.backend(), "SELECT version FROM seaql_migrations", [])).await {
                Ok(rows) => rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>().map_err(failed)?,
                Err(_) => {
                    self.connection().query_one_raw(sql(self.backend(), "SELECT 1 AS one", [])).await.map_err(failed)?;
                    Vec::new()
                }
            };
        let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        if let Some(unknown) = applied.iter().find(|name| !known.contains(name)) {
            return Err(Error::SchemaNewer { unknown: unknown.clone() });
        }
        Ok(known.into_iter().filter(|name| !applied.contains(name)).collect())
    }

    async fn lock_migrations(&self) -> Result<MigrationLock, Error> {
        let failed = |error| Error::query("waiting for another migration", error);
        match (self.backend(), self.file()) {
            (DbBackend::Postgres, _) => {
                let connection = self.connect_apart().await?;
                // The pool's lock_timeout does not bound advisory locks' waiters here: whoever migrates ends soon.
                connection.execute_unprepared("SET lock_timeout = 0").await.map_err(failed)?;
                connection.query_all_raw(sql(DbBackend::Postgres, "SELECT pg_advisory_lock($1)", [LOCK.into()])).await.map_err(failed)?;
                Ok(MigrationLock::Session(connection))
            }
            (DbBackend::MySql, _) => {
                let connection = self.connect_apart().await?;
                let text = format!("SELECT GET_LOCK('classy-sync-{LOCK}', 600) AS got");
                connection.query_all_raw(sql(DbBackend::MySql, &text, [])).await.map_err(failed)?;
                Ok(MigrationLock::Session(connection))
            }
            (_, Some(file)) => {
                let mut name = file.clone().into_os_string();
                name.push(".migrating");
                let locked = tokio::task::spawn_blocking(move || {
                    let file = File::create(name)?;
                    file.lock()?;
                    Ok::<_, std::io::Error>(file)
                });
                let unreachable = |cause: String| Error::Unreachable { cause };
                let file = locked.await.map_err(|error| unreachable(error.to_string()))?.map_err(|error| unreachable(error.to_string()))?;
                Ok(MigrationLock::Beside(file))
            }
            (_, None) => Ok(MigrationLock::Alone),
        }
    }
}
