//! `plugin_undos`: an order to take pushes back; at most one of a place is open.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_undos")]
pub struct Model {
    /// Rises with each order.
    #[sea_orm(primary_key)]
    pub id: i64,
    pub organization_id: i64,
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    pub destination: String,
    /// Pushes from then on.
    pub since: Time,
    /// The last image that it is about.
    pub last_image: i64,
    /// Whom it is about, as JSON; absent for everybody.
    #[sea_orm(column_type = "Text", nullable)]
    pub supporters: Option<String>,
    pub asked_at: Time,
    /// Absent while it is open.
    pub ended_at: Option<Time>,
    /// How it ended.
    pub ending: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
