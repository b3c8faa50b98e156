//! `plugin_harms`: how many people something was done to at a moment. Rows are only ever
//! added: what was not done after all is a row below zero.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_harms")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub organization_id: i64,
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    pub destination: String,
    pub at: Time,
    /// A word of [`crate::domain::Harm`].
    pub kind: String,
    /// `done`, or `used` for what a person had allowed.
    pub entry: String,
    /// People.
    pub count: i64,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
