//! What an analyst asks of giving: gifts with their month and fiscal year, what came in month by
//! month, who gives again, recurring plans.
//!
//! Months and years are those of the organization's zone. `zone_years` tells what the clocks of a
//! zone show, a few rows a year that are looked up by the year, and `fiscal_year_starts` is the
//! organization's: no record is written anew when either changes.

mod donors;
mod gifts;
mod recurring;
mod words;

use crate::dialect::{Dialect, add_columns, drop_columns};
use crate::m20261202_000002_fundraising_pages as fundraising_pages;
use crate::views::{create_view, drop_view};
use crate::{m20261130_000001_first, m20261202_000001_designations as designations};
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261203_000010_giving"
    }
}

type Body = fn(Dialect) -> String;

/// The views, in an order in which they can be made.
const VIEWS: [(&str, Body); 10] = [
    ("organization_calendar", gifts::organization_calendar),
    ("gifts", gifts::gifts),
    ("giving_by_month", gifts::giving_by_month),
    ("donor_years", donors::donor_years),
    ("donor_retention", donors::donor_retention),
    ("donors_lybunt", donors::donors_lybunt),
    ("donors_sybunt", donors::donors_sybunt),
    ("donor_cohorts", donors::donor_cohorts),
    ("donor_rfm", donors::donor_rfm),
    ("recurring_by_month", recurring::recurring_by_month),
];

/// The views of before.
fn earlier(t: Dialect) -> Vec<(&'static str, String)> {
    let mut all = m20261130_000001_first::named_views(t);
    all.push((designations::VIEW, designations::view(t)));
    all.push((fundraising_pages::VIEW, fundraising_pages::view(t)));
    all
}

/// One of them as it is now: with the organization's id at Classy and its name, and without
/// registrations that cost nothing among the gifts.
fn named(body: &str) -> String {
    let gift = "t.status = 'success'";
    let body = body.replace(gift, &format!("{gift} AND t.total_gross_amount > 0"));
    format!(
        "SELECT v.*, o.classy_id AS classy_organization_id, o.name AS organization_name \
         FROM ({body}) AS v JOIN organizations AS o ON o.id = v.organization_id"
    )
}

fn fiscal_year(t: Dialect) -> Vec<ColumnDef> {
    vec![t.int("fiscal_year_starts").not_null().default(1).take()]
}

fn zone_years(t: Dialect) -> TableCreateStatement {
    let mut table = Table::create()
        .table("zone_years")
        .if_not_exists()
        .to_owned();
    if t == Dialect::MySql {
        table
            .engine("InnoDB")
            .character_set("utf8mb4")
            .collate("utf8mb4_bin");
    }
    table
        .col(t.word("time_zone").not_null())
        .col(t.int("year").not_null())
        .col(t.time("from_at").not_null())
        .col(t.time("until_at").not_null())
        .col(t.int("offset_s").not_null())
        .primary_key(Index::create().col("time_zone").col("year").col("from_at"))
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let t = Dialect::of(manager.get_database_backend());
        add_columns(manager, "organizations", fiscal_year(t)).await?;
        manager.create_table(zone_years(t)).await?;
        for (name, _) in VIEWS.iter().rev() {
            drop_view(manager, name).await?;
        }
        for (name, body) in VIEWS {
            create_view(manager, name, &body(t)).await?;
        }
        for (name, body) in earlier(t) {
            create_view(manager, name, &named(&body)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let t = Dialect::of(manager.get_database_backend());
        for (name, body) in earlier(t) {
            create_view(manager, name, &body).await?;
        }
        for (name, _) in VIEWS.iter().rev() {
            drop_view(manager, name).await?;
        }
        manager
            .drop_table(Table::drop().table("zone_years").if_exists().to_owned())
            .await?;
        drop_columns(manager, "organizations", fiscal_year(t)).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
