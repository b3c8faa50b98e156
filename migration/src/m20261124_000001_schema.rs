//! The first schema: every table and the four views.

use crate::dialect::Dialect;
use crate::{tables, views};
use sea_orm_migration::prelude::*;

/// See the module.
#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261124_000001_schema"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for table in tables::TABLES {
            for statement in table.create(dialect) {
                manager.get_connection().execute_unprepared(&statement).await?;
            }
        }
        for (name, body) in views::all(dialect) {
            manager.get_connection().execute_unprepared(&format!("DROP VIEW IF EXISTS {name}")).await?;
            manager.get_connection().execute_unprepared(&format!("CREATE VIEW {name} AS {body}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for (name, _) in views::all(dialect) {
            manager.get_connection().execute_unprepared(&format!("DROP VIEW IF EXISTS {name}")).await?;
        }
        for table in tables::TABLES.iter().rev() {
            manager.get_connection().execute_unprepared(&format!("DROP TABLE IF EXISTS {}", table.name)).await?;
        }
        Ok(())
    }

    /// SQLite and PostgreSQL undo a half-made schema; MySQL cannot, so every statement there may be repeated.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
