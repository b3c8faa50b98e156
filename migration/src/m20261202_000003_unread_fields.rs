//! Keys that records have at Classy and that nobody reads here.

use crate::dialect::Dialect;
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261202_000003_unread_fields"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let t = Dialect::of(manager.get_database_backend());
        let mut table = Table::create()
            .table("unread_fields")
            .if_not_exists()
            .to_owned();
        if t == Dialect::MySql {
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate("utf8mb4_bin");
        }
        table
            .col(t.word("entity").not_null())
            .col(t.word("name").not_null())
            .col(t.time("first_seen_at").not_null())
            .primary_key(Index::create().col("entity").col("name"));
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("unread_fields").if_exists().to_owned())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
