//! The connection pool, set up for each database so that waits end, writers queue, and values stay
//! out of logs.

use super::reading::{Reading, left_behind, require_writable};
use super::statement::{now, sql};
use super::written::Written;
use super::{Error, pooler};
use crate::config::{DatabaseAddress, DatabaseKind};
use crate::domain::Time;
use sea_orm::sqlx::mysql::MySqlSslMode;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a statement waits for a lock, and an idle transaction keeps one: below the time of a
/// lease, so that a frozen holder is cut off before another may write.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to a SQLite file, at most: it has one writer at a time, and each connection has a
/// cache of its own.
const SQLITE_CONNECTIONS: u32 = 4;

/// How MySQL and MariaDB treat our statements.
const SQL_MODE: &str = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT";

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
    file: Option<PathBuf>,
    written: Arc<Written>,
    /// How its file is read, when nothing else is done with it.
    reading: Option<Reading>,
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

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend())
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
        let connection = tokio::time::timeout(PATIENCE, open(&address, way))
            .await
            .map_err(silent)??;
        Ok(Store {
            connection,
            file: address.file,
            written: Arc::default(),
            reading,
        })
    }

    pub(super) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) const fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    pub(super) fn written(&self) -> &Written {
        &self.written
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// A transaction that will write: on SQLite it waits its turn at BEGIN, since one that reads
    /// first and then wants to write fails at once when another wrote meanwhile.
    pub(super) async fn begin_write(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend() == DbBackend::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection
            .begin_with_options(options)
            .await
            .map_err(|error| Error::query("beginning a transaction", error))
    }

    /// The database's own clock; also the cheapest proof that it answers.
    pub async fn ping(&self) -> Result<Time, Error> {
        now_in(&self.connection, self.backend()).await
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
    backend: DbBackend,
) -> Result<Time, Error> {
    let failed = |error| Error::query("reading the database's clock", error);
    let text = format!("SELECT {} AS now_at", now(backend));
    let row = connection
        .query_one_raw(sql(backend, &text, []))
        .await
        .map_err(failed)?
        .ok_or(Error::NoOrganization)?;
    row.try_get("", "now_at").map_err(failed)
}

fn address_of(settings: &Settings) -> Result<DatabaseAddress, Error> {
    DatabaseAddress::parse(settings.url.expose_secret()).map_err(|reason| Error::Address {
        reason: reason.to_owned(),
    })
}

/// How the pool is used.
#[derive(Clone, Copy)]
struct Way {
    max_connections: u32,
    /// Said by those who only read: whether nobody else has the file open.
    alone: Option<bool>,
}

async fn open(address: &DatabaseAddress, way: Way) -> Result<DatabaseConnection, Error> {
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
        Ok(connection)
            if pooler::heeded_the_limits(&connection, PATIENCE)
                .await
                .map_err(unreachable)? =>
        {
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

/// How a PostgreSQL server is told how long it waits for us and for locks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// With the connection's first message, which poolers do not pass on.
    AtStart,
    /// By a statement, once the connection stands.
    Afterwards,
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
    let most = match address.kind {
        DatabaseKind::Sqlite if in_memory => 1,
        DatabaseKind::Sqlite => way.max_connections.min(SQLITE_CONNECTIONS),
        _ => way.max_connections,
    };
    let file = address.file.clone();
    let mut options = ConnectOptions::new(address.url.clone());
    options
        .max_connections(most)
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
