//! `plugin_guards`: what is known of a place as a whole: whether it was pushed into before,
//! and whether nothing is sent there until a person has looked.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_guards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    /// Absent when it is still to come.
    pub first_push_at: Option<Time>,
    /// Until when a person's word on all of it holds.
    pub first_push_until: Option<Time>,
    /// What the next delivery would do, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub forecast: Option<String>,
    pub suspended_at: Option<Time>,
    #[sea_orm(column_type = "Text", nullable)]
    pub suspended_reason: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
