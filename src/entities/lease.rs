//! `leases`: which process serves which organization.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    /// One life of a process; blank when it was given back.
    #[sea_orm(column_type = "Text")]
    pub holder: String,
    /// The fencing number: rises each time the lease changes hands.
    pub epoch: i64,
    /// By the database's own clock.
    pub expires_at: Time,
    /// Transactions of its holders, each of which begins by writing this row.
    pub fence_writes: i64,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
