//! Organizations and the records that come from Classy, parents before children.
//!
//! `organization_id` is `organizations.id`. The ids of records are Classy's and lead the primary
//! keys; the organization follows, so that no organization can occupy another's ids. Foreign keys
//! carry both columns, so that the database itself refuses a link from one organization to another,
//! and are checked by the same index as the keys. The indexes of links begin with the parent's id
//! for the same reason: MySQL would add its own to any other.

use super::dialect::Dialect;
use super::table::Table;

pub(super) fn tables(t: Dialect) -> Vec<Table> {
    vec![
        organizations(t),
        zone_clocks(t),
        supporters(t),
        campaigns(t),
        recurring_plans(t),
        transactions(t),
    ]
}

fn organizations(t: Dialect) -> Table {
    Table::new(t, "organizations")
        .column(t.auto("id"))
        .column(t.int("classy_id").not_null().unique_key())
        .column(t.text("name").not_null())
        .column(t.word("status").not_null())
        .column(t.text("status_reason"))
        .column(t.text("credentials_encrypted"))
        .column(t.text("timezone"))
        .column(t.text("currency_code"))
        .column(t.word("applied_from"))
        .column(t.int("change_seq").not_null().default(0))
        .column(t.time("created_at").not_null())
        .column(t.time("updated_at").not_null())
}

fn zone_clocks(t: Dialect) -> Table {
    Table::new(t, "zone_clocks")
        .column(t.word("time_zone").not_null())
        .column(t.time("from_at").not_null())
        .column(t.int("offset_s").not_null())
        .key(&["time_zone", "from_at"])
}

fn supporters(t: Dialect) -> Table {
    Table::new(t, "supporters")
        .column(t.int("id").not_null())
        .column(t.int("organization_id").not_null())
        .column(t.text("email_address"))
        .column(t.word("email_key"))
        .column(t.text("first_name"))
        .column(t.text("last_name"))
        .column(t.text("phone"))
        .column(t.text("address1"))
        .column(t.text("address2"))
        .column(t.text("city"))
        .column(t.text("state"))
        .column(t.text("postal_code"))
        .column(t.text("country"))
        .column(t.flag("email_opt_in"))
        .column(t.time("consent_decided_at"))
        .column(t.text("origin"))
        .column(t.int("source_campaign_id"))
        .column(t.int("member_id"))
        .column(t.money("lifetime_donation_amount").not_null().default(0))
        .column(t.int("lifetime_donation_count").not_null().default(0))
        .column(t.money("monthly_recurring_amount").not_null().default(0))
        .column(t.time("first_donation_at"))
        .column(t.time("last_donation_at"))
        .column(t.money("largest_donation_amount").not_null().default(0))
        .column(t.time("source_created_at"))
        .column(t.time("source_updated_at"))
        .column(t.int("change_seq").not_null().default(0))
        .column(t.time("absent_since"))
        .column(t.flag("is_stub").not_null().default(false))
        .column(t.int("fingerprint"))
        .column(t.int("schema_version").not_null().default(0))
        .column(t.time("first_seen_at").not_null())
        .column(t.time("last_sync_at").not_null())
        .key(&["id", "organization_id"])
        .of_organization()
        .index("supporters_change", &["organization_id", "change_seq"])
        .index(
            "supporters_updated",
            &["organization_id", "source_updated_at"],
        )
        .index("supporters_address", &["organization_id", "email_key"])
}

