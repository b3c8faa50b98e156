//! Poolers between us and PostgreSQL, such as PgBouncer. One that gives a client a connection of
//! its own for as long as it stays is as good as the server. One that gives each transaction
//! another connection (`pool_mode = transaction`) is refused: statements prepared on one are
//! missing on the next, settings reach strangers, and what would work by day fails under load.

use super::dialect::Dialect;
use super::tuple;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions, Connection, Executor};
use sea_orm::{DatabaseConnection, DbErr};
use std::time::Duration;

/// Looks at which connections may be seen; a pooler in use may hand out another one now and then.
const LOOKS: u32 = 3;

/// Whether a connection was refused for the settings in its first message.
pub(super) fn refused_the_limits(error: &DbErr) -> bool {
    error.to_string().contains("startup parameter")
}

/// Whether the settings of a connection's first message are in force; some poolers drop them
/// without a word.
pub(super) async fn heeded_the_limits(connection: &DatabaseConnection, patience: Duration) -> bool {
    let text = "SELECT CAST(setting AS BIGINT) AS n FROM pg_settings WHERE name = 'lock_timeout'";
    let statement = Dialect::of(connection).statement(text, []);
    let limit: Result<Option<i64>, DbErr> = tuple::one(connection, statement).await;
    // One that fails lost prepared statements in between.
    limit.is_ok_and(|limit| {
        limit.is_some_and(|limit| u128::try_from(limit) == Ok(patience.as_millis()))
    })
}

/// Whether two clients that are both there get the same connection of the server.
pub(super) async fn shares_connections(options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let (mut one, mut two) = (options.connect().await?, options.connect().await?);
    let mut shared = false;
    for _ in 0..LOOKS {
        let first = server_process(&mut one).await?;
        two.execute("BEGIN").await?;
        // The second holds its one until ROLLBACK.
        shared |=
            server_process(&mut two).await? == first || server_process(&mut one).await? != first;
        two.execute("ROLLBACK").await?;
    }
    for connection in [one, two] {
        // It was only for looking.
        let _ = connection.close().await;
    }
    Ok(shared)
}

async fn server_process(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await?;
    let (process,) = sqlx::FromRow::from_row(&row)?;
    Ok(process)
}
