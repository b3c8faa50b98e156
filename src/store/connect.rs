//! The connection pool, set up for each database so that waits end, writers queue, and values stay out of logs.

use super::Error;
use crate::domain::Time;
use sea_orm::sqlx::mysql::MySqlSslMode;
use sea_orm::sqlx::postgres::PgSslMode;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// How long a statement waits for a lock, and an idle transaction keeps one: below the time of a lease, so that a
/// frozen holder is cut off before another may write.
const PATIENCE: Duration = Duration::from_secs(10);

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
    settings: Settings,
    wire: Wire,
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
        f.debug_struct("Store").field("backend", &self.backend()).finish_non_exhaustive()
    }
}

impl Store {
    /// Connects. A SQLite file and its folder are made if they are not there.
    ///
    /// # Errors
    /// An address that is not understood, a server that cannot be reached.
    pub async fn connect(settings: &Settings) -> Result<Store, Error> {
        let url = settings.url.expose_secret();
        let address = |reason: &str| Error::Address { reason: reason.to_owned() };
        let (scheme, rest) = url.split_once(':').ok_or_else(|| address("it has no scheme"))?;
        let file = match scheme {
            "sqlite" => sqlite_file(rest),
            "postgres" | "postgresql" | "mysql" | "mariadb" => None,
            other => return Err(address(&format!("the scheme '{other}' is not known"))),
        };
        if let Some(folder) = file.as_ref().and_then(|file| file.parent()).filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| Error::Unreachable { cause: format!("{}: {error}", folder.display()) })?;
        }
        let mut wire = if scheme == "sqlite" && file.is_none() { Wire::Memory } else { Wire::AsSaid };
        if let (true, Ok(address)) = (scheme != "sqlite", Url::parse(url)) {
            knock(&address).await?;
            if is_here(&address) {
                wire = Wire::Plain;
            }
        }
        let connection = match Database::connect(options(settings, wire)).await {
            // A server that lets nobody in without encryption.
            Err(_) if wire == Wire::Plain => {
                wire = Wire::AsSaid;
                Database::connect(options(settings, wire)).await
            }
            connection => connection,
        };
        Ok(Store { connection: connection.map_err(|error| Error::unreachable(&error))?, file, settings: settings.clone(), wire })
    }

    /// A connection of its own outside the pool, for a lock that lives as long as it.
    pub(super) async fn connect_apart(&self) -> Result<DatabaseConnection, Error> {
        let mut settings = self.settings.clone();
        settings.max_connections = 1;
        Database::connect(options(&settings, self.wire)).await.map_err(|error| Error::unreachable(&error))
    }

    pub(super) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) const fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// A transaction that will write: on SQLite it waits its turn at BEGIN, since one that reads first and then wants to
    /// write fails at once when another wrote meanwhile.
    pub(super) async fn begin_write(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend() == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection.begin_with_options(options).await.map_err(|error| Error::query("beginning a transaction", error))
    }

    /// The database's own clock; also the cheapest proof that it answers.
    ///
    /// # Errors
    /// Database errors.
    pub async fn ping(&self) -> Result<Time, Error> {
        super::lease::database_now(&self.connection, self.backend()).await
    }

    /// Closes the pool.
    ///
    /// # Errors
    /// Database errors.
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await.map_err(|error| Error::query("closing the pool", error))
    }
}

/// Tries the server's port once: the pool would go on trying a port where nobody listens until its patience ends.
async fn knock(address: &Url) -> Result<(), Error> {
    let port = address.port().unwrap_or(if address.scheme().starts_with("postgres") { 5432 } else { 3306 });
    // No host, or a folder in its place: a socket on this machine.
    let Some(host) = address.host_str().filter(|host| !host.is_empty() && !host.contains('%')) else { return Ok(()) };
    let place = format!("{host}:{port}");
    match tokio::time::timeout(PATIENCE, tokio::net::TcpStream::connect(&place)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Unreachable { cause: format!("{place}: {error}") }),
        Err(_) => Err(Error::Unreachable { cause: format!("{place}: no answer within {} s", PATIENCE.as_secs()) }),
    }
}

fn sqlite_file(rest: &str) -> Option<PathBuf> {
    let path = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
    (!path.contains(":memory:") && !rest.contains("mode=memory") && !path.is_empty()).then(|| PathBuf::from(path))
}

/// Whether a server is on this machine and its address says nothing about encryption.
fn is_here(address: &Url) -> bool {
    let loopback = match address.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    loopback && !address.query_pairs().any(|(name, _)| name.starts_with("ssl"))
}

fn options(settings: &Settings, wire: Wire) -> ConnectOptions {
    let in_memory = wire == Wire::Memory;
    let mut options = ConnectOptions::new(settings.url.expose_secret().to_owned());
    options
        .max_connections(if in_memory { 1 } else { settings.max_connections })
        .min_connections(if in_memory { 1 } else { 0 })
        .acquire_timeout(Duration::from_secs(30))
        // Statements carry donors' data.
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            options
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(PATIENCE)
                .journal_mode(SqliteJournalMode::Wal)
                // Rows and checkpoint are in one file and go together: after a power cut the last commits may be missing,
                // and are then read again.
                .synchronous(SqliteSynchronous::Normal)
                // In KiB; with the 2 MB that SQLite takes by itself, a large load reads the same pages of its indexes again and again.
                .pragma("cache_size", "-8192")
        })
        .map_sqlx_postgres_opts(move |options| {
            let options = if wire == Wire::Plain { options.ssl_mode(PgSslMode::Disable) } else { options };
            let patience = PATIENCE.as_millis().to_string();
            options.application_name("classy-sync").options([
                ("idle_in_transaction_session_timeout", patience.as_str()),
                ("lock_timeout", patience.as_str()),
                ("timezone", "UTC"),
            ])
        })
        .map_sqlx_mysql_opts(move |options| if wire == Wire::Plain { options.ssl_mode(MySqlSslMode::Disabled) } else { options })
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                    let seconds = PATIENCE.as_secs();
                    connection.execute(sqlx::AssertSqlSafe(format!("SET SESSION innodb_lock_wait_timeout = {seconds}"))).await?;
                    // MariaDB's; MySQL has none and refuses it.
                    let _ = connection.execute(sqlx::AssertSqlSafe(format!("SET SESSION idle_transaction_timeout = {seconds}"))).await;
                    Ok(())
                })
            })
        });
    if in_memory {
        options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    }
    options
}
