//! What plugins and alerts need besides their tables: supporters by address, what was sent where, the names in the mirror, the count of
//! harm, and how often somebody was told of an alert.

use crate::dialect::Dialect;
use crate::statements::{add_column, create_index, drop_column, drop_index, run};
use sea_orm_migration::prelude::*;

/// See the module.
#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000002_plugins_alerts"
    }
}

/// Table, column, type.
const COLUMNS: [(&str, &str, &str); 6] = [
    ("plugin_deliveries", "address", "{word}"),
    ("plugin_deliveries", "intent", "{word}"),
    ("plugin_members", "name_hash", "{int}"),
    ("plugin_states", "destination", "{word}"),
    ("alerts", "notices", "{int} NOT NULL DEFAULT 0"),
    ("alerts", "notified_at", "{time}"),
];

/// Name, table, columns.
const INDEXES: [(&str, &str, &str); 2] = [
    ("plugin_deliveries_state", "plugin_deliveries", "organization_id, plugin, state"),
    ("plugin_deliveries_address", "plugin_deliveries", "organization_id, plugin, address"),
];

const HARMS: &str = "CREATE TABLE IF NOT EXISTS plugin_harms (
    id {auto}, organization_id {int} NOT NULL, plugin {word} NOT NULL, destination {word} NOT NULL, [at] {time} NOT NULL,
    kind {word} NOT NULL, entry {word} NOT NULL, [count] {int} NOT NULL, FOREIGN KEY (organization_id) REFERENCES organizations (id))";

/// People are looked up by their address in one spelling; MySQL has no index over an expression on every version.
const ADDRESS: &str = "LOWER(TRIM(email_address))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        for (table, column, kind) in COLUMNS {
            add_column(manager, dialect, table, column, kind).await?;
        }
        run(manager, &dialect.render(HARMS)).await?;
        for (name, table, columns) in INDEXES {
            create_index(manager, dialect, name, table, columns).await?;
        }
        if dialect == Dialect::MySql {
            let kind = format!("VARCHAR(190) AS (LEFT({ADDRESS}, 190)) VIRTUAL");
            add_column(manager, dialect, "supporters", "email_key", &kind).await?;
            return create_index(manager, dialect, "supporters_address", "supporters", "organization_id, email_key").await;
        }
        create_index(manager, dialect, "supporters_address", "supporters", &format!("organization_id, {ADDRESS}")).await?;
        run(manager, "DROP INDEX IF EXISTS supporters_email").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        run(manager, "DROP TABLE IF EXISTS plugin_harms").await?;
        let indexes = INDEXES.map(|(name, table, _)| (name, table)).into_iter().chain([("supporters_address", "supporters")]);
        for (name, table) in indexes {
            drop_index(manager, dialect, name, table).await?;
        }
        let key = ("supporters", "email_key", "");
        for (table, column, _) in COLUMNS.into_iter().chain((dialect == Dialect::MySql).then_some(key)) {
            drop_column(manager, table, column).await?;
        }
        if dialect == Dialect::MySql {
            return Ok(());
        }
        run(manager, "CREATE INDEX IF NOT EXISTS supporters_email ON supporters (organization_id, email_address)").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
