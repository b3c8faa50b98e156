//! How far each feed is, what its runs did, and which process serves which organization.

use super::dialect::Dialect;
use super::table::Table;

pub(super) fn tables(t: Dialect) -> Vec<Table> {
    vec![
        checkpoints(t),
        absence_suspects(t),
        sync_runs(t),
        rejects(t),
        leases(t),
        daemons(t),
        chores(t),
    ]
}

fn checkpoints(t: Dialect) -> Table {
    Table::new(t, "checkpoints")
        .column(t.int("organization_id").not_null())
        .column(t.word("entity").not_null())
        .column(t.word("mode").not_null())
        .column(t.time("watermark"))
        .column(t.time("swept_at"))
        .column(t.time("first_pass_at"))
        .column(t.int("page"))
        .column(t.int("pass_id").not_null().default(0))
        .column(t.time("pass_started_at"))
        .column(t.int("pass_per_page"))
        .column(t.int("pass_last_id"))
        .column(t.int("pass_max_id"))
        .column(t.int("pass_total"))
        .column(t.int("pass_met"))
        .column(t.int("pass_walks"))
        .column(t.int("pass_total_before"))
        .column(t.int("pass_met_before"))
        .column(t.word("pass_stage"))
        .column(t.int("pass_missing"))
        .column(t.int("pass_stale"))
        .column(t.int("pass_restored"))
        .column(t.time("reconciled_at"))
        .column(t.int("schema_version"))
        .column(t.int("missing"))
        .column(t.int("stale"))
        .column(t.int("restored"))
        .column(t.int("absent"))
        .column(t.time("pass_seen_at"))
        .column(t.int("pass_refused"))
        .column(t.int("pass_unread"))
        .column(t.text("pass_note"))
        .column(t.int("pass_schema_version"))
        .column(t.time("clock_theirs"))
        .column(t.time("clock_ours"))
        .column(t.time("short_since"))
        .column(t.int("short_passes"))
        .column(t.int("short_unmet"))
        .column(t.int("short_unread"))
        .column(t.int("short_undecided"))
        .column(t.text("short_reason"))
        .column(t.time("gap_since"))
        .column(t.int("gap_records"))
        .column(t.text("gap_reason"))
        .column(t.time("next_run_at"))
        .column(t.time("window_at"))
        .column(t.time("updated_at").not_null())
        .key(&["organization_id", "entity"])
        .of_organization()
}

fn absence_suspects(t: Dialect) -> Table {
    Table::new(t, "absence_suspects")
        .column(t.int("organization_id").not_null())
        .column(t.word("entity").not_null())
        .column(t.int("source_id").not_null())
        .column(t.text("reason"))
        .column(t.time("since"))
        .key(&["organization_id", "entity", "source_id"])
        .of_organization()
}

fn sync_runs(t: Dialect) -> Table {
    Table::new(t, "sync_runs")
        .column(t.auto("id"))
        .column(t.int("organization_id").not_null())
        .column(t.word("entity").not_null())
        .column(t.word("mode").not_null())
        .column(t.text("reason"))
        .column(t.word("outcome"))
        .column(t.time("started_at").not_null())
        .column(t.time("finished_at"))
        .column(t.int("requests").not_null().default(0))
        .column(t.int("pages").not_null().default(0))
        .column(t.int("bytes").not_null().default(0))
        .column(t.int("seen").not_null().default(0))
        .column(t.int("inserted").not_null().default(0))
        .column(t.int("updated").not_null().default(0))
        .column(t.int("restored").not_null().default(0))
        .column(t.int("upgraded").not_null().default(0))
        .column(t.int("unchanged").not_null().default(0))
        .column(t.int("older").not_null().default(0))
        .column(t.int("rejected").not_null().default(0))
        .column(t.int("absent").not_null().default(0))
        .column(t.int("folded").not_null().default(0))
        .column(t.text("error"))
        .of_organization()
        .index("sync_runs_started", &["organization_id", "started_at"])
}

fn rejects(t: Dialect) -> Table {
    Table::new(t, "rejects")
        .column(t.int("organization_id").not_null())
        .column(t.word("entity").not_null())
        .column(t.int("source_id").not_null())
        .column(t.word("reason").not_null())
        .column(t.text("detail"))
        .column(t.time("first_seen_at").not_null())
        .column(t.time("last_seen_at").not_null())
        .column(t.time("resolved_at"))
        .key(&["organization_id", "entity", "source_id", "reason"])
        .of_organization()
}

fn leases(t: Dialect) -> Table {
    Table::new(t, "leases")
        .column(t.int("organization_id").not_null().primary_key())
        .column(t.text("holder").not_null())
        .column(t.int("epoch").not_null())
        .column(t.time("expires_at").not_null())
        .column(t.int("fence_writes").not_null().default(0))
        .of_organization()
}

fn daemons(t: Dialect) -> Table {
    Table::new(t, "daemons")
        .column(t.word("holder").not_null().primary_key())
        .column(t.time("expires_at").not_null())
}

fn chores(t: Dialect) -> Table {
    Table::new(t, "chores")
        .column(t.word("name").not_null().primary_key())
        .column(t.time("next_at").not_null())
}
