//! `plugin_suppressions`: who left, and may not be put into any place of a plugin again.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_suppressions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The address by which they left, as the other side calls it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    /// Who had it then; 0 for the address itself, whoever has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub supporter_id: i64,
    /// The place that they left.
    pub destination: String,
    /// A word of [`crate::domain::Way`].
    pub way: String,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    pub since: Time,
    /// When the other side showed them there again.
    pub lifted_at: Option<Time>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
