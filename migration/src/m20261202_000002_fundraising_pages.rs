//! Fundraising pages, with the view that says how much each brought. Gifts link to them without a
//! foreign key, as to designations.

use crate::dialect::Dialect;
use crate::record_table::{RecordTable, create_index};
use crate::views::{create_view, drop_view, performance};
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261202_000002_fundraising_pages"
    }
}

const TABLE: RecordTable = RecordTable {
    name: "fundraising_pages",
    columns,
    links: &[("supporter_id", "supporters"), ("campaign_id", "campaigns")],
};
pub(crate) const VIEW: &str = "fundraising_page_performance";
/// The view looks gifts up by it.
const INDEX: &str = "transactions_fundraising_page";

fn columns(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.text("title"),
        t.text("alias"),
        t.text("status"),
        t.int("supporter_id"),
        t.int("campaign_id"),
        t.int("fundraising_team_id"),
        t.int("designation_id"),
        t.int("member_id"),
        t.int("parent_id"),
        t.money("goal"),
        t.text("currency_code"),
        t.money("raw_goal"),
        t.text("raw_currency_code"),
        t.text("team_role"),
        t.flag("is_primary"),
        t.flag("is_tribute"),
        t.text("canonical_url"),
        t.time("ended_at"),
    ]
}

pub(crate) fn view(t: Dialect) -> String {
    performance(
        t,
        "fundraising_pages",
        "fundraising_page_id",
        INDEX,
        "v.title, v.status, v.campaign_id, v.supporter_id, v.goal, v.currency_code",
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLE.create(manager).await?;
        TABLE
            .create_stubs(manager, "transactions", "fundraising_page_id")
            .await?;
        create_index(
            manager,
            "transactions",
            INDEX,
            &["fundraising_page_id", "organization_id"],
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
