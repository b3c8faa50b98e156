//! More of each record: what Classy knows of people, campaigns, plans and gifts beside what was
//! kept at first.

use crate::dialect::{Dialect, add_columns, drop_columns};
use sea_orm_migration::prelude::*;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261201_000001_more_fields"
    }
}

fn supporters(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.text("birthday"),
        t.text("gender"),
        t.text("nickname"),
        t.text("location"),
        t.text("cell_phone"),
        t.text("last_emailed_at"),
        t.flag("sms_opt_in"),
        t.time("sms_consent_decided_at"),
        t.int("source_fundraising_page_id"),
    ]
}

fn campaigns(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.text("internal_name"),
        t.text("external_id"),
        t.int("designation_id"),
        t.money("raw_goal"),
        t.text("raw_currency_code"),
        t.int("channel_id"),
        t.int("category_id"),
        t.text("venue"),
        t.text("address1"),
        t.text("city"),
        t.text("state"),
        t.text("postal_code"),
        t.text("country"),
        t.text("location_details"),
        t.text("external_url"),
        t.text("contact_email"),
        t.text("created_with"),
        t.flag("is_general"),
        t.money("minimum_donation_amount"),
    ]
}

fn recurring_plans(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.int("designation_id"),
        t.int("fundraising_page_id"),
        t.int("fundraising_team_id"),
        t.money("raw_amount"),
        t.text("raw_currency_code"),
        t.text("payment_type"),
        t.text("payment_gateway"),
        t.text("cc_type"),
        t.text("cc_card_exp"),
        t.flag("is_donor_covered_fee"),
        t.flag("is_gift_aid"),
        t.flag("is_anonymous"),
        t.flag("hide_amount"),
        t.text("company_name"),
        t.text("timezone"),
        t.time("recur_until"),
        t.time("pause_until"),
        t.time("plan_paused_on_date"),
        t.time("failed_at"),
        t.text("cancel_by"),
        t.text("cancel_reason_code"),
        t.text("cancel_reason_text"),
    ]
}

fn transactions(t: Dialect) -> Vec<ColumnDef> {
    vec![
        t.int("fundraising_page_id"),
        t.int("fundraising_team_id"),
        t.int("member_id"),
        t.text("company_name"),
        t.text("in_honor_of"),
        t.text("comment"),
        t.text("billing_city"),
        t.text("billing_state"),
        t.text("billing_postal_code"),
        t.text("billing_country"),
        t.text("promo_code_code"),
        t.money("overhead_net_amount"),
        t.money("adjustment_amount"),
        t.money("classy_fees_amount"),
        t.money("pp_fees_amount"),
        t.money("charged_fees_amount"),
        t.money("initial_gross_amount"),
        t.money("raw_donation_gross_amount"),
        t.flag("is_donor_covered_fee"),
        t.flag("is_gift_aid"),
        t.flag("hide_amount"),
        t.text("payment_source"),
        t.text("payment_gateway"),
        t.text("card_type"),
        t.text("pp_transaction_id"),
        t.text("pp_reference_id"),
        t.int("donation_matching_plan_id"),
        t.text("utm"),
        t.text("consent"),
        t.time("charged_at"),
    ]
}

/// The tables and the columns that they get.
type Addition = (&'static str, fn(Dialect) -> Vec<ColumnDef>);

const ADDITIONS: [Addition; 4] = [
    ("supporters", supporters),
    ("campaigns", campaigns),
    ("recurring_plans", recurring_plans),
    ("transactions", transactions),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for (table, columns) in ADDITIONS {
            add_columns(manager, table, columns(dialect)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for (table, columns) in ADDITIONS {
            drop_columns(manager, table, columns(dialect)).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
