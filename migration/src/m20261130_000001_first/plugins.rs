//! What plugins sent where, and what they know of the other side.

use super::dialect::Dialect;
use super::table::Table;

pub(super) fn tables(t: Dialect) -> Vec<Table> {
    vec![
        plugin_states(t),
        plugin_deliveries(t),
        plugin_members(t),
        plugin_suppressions(t),
        plugin_adoptions(t),
        plugin_hooks(t),
        plugin_images(t),
        plugin_undos(t),
    ]
}

fn plugin_states(t: Dialect) -> Table {
    Table::new(t, "plugin_states")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination"))
        .column(t.int("cursor").not_null().default(0))
        .column(t.text("state"))
        .column(t.time("updated_at").not_null())
        .key(&["organization_id", "plugin"])
        .of_organization()
}

fn plugin_deliveries(t: Dialect) -> Table {
    Table::new(t, "plugin_deliveries")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.int("supporter_id").not_null())
        .column(t.address("address"))
        .column(t.int("fingerprint"))
        .column(t.word("state").not_null())
        .column(t.word("intent"))
        .column(t.text("reason"))
        .column(t.int("attempts").not_null().default(0))
        .column(t.time("next_attempt_at"))
        .column(t.time("review_at"))
        .column(t.int("undone_mark"))
        .column(t.time("delivered_at"))
        .column(t.time("updated_at").not_null())
        .key(&["organization_id", "plugin", "destination", "supporter_id"])
        .of_organization()
        .index(
            "plugin_deliveries_due",
            &["organization_id", "plugin", "next_attempt_at"],
        )
        .index(
            "plugin_deliveries_review",
            &["organization_id", "plugin", "review_at"],
        )
        .index(
            "plugin_deliveries_state",
            &["organization_id", "plugin", "state"],
        )
        .index(
            "plugin_deliveries_address",
            &["organization_id", "plugin", "address"],
        )
}

fn plugin_members(t: Dialect) -> Table {
    Table::new(t, "plugin_members")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.word("remote_id").not_null())
        .column(t.word("contact_id"))
        .column(t.int("supporter_id"))
        .column(t.word("remote_status"))
        .column(t.text("managed_tags"))
        .column(t.text("field_values"))
        .column(t.int("name_hash"))
        .column(t.flag("subscribed_by_us").not_null().default(false))
        .column(t.time("ever_left_at"))
        .column(t.time("last_seen_at"))
        .key(&["organization_id", "plugin", "destination", "remote_id"])
        .of_organization()
        .index(
            "plugin_members_supporter",
            &["organization_id", "plugin", "supporter_id"],
        )
        .index(
            "plugin_members_contact",
            &["organization_id", "plugin", "contact_id"],
        )
        .index(
            "plugin_members_seen",
            &[
                "organization_id",
                "plugin",
                "destination",
                "remote_status",
                "last_seen_at",
            ],
        )
}

fn plugin_suppressions(t: Dialect) -> Table {
    Table::new(t, "plugin_suppressions")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("remote_id").not_null())
        .column(t.int("supporter_id").not_null())
        .column(t.word("destination").not_null())
        .column(t.word("way").not_null())
        .column(t.text("reason").not_null())
        .column(t.time("since").not_null())
        .column(t.time("lifted_at"))
        .key(&["organization_id", "plugin", "remote_id", "supporter_id"])
        .of_organization()
        .index(
            "plugin_suppressions_supporter",
            &["organization_id", "plugin", "supporter_id"],
        )
}

fn plugin_adoptions(t: Dialect) -> Table {
    Table::new(t, "plugin_adoptions")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.word("remote_id").not_null())
        .key(&["organization_id", "plugin", "destination", "remote_id"])
        .of_organization()
}

fn plugin_hooks(t: Dialect) -> Table {
    Table::new(t, "plugin_hooks")
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.word("remote_id").not_null())
        .column(t.text("url").not_null())
        .column(t.time("heard_at"))
        .column(t.int("missed").not_null())
        .key(&["organization_id", "plugin", "destination"])
        .of_organization()
}

fn plugin_images(t: Dialect) -> Table {
    Table::new(t, "plugin_images")
        .column(t.auto("id"))
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.int("supporter_id").not_null())
        .column(t.word("remote_id").not_null())
        .column(t.word("contact_id"))
        .column(t.time("sent_at").not_null())
        .column(t.text("before_values").not_null())
        .column(t.text("after_values").not_null())
        .column(t.text("put_on").not_null())
        .column(t.text("taken_off").not_null())
        .column(t.int("mark").not_null())
        .column(t.int("undo_id"))
        .column(t.word("outcome"))
        .column(t.text("detail"))
        .of_organization()
        .index(
            "plugin_images_people",
            &["organization_id", "plugin", "destination", "supporter_id"],
        )
        .index("plugin_images_sent", &["sent_at"])
}

fn plugin_undos(t: Dialect) -> Table {
    Table::new(t, "plugin_undos")
        .column(t.auto("id"))
        .column(t.int("organization_id").not_null())
        .column(t.word("plugin").not_null())
        .column(t.word("destination").not_null())
        .column(t.time("since").not_null())
        .column(t.int("last_image").not_null())
        .column(t.text("supporters"))
        .column(t.time("asked_at").not_null())
        .column(t.time("ended_at"))
        .column(t.word("ending"))
        .of_organization()
        .index(
            "plugin_undos_open",
            &["organization_id", "plugin", "destination", "ended_at"],
        )
}
