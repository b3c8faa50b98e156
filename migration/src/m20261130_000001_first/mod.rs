//! The first schema: every table, and the four views that analysts read.
//!
//! It is frozen: a database that has it is changed by later migrations alone. So this folder calls
//! nothing outside of it, and a test holds what it says to each database against what was recorded.

mod dialect;
mod feeds;
mod guard;
mod health;
mod plugins;
mod records;
mod table;
#[cfg(test)]
mod tests;
mod views;

use dialect::Dialect;
use sea_orm_migration::prelude::*;
use table::Table;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261130_000001_first"
    }
}

/// All tables, parents before children.
fn tables(dialect: Dialect) -> Vec<Table> {
    [
        records::tables,
        feeds::tables,
        plugins::tables,
        guard::tables,
        health::tables,
    ]
    .into_iter()
    .flat_map(|tables| tables(dialect))
    .collect()
}

/// Name and body of each view, for a later migration that makes them anew.
pub(crate) fn named_views(dialect: Dialect) -> Vec<(&'static str, String)> {
    views::all(dialect).to_vec()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for table in tables(dialect) {
            manager.create_table(table.create).await?;
            for index in table.indexes {
                manager.create_index(index).await?;
            }
        }
        for (name, body) in views::all(dialect) {
            manager
                .get_connection()
                .execute_unprepared(&format!("DROP VIEW IF EXISTS {name}"))
                .await?;
            manager
                .get_connection()
                .execute_unprepared(&format!("CREATE VIEW {name} AS {body}"))
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for (name, _) in views::all(dialect) {
            manager
                .get_connection()
                .execute_unprepared(&format!("DROP VIEW IF EXISTS {name}"))
                .await?;
        }
        for table in tables(dialect).into_iter().rev() {
            manager
                .drop_table(
                    sea_query::Table::drop()
                        .table(table.name)
                        .if_exists()
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    /// SQLite and PostgreSQL undo a half-made schema; MySQL cannot, so every statement there may be
    /// repeated.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
