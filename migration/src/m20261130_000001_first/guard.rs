//! What keeps large harm from being done unasked: what was harmed, what is held and for whom, and
//! what a person allowed.

use super::dialect::Dialect;
use super::table::Table;

pub(super) fn tables(t: Dialect) -> Vec<Table> {
    vec![
        plugin_guards(t),
        plugin_holds(t),
        plugin_grants(t),
        plugin_harms(t),
    ]
}

fn plugin_guards(t: Dialect) -> Table {
    Table::new(t, "plugin_guards")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.time("first_push_at"))
        .column(t.time("first_push_until"))
        .column(t.text("forecast"))
        .column(t.time("suspended_at"))
        .column(t.text("suspended_reason"))
        .key(&["organization_id", "plugin", "destination"])
        .of_organization()
}

fn plugin_holds(t: Dialect) -> Table {
    Table::new(t, "plugin_holds")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.int("supporter_id").not_null())
        .column(t.word("kind").not_null())
        .column(t.int("mark").not_null())
        .key(&[
            "organization_id",
            "plugin",
            "destination",
            "supporter_id",
            "kind",
        ])
        .of_organization()
}

fn plugin_grants(t: Dialect) -> Table {
    Table::new(t, "plugin_grants")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.int("supporter_id").not_null())
        .column(t.word("kind").not_null())
        .column(t.int("mark").not_null())
        .column(t.word("plan_id").not_null())
        .column(t.time("granted_at").not_null())
        .column(t.time("expires_at").not_null())
        .column(t.time("used_at"))
        .key(&[
            "organization_id",
            "plugin",
            "destination",
            "supporter_id",
            "kind",
        ])
        .of_organization()
}

fn plugin_harms(t: Dialect) -> Table {
    Table::new(t, "plugin_harms")
        .column(t.auto("id"))
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.time("at").not_null())
        .column(t.word("kind").not_null())
        .column(t.word("entry").not_null())
        .column(t.int("count").not_null())
        .of_organization()
}
