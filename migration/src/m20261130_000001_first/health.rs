//! What was done by whom, what was told of, and what was measured.

use super::dialect::Dialect;
use super::table::Table;

pub(super) fn tables(t: Dialect) -> Vec<Table> {
    vec![audit_log(t), alerts(t), health_samples(t)]
}

fn audit_log(t: Dialect) -> Table {
    Table::new(t, "audit_log")
        .column(t.auto("id"))
        .column(t.time("at").not_null())
        .column(t.word("actor").not_null())
        .column(t.int("organization_id"))
        .column(t.word("action").not_null())
        .column(t.text("subject").not_null())
        .column(t.text("detail"))
        .of_organization()
        .index("audit_log_at", &["organization_id", "at"])
}

fn alerts(t: Dialect) -> Table {
    Table::new(t, "alerts")
        .column(t.auto("id"))
        .column(t.int("organization_id"))
        .column(t.word("key").not_null())
        .column(t.word("severity").not_null())
        .column(t.text("message").not_null())
        .column(t.time("opened_at").not_null())
        .column(t.time("last_seen_at").not_null())
        .column(t.time("acknowledged_at"))
        .column(t.time("resolved_at"))
        .column(t.int("count").not_null().default(1))
        .column(t.int("notices").not_null().default(0))
        .column(t.time("notified_at"))
        .column(t.word("notified_by"))
        .of_organization()
        .index("alerts_key", &["organization_id", "key"])
}

fn health_samples(t: Dialect) -> Table {
    Table::new(t, "health_samples")
        .column(t.auto("id"))
        .column(t.time("at").not_null())
        .column(t.int("organization_id"))
        .column(t.word("metric").not_null())
        .column(t.word("resolution").not_null())
        .column(t.double("value").not_null())
        .of_organization()
        .index(
            "health_samples_metric",
            &["organization_id", "metric", "at"],
        )
}
