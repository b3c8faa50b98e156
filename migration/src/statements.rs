//! What several migrations do; each may be done twice, since a migration that was cut off is not undone on every database.

use crate::dialect::Dialect;
use sea_orm_migration::prelude::*;

/// Runs a statement.
pub(crate) async fn run(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(statement).await.map(drop)
}

/// Adds a column, unless it is there; `kind` may hold placeholders.
pub(crate) async fn add_column(manager: &SchemaManager<'_>, dialect: Dialect, table: &str, column: &str, kind: &str) -> Result<(), DbErr> {
    if manager.has_column(table, column).await? {
        return Ok(());
    }
    run(manager, &dialect.render(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))).await
}

/// Drops a column.
pub(crate) async fn drop_column(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    run(manager, &format!("ALTER TABLE {table} DROP COLUMN {column}")).await
}

/// Makes an index, unless it is there.
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    dialect: Dialect,
    name: &str,
    table: &str,
    columns: &str,
) -> Result<(), DbErr> {
    if dialect != Dialect::MySql {
        return run(manager, &format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")).await;
    }
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    run(manager, &format!("CREATE INDEX {name} ON {table} ({columns})")).await
}

/// Drops an index.
pub(crate) async fn drop_index(manager: &SchemaManager<'_>, dialect: Dialect, name: &str, table: &str) -> Result<(), DbErr> {
    let place = if dialect == Dialect::MySql { format!(" ON {table}") } else { String::new() };
    run(manager, &format!("DROP INDEX {name}{place}")).await
}
