//! `unread_fields`: a key that records have at Classy and that nobody reads here, so that news
//! there is noticed.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unread_fields")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub entity: String,
    /// The key at Classy.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// When a record of any organization had it first.
    pub first_seen_at: Time,
}

impl ActiveModelBehavior for ActiveModel {}
