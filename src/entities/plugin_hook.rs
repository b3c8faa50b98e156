//! `plugin_hooks`: the webhook of a place, when it was last heard, and what it did not tell.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_hooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    /// The other side's id; blank of one that a person made there.
    pub remote_id: String,
    /// Where it tells; blank of one that a person made there.
    #[sea_orm(column_type = "Text")]
    pub url: String,
    pub heard_at: Option<Time>,
    /// Looks in a row that found what it should have told.
    pub missed: i64,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
