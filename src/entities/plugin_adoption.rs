//! `plugin_adoptions`: a contact that a person said is ours, until a delivery takes it over.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_adoptions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    /// The contact: a digest of its address; blank for the word that nobody is ours.
    #[sea_orm(primary_key, auto_increment = false)]
    pub remote_id: String,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
