//! `plugin_states`: how far a plugin has read the change feed, and what it wants to remember.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_states")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience. One a plugin: what it remembered of
    /// another is forgotten.
    pub destination: Option<String>,
    /// The last number of the change feed whose person was handled.
    pub cursor: i64,
    /// The plugin's own, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub state: Option<String>,
    pub updated_at: Time,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
