//! `plugin_images`: what a push changed of one contact, so that it can be taken back.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_images")]
pub struct Model {
    /// Rises with each image.
    #[sea_orm(primary_key)]
    pub id: i64,
    pub organization_id: i64,
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    pub destination: String,
    pub supporter_id: i64,
    /// The contact: a digest of its address.
    pub remote_id: String,
    /// The contact's own id there.
    pub contact_id: Option<String>,
    pub sent_at: Time,
    /// Fields as they were, as JSON.
    #[sea_orm(column_type = "Text")]
    pub before_values: String,
    /// Fields as they were sent, as JSON.
    #[sea_orm(column_type = "Text")]
    pub after_values: String,
    /// Tags that were put on, as JSON.
    #[sea_orm(column_type = "Text")]
    pub put_on: String,
    /// Tags that were taken off, as JSON.
    #[sea_orm(column_type = "Text")]
    pub taken_off: String,
    /// What exactly was pushed.
    pub mark: i64,
    /// The last order that came to it.
    pub undo_id: Option<i64>,
    /// What became of that: a word of [`crate::domain::Outcome`].
    pub outcome: Option<String>,
    /// More of it, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub detail: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
