//! `chores`: what one process does now and then for all.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chores")]
pub struct Model {
    /// `prune`
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// When it is due again.
    pub next_at: Time,
}

impl ActiveModelBehavior for ActiveModel {}
