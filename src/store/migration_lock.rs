//! One process at a time changes the schema: what each database has for that, and waits that end
//! with words.

use super::Error;
use super::dialect::Dialect;
use super::statement::sql;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr};
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// The key of PostgreSQL's lock: any number that nobody else uses.
const KEY: i64 = 0x00C1_A551;
/// How long another process's migration is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the row is its holder's unless it says so again, and how often it does.
const ROW_TTL_SECONDS: u64 = 60;
const ROW_RENEWAL: Duration = Duration::from_secs(15);

fn failed(error: DbErr) -> Error {
    Error::query("waiting for another migration", error)
}

/// PostgreSQL: a lock that ends with the transaction.
pub(super) async fn within(tx: &DatabaseTransaction) -> Result<(), Error> {
    let patience = PATIENCE.as_secs();
    // A migration may do without its connection for longer than a page may.
    let text = format!(
        "SET LOCAL lock_timeout = '{patience}s'; SET LOCAL idle_in_transaction_session_timeout = '600s'"
    );
    tx.execute_unprepared(&text).await.map_err(failed)?;
    let locked = tx
        .query_all_raw(sql(
            Dialect::of(tx),
            "SELECT pg_advisory_xact_lock($1)",
            [KEY.into()],
        ))
        .await;
    match locked.map_err(failed) {
        Ok(_) => Ok(()),
        // The only thing that this waits for.
        Err(Error::Query {
            transient: true, ..
        }) => Err(Error::Migrating {
            waited_seconds: patience,
        }),
        Err(error) => Err(error),
    }
}

/// SQLite: a lock on a file beside the database.
pub(super) async fn beside(database: &Path) -> Result<File, Error> {
    let mut name = database.as_os_str().to_owned();
    name.push(".migrating");
    let path = Path::new(&name);
    let unusable = |error: std::io::Error| Error::File {
        cause: format!("{}: {error}", path.display()),
    };
    let file = crate::files::open_own(path).map_err(unusable)?;
    crate::files::make_private(&file).map_err(unusable)?;
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if begin.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Error::Migrating {
                    waited_seconds: PATIENCE.as_secs(),
                });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
}

/// MySQL and MariaDB: a row with an expiry. `GET_LOCK` stays within one server of a cluster; a row
/// that two of them wrote is refused to one.
pub(super) struct LockRow<'a> {
    connection: &'a DatabaseConnection,
    holder: String,
}

impl LockRow<'_> {
    pub(super) async fn take(connection: &DatabaseConnection) -> Result<LockRow<'_>, Error> {
        let text = "CREATE TABLE IF NOT EXISTS migration_lock (id INT NOT NULL PRIMARY KEY, holder VARCHAR(32) NOT NULL, \
                    expires_at DATETIME(6) NOT NULL) ENGINE=InnoDB";
        let lock = LockRow {
            connection,
            holder: format!("{:032x}", rand::random::<u128>()),
        };
        connection.execute_unprepared(text).await.map_err(failed)?;
        let begin = Instant::now();
        loop {
            match lock.try_take().await {
                Ok(true) => return Ok(lock),
                // Written by another process at the same time.
                Ok(false)
                | Err(Error::Query {
                    transient: true, ..
                }) if begin.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Ok(false) => {
                    return Err(Error::Migrating {
                        waited_seconds: PATIENCE.as_secs(),
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_take(&self) -> Result<bool, Error> {
        let text = "INSERT IGNORE INTO migration_lock (id, holder, expires_at) VALUES (1, '', '2000-01-01 00:00:00')";
        self.connection
            .execute_unprepared(text)
            .await
            .map_err(failed)?;
        // One further away than anybody takes it for was written while the clock was ahead. By more
        // than a little: a statement's clock stands at its beginning, and one that waited for the
        // row compares an older moment with what another one just wrote.
        let far = format!(
            "expires_at > UTC_TIMESTAMP(6) + INTERVAL {} SECOND",
            2 * ROW_TTL_SECONDS
        );
        self.set(&format!(
            "expires_at < UTC_TIMESTAMP(6) OR {far} OR holder = $2"
        ))
        .await
    }

    /// Says who holds the row from now on, if it is as it should be.
    async fn set(&self, condition: &str) -> Result<bool, Error> {
        let text = format!(
            "UPDATE migration_lock SET holder = $1, expires_at = UTC_TIMESTAMP(6) + INTERVAL {ROW_TTL_SECONDS} SECOND \
             WHERE id = 1 AND ({condition})"
        );
        let holder = || self.holder.as_str().into();
        let done = self
            .connection
            .execute_raw(sql(
                Dialect::of(self.connection),
                &text,
                [holder(), holder()],
            ))
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    /// Does the work, and says meanwhile that it goes on. Work that another process took over (this
    /// one was frozen for longer than the row lives) ends; every statement of a migration there may
    /// be repeated.
    pub(super) async fn keep_during<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let keep = async {
            loop {
                tokio::time::sleep(ROW_RENEWAL).await;
                if let Ok(false) = self.set("holder = $2").await {
                    return;
                }
            }
        };
        tokio::select! {
            done = work => done,
            () = keep => Err(Error::Migrating { waited_seconds: 0 }),
        }
    }

    /// Whatever becomes of it: it expires.
    pub(super) async fn give_back(&self) {
        let text = "UPDATE migration_lock SET holder = '', expires_at = '2000-01-01 00:00:00' WHERE id = 1 AND holder = $1";
        if let Err(error) = self
            .connection
            .execute_raw(sql(
                Dialect::of(self.connection),
                text,
                [self.holder.as_str().into()],
            ))
            .await
        {
            tracing::warn!(error = %failed(error), "the lock of the migration is not given back; it ends within a minute");
        }
    }
}