fn campaigns(t: Dialect) -> Table {
    Table::new(t, "campaigns")
        .column(t.int("id").not_null())
        .column(t.int("organization_id").not_null())
        .column(t.text("name"))
        .column(t.text("status"))
        .column(t.text("type"))
        .column(t.money("goal"))
        .column(t.money("total_raised").not_null().default(0))
        .column(t.int("donors_count").not_null().default(0))
        .column(t.int("transactions_count").not_null().default(0))
        .column(t.text("currency_code"))
        .column(t.text("timezone"))
        .column(t.text("canonical_url"))
        .column(t.time("started_at"))
        .column(t.time("ended_at"))
        .column(t.time("source_created_at"))
        .column(t.time("source_updated_at"))
        .column(t.time("absent_since"))
        .column(t.flag("is_stub").not_null().default(false))
        .column(t.int("fingerprint"))
        .column(t.int("schema_version").not_null().default(0))
        .column(t.time("last_sync_at").not_null())
        .key(&["id", "organization_id"])
        .of_organization()
        .index(
            "campaigns_updated",
            &["organization_id", "source_updated_at"],
        )
}

fn recurring_plans(t: Dialect) -> Table {
    Table::new(t, "recurring_plans")
        .column(t.int("id").not_null())
        .column(t.int("organization_id").not_null())
        .column(t.int("supporter_id"))
        .column(t.int("campaign_id"))
        .column(t.money("amount"))
        .column(t.text("currency_code"))
        .column(t.text("frequency"))
        .column(t.text("status"))
        .column(t.flag("is_paused").not_null().default(false))
        .column(t.time("started_at"))
        .column(t.time("next_payment_date"))
        .column(t.time("canceled_at"))
        .column(t.time("source_created_at"))
        .column(t.time("source_updated_at"))
        .column(t.time("absent_since"))
        .column(t.flag("is_stub").not_null().default(false))
        .column(t.int("fingerprint"))
        .column(t.int("schema_version").not_null().default(0))
        .column(t.time("last_sync_at").not_null())
        .key(&["id", "organization_id"])
        .of_organization()
        .link("supporter_id", "supporters")
        .link("campaign_id", "campaigns")
        .index(
            "recurring_plans_supporter",
            &["supporter_id", "organization_id"],
        )
        .index(
            "recurring_plans_campaign",
            &["campaign_id", "organization_id"],
        )
        .index(
            "recurring_plans_updated",
            &["organization_id", "source_updated_at"],
        )
}

fn transactions(t: Dialect) -> Table {
    Table::new(t, "transactions")
        .column(t.int("id").not_null())
        .column(t.int("organization_id").not_null())
        .column(t.int("supporter_id"))
        .column(t.int("campaign_id"))
        .column(t.int("recurring_plan_id"))
        .column(t.int("parent_transaction_id"))
        .column(t.int("designation_id"))
        .column(t.text("status").not_null())
        .column(t.money("total_gross_amount"))
        .column(t.money("donation_gross_amount"))
        .column(t.money("donation_net_amount"))
        .column(t.money("fees_amount"))
        .column(t.text("currency_code"))
        .column(t.money("raw_total_gross_amount"))
        .column(t.text("raw_currency_code"))
        .column(t.money("charged_total_gross_amount"))
        .column(t.text("charged_currency_code"))
        .column(t.text("frequency"))
        .column(t.text("payment_method"))
        .column(t.text("payment_type"))
        .column(t.flag("is_anonymous").not_null().default(false))
        .column(t.time("purchased_at"))
        .column(t.time("refunded_at"))
        .column(t.time("source_created_at"))
        .column(t.time("source_updated_at"))
        .column(t.time("absent_since"))
        .column(t.int("fingerprint"))
        .column(t.int("schema_version").not_null().default(0))
        .column(t.time("last_sync_at").not_null())
        .key(&["id", "organization_id"])
        .of_organization()
        .link("supporter_id", "supporters")
        .link("campaign_id", "campaigns")
        .link("recurring_plan_id", "recurring_plans")
        .index(
            "transactions_supporter",
            &["supporter_id", "organization_id"],
        )
        .index(
            "transactions_campaign",
            &["campaign_id", "organization_id", "supporter_id"],
        )
        .index(
            "transactions_plan",
            &["recurring_plan_id", "organization_id"],
        )
        .index(
            "transactions_updated",
            &["organization_id", "source_updated_at"],
        )
        .index(
            "transactions_purchased",
            &["organization_id", "purchased_at"],
        )
}
