//! `rejects`: a record that could not be stored, and why.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rejects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub entity: String,
    /// Classy's id of the record; 0 when it could not be read.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: i64,
    /// A word of [`crate::domain::RejectReason`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub reason: String,
    /// Field and expectation, without the value.
    #[sea_orm(column_type = "Text", nullable)]
    pub detail: Option<String>,
    pub first_seen_at: Time,
    pub last_seen_at: Time,
    /// When a good version came.
    pub resolved_at: Option<Time>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
