//! Designations: what money is given for, with the view that says how much was.
//!
//! Gifts link to them without a foreign key: SQLite cannot add one to a table that is there. The
//! writer makes a stub for what is named before it comes, as it does everywhere, and `db check`
//! asks for the rest.

use crate::dialect::Dialect;
use crate::record_table::{RecordTable, create_index};
use crate::views::{create_view, drop_view, performance};
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261202_000001_designations"
    }
}

const TABLE: RecordTable = RecordTable {
    name: "designations",
    columns,
    links: &[],
};
pub(crate) const VIEW: &str = "designation_performance";
/// The view looks gifts up by it.
const INDEX: &str = "transactions_designation";

fn columns(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.text("name"),
        t.text("description"),
        t.money("goal"),
        t.text("city"),
        t.text("state"),
        t.text("postal_code"),
        t.text("external_reference_id"),
        t.flag("is_active"),
        t.flag("is_complete"),
        t.flag("is_default"),
        t.time("started_at"),
        t.time("ended_at"),
    ]
}

pub(crate) fn view(t: Dialect) -> String {
    performance(
        t,
        "designations",
        "designation_id",
        INDEX,
        "v.name, v.is_active, v.goal",
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLE.create(manager).await?;
        TABLE
            .create_stubs(manager, "transactions", "designation_id")
            .await?;
        create_index(
            manager,
            "transactions",
            INDEX,
            &["designation_id", "organization_id"],
        )
        .await?;
        create_view(
            manager,
            VIEW,
            &view(Dialect::of(manager.get_database_backend())),
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_view(manager, VIEW).await?;
        manager
            .drop_index(Index::drop().name(INDEX).table("transactions").to_owned())
            .await?;
        TABLE.drop(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
