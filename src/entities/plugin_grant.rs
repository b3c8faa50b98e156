//! `plugin_grants`: one change to one person that somebody allowed, once and for a while.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub supporter_id: i64,
    /// A word of [`crate::domain::Harm`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// What exactly.
    pub mark: i64,
    /// In which plan.
    pub plan_id: String,
    pub granted_at: Time,
    pub expires_at: Time,
    /// When it was used up.
    pub used_at: Option<Time>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
