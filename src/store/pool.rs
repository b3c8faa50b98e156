//! The connection pool, set up for each database so that waits end, writers queue, and values stay
//! out of logs.

use super::{Error, pooler};
use crate::config::{DatabaseAddress, DatabaseKind};
use sea_orm::sqlx::mysql::MySqlSslMode;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection, Executor};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a statement waits for a lock, and an idle transaction keeps one: below the time of a
/// lease, so that a frozen holder is cut off before another may write.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How MySQL and MariaDB treat our statements.
const SQL_MODE: &str = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT";

/// How the pool is used.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Size of the pool.
    pub(super) max_connections: u32,
    /// Said by those who only read: whether nobody else has the file open.
    pub(super) alone: Option<bool>,
}

/// How a connection goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// SQLite in memory: it lives in one connection and as long as it.
    Memory,
    /// To a server on this machine, where nobody can listen: encryption would only cost time.
    Plain,
    /// As the address says; servers are asked for encryption.
    AsSaid,
}

/// How a PostgreSQL server is told how long it waits for us and for locks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// With the connection's first message, which poolers do not pass on.
    AtStart,
    /// By a statement, once the connection stands.
    Afterwards,
}

pub(super) async fn open(address: &DatabaseAddress, way: Way) -> Result<DatabaseConnection, Error> {
    knock(address).await?;
    let wire = match address.kind {
        DatabaseKind::Sqlite if address.file.is_none() => Wire::Memory,
        DatabaseKind::Sqlite => Wire::AsSaid,
        _ if is_here(address) && !address.names_encryption() => Wire::Plain,
        _ => Wire::AsSaid,
    };
    match open_as(address, way, wire).await {
        // A server that lets nobody in without encryption.
        Err(Error::Unreachable { .. }) if wire == Wire::Plain => {
            open_as(address, way, Wire::AsSaid).await
        }
        opened => opened,
    }
}

async fn open_as(
    address: &DatabaseAddress,
    way: Way,
    wire: Wire,
) -> Result<DatabaseConnection, Error> {
    let connect = async |limits| Database::connect(options(address, way, wire, limits)).await;
    let unreachable = |error: DbErr| Error::unreachable(&error, &address.shown());
    let failed =
        |error: sqlx::Error| unreachable(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))));
    if address.kind != DatabaseKind::Postgres {
        return connect(Limits::AtStart).await.map_err(unreachable);
    }
    match connect(Limits::AtStart).await {
        Ok(connection) if pooler::heeded_the_limits(&connection, PATIENCE).await => {
            return Ok(connection);
        }
        // A pooler in between, which did not pass them on; it need not be a bad one.
        Ok(connection) => drop(connection.close().await),
        Err(error) if pooler::refused_the_limits(&error) => {}
        Err(error) => return Err(unreachable(error)),
    }
    let plain = address.url.parse::<PgConnectOptions>().map_err(failed)?;
    let shared = pooler::shares_connections(&pg_options(plain, wire, Limits::Afterwards)).await;
    if shared.map_err(failed)? {
        return Err(Error::Pooler {
            address: address.shown(),
        });
    }
    connect(Limits::Afterwards).await.map_err(unreachable)
}

/// Tries a server's port or socket once: the pool would go on trying where nobody listens until its
/// patience ends.
async fn knock(address: &DatabaseAddress) -> Result<(), Error> {
    let unreachable = |place: &str, error: std::io::Error| Error::Unreachable {
        cause: format!("{place}: {error}"),
    };
    if let Some(socket) = address.socket() {
        let place = format!("the socket {}", socket.display());
        return tokio::net::UnixStream::connect(&socket)
            .await
            .map(drop)
            .map_err(|error| unreachable(&place, error));
    }
    // Without a host the driver looks for a socket by itself.
    let Some(host) = address.host() else {
        return Ok(());
    };
    let place = format!("{host}:{}", address.port());
    tokio::net::TcpStream::connect(&place)
        .await
        .map(drop)
        .map_err(|error| unreachable(&place, error))
}

/// Whether a server is on this machine.
fn is_here(address: &DatabaseAddress) -> bool {
    match address.host() {
        None => true,
        Some(host) if host == "localhost" => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    }
}

fn pg_options(options: PgConnectOptions, wire: Wire, limits: Limits) -> PgConnectOptions {
    let options = if wire == Wire::Plain {
        options.ssl_mode(PgSslMode::Disable)
    } else {
        options
    };
    let options = options.application_name("classy-sync");
    let patience = PATIENCE.as_millis().to_string();
    match limits {
        Limits::AtStart => options.options([
            ("idle_in_transaction_session_timeout", patience.as_str()),
            ("lock_timeout", patience.as_str()),
            ("timezone", "UTC"),
        ]),
        // Numbers travel in binary, so that their digits as text need no setting.
        Limits::Afterwards => options.extra_float_digits(None),
    }
}

