//! The table of one more kind of record: what each has, and what it adds.

use crate::dialect::Dialect;
use sea_orm_migration::prelude::*;

/// The table of one kind of record.
pub(crate) struct RecordTable {
    /// Its name.
    pub(crate) name: &'static str,
    /// The columns that come from the source, but for its id and its two times.
    pub(crate) columns: fn(Dialect) -> Vec<ColumnDef>,
    /// Columns that hold the id of a row of another table, of the same organization.
    pub(crate) links: &'static [(&'static str, &'static str)],
}

impl RecordTable {
    /// Makes it. A row may be a stub: an id that another record names and that has not come yet.
    pub(crate) async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let t = Dialect::of(manager.get_database_backend());
        let mut table = Table::create().table(self.name).if_not_exists().to_owned();
        if t == Dialect::MySql {
            // A server's character set is whatever somebody once chose.
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate("utf8mb4_bin");
        }
        table
            .col(t.int("id").not_null())
            .col(t.int("organization_id").not_null());
        for column in (self.columns)(t) {
            table.col(column);
        }
        table
            .col(t.time("source_created_at"))
            .col(t.time("source_updated_at"))
            .col(t.time("absent_since"))
            .col(t.flag("is_stub").not_null().default(false))
            .col(t.int("fingerprint"))
            .col(t.int("schema_version").not_null().default(0))
            .col(t.time("last_sync_at").not_null())
            .primary_key(Index::create().col("id").col("organization_id"))
            .foreign_key(
                ForeignKey::create()
                    .from(self.name, "organization_id")
                    .to("organizations", "id"),
            );
        for (column, parent) in self.links {
            table.foreign_key(
                ForeignKey::create()
                    .from(self.name, (*column, "organization_id"))
                    .to(*parent, ("id", "organization_id")),
            );
        }
        manager.create_table(table).await?;
        for (column, _) in self.links {
            create_index(
                manager,
                self.name,
                &format!("{}_{}", self.name, column.trim_end_matches("_id")),
                &[column, "organization_id"],
            )
            .await?;
        }
        create_index(
            manager,
            self.name,
            &format!("{}_updated", self.name),
            &["organization_id", "source_updated_at"],
        )
        .await
    }

    /// Takes it away again.
    pub(crate) async fn drop(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(self.name).if_exists().to_owned())
            .await
    }

    /// A stub for each id that rows of another table name already.
    pub(crate) async fn create_stubs(
        &self,
        manager: &SchemaManager<'_>,
        child: &str,
        column: &str,
    ) -> Result<(), DbErr> {
        let (yes, now) = match Dialect::of(manager.get_database_backend()) {
            Dialect::Sqlite => ("1", "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')"),
            Dialect::Postgres => ("TRUE", "CURRENT_TIMESTAMP"),
            Dialect::MySql => ("1", "UTC_TIMESTAMP(6)"),
        };
        let parent = self.name;
        let text = format!(
            "INSERT INTO {parent} (id, organization_id, is_stub, last_sync_at) \
             SELECT DISTINCT c.{column}, c.organization_id, {yes}, {now} FROM {child} AS c WHERE c.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE p.id = c.{column} AND p.organization_id = c.organization_id)"
        );
        manager
            .get_connection()
            .execute_unprepared(&text)
            .await
            .map(drop)
    }
}

/// Makes an index that is not there yet: MySQL has no words for "unless it is there".
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}
