//! `plugin_members`: the mirror. A contact of a place as it was last seen.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    /// The contact: a digest of its address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    /// The contact's own id there, whatever its address.
    pub contact_id: Option<String>,
    /// For whom it is.
    pub supporter_id: Option<i64>,
    /// Its status there.
    pub remote_status: Option<String>,
    /// Tags of ours, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub managed_tags: Option<String>,
    /// What our fields hold, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub field_values: Option<String>,
    /// A trace of its name there.
    pub name_hash: Option<i64>,
    /// We put it there.
    pub subscribed_by_us: bool,
    /// When it last left.
    pub ever_left_at: Option<Time>,
    /// When it last changed, by the other side's time.
    pub last_seen_at: Option<Time>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