fn options(address: &DatabaseAddress, way: Way, wire: Wire, limits: Limits) -> ConnectOptions {
    let in_memory = wire == Wire::Memory;
    let file = address.file.clone();
    let mut options = ConnectOptions::new(address.url.clone());
    options
        .max_connections(if in_memory { 1 } else { way.max_connections })
        .min_connections(if in_memory { 1 } else { 0 })
        .acquire_timeout(Duration::from_secs(30))
        // Statements carry donors' data.
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            let options = match &file {
                Some(file) => options.filename(file),
                None => options,
            };
            if let Some(alone) = way.alone {
                return options
                    .create_if_missing(false)
                    .read_only(true)
                    .immutable(alone)
                    .busy_timeout(PATIENCE)
                    .pragma("cache_size", "-8192");
            }
            options
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(PATIENCE)
                .journal_mode(SqliteJournalMode::Wal)
                // Rows and checkpoint are in one file and go together: after a power cut the last
                // commits may be missing, and are then read again.
                .synchronous(SqliteSynchronous::Normal)
                // In KiB; with the 2 MB that SQLite takes by itself, a large load reads the same
                // pages of its indexes again and again. The pool uses its connections in turn, so
                // each comes to have as much.
                .pragma("cache_size", "-4096")
                // Rows of an index that are looked at for statistics: a moment, however large it
                // is.
                .analysis_limit(1_000)
        })
        .map_sqlx_sqlite_pool_opts(move |pool| {
            // In memory everything would be gone with the connection.
            if in_memory {
                return pool;
            }
            // SQLite ends a transaction by itself when the disk is full. The driver's own end of it
            // then fails, and it goes on counting: all that this connection writes from then on
            // would be inside a transaction that nobody ends, which keeps everybody else out.
            pool.after_release(|connection, _| {
                Box::pin(async move {
                    // An end that is queued is carried out first.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
        })
        .map_sqlx_postgres_opts(move |options| pg_options(options, wire, limits))
        .map_sqlx_postgres_pool_opts(move |pool| {
            if limits == Limits::AtStart {
                return pool;
            }
            pool.after_connect(|connection, _| {
                Box::pin(async move {
                    for name in ["idle_in_transaction_session_timeout", "lock_timeout"] {
                        let patience = PATIENCE.as_millis();
                        connection
                            .execute(sqlx::AssertSqlSafe(format!("SET {name} = {patience}")))
                            .await?;
                    }
                    connection.execute("SET timezone = 'UTC'").await?;
                    Ok(())
                })
            })
        })
        .map_sqlx_mysql_opts(move |options| {
            if wire == Wire::Plain {
                options.ssl_mode(MySqlSslMode::Disabled)
            } else {
                options
            }
        })
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move {
                    // Whatever the server is set to: a value that does not fit is an error, never
                    // cut, and texts are what they are.
                    connection
                        .execute(sqlx::AssertSqlSafe(format!(
                            "SET SESSION sql_mode = '{SQL_MODE}'"
                        )))
                        .await?;
                    connection
                        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                        .await?;
                    let seconds = PATIENCE.as_secs();
                    connection
                        .execute(sqlx::AssertSqlSafe(format!(
                            "SET SESSION innodb_lock_wait_timeout = {seconds}"
                        )))
                        .await?;
                    // MariaDB's; MySQL has none and refuses it.
                    let _ = connection
                        .execute(sqlx::AssertSqlSafe(format!(
                            "SET SESSION idle_transaction_timeout = {seconds}"
                        )))
                        .await;
                    Ok(())
                })
            })
        });
    if in_memory {
        options
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{ConnectionTrait, TransactionTrait};

    #[tokio::test]
    async fn a_connection_whose_transaction_a_full_disk_ended_is_used_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("full.db");
        let address = DatabaseAddress::parse(&format!("sqlite://{}", file.display())).unwrap();
        let way = Way {
            max_connections: 1,
            alone: None,
        };
        let pool = open(&address, way).await.unwrap();
        let run = async |text: &str| pool.execute_unprepared(text).await.unwrap();
        run("CREATE TABLE t (x BLOB)").await;
        run("PRAGMA max_page_count = 4").await;
        let full = pool.begin().await.unwrap();
        full.execute_unprepared("INSERT INTO t VALUES (zeroblob(100000))")
            .await
            .unwrap_err();
        drop(full);

        // There is room again: what is given up leaves nothing behind, what is committed is there
        // for everybody.
        let given_up = pool.begin().await.unwrap();
        given_up
            .execute_unprepared("INSERT INTO t VALUES (x'01')")
            .await
            .unwrap();
        given_up.rollback().await.unwrap();
        let other = open(&address, way).await.unwrap();
        let kept = other.begin().await.unwrap();
        kept.execute_unprepared("INSERT INTO t VALUES (x'02')")
            .await
            .unwrap();
        kept.commit().await.unwrap();
        let kept = pool.begin().await.unwrap();
        kept.execute_unprepared("INSERT INTO t VALUES (x'03')")
            .await
            .unwrap();
        kept.commit().await.unwrap();
    }
}
