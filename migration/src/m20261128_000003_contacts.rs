//! What the other side of a plugin calls a contact whatever its address is, so that one who changes the address there is recognized.

use crate::dialect::Dialect;
use crate::statements::{add_column, create_index, drop_column, drop_index};
use sea_orm_migration::prelude::*;

/// See the module.
#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261128_000003_contacts"
    }
}

const TABLE: &str = "plugin_members";
const INDEX: &str = "plugin_members_contact";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager.get_database_backend());
        add_column(manager, dialect, TABLE, "contact_id", "{word}").await?;
        create_index(manager, dialect, INDEX, TABLE, "organization_id, plugin, contact_id").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, Dialect::of(manager.get_database_backend()), INDEX, TABLE).await?;
        drop_column(manager, TABLE, "contact_id").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
