//! `daemons`: processes that serve organizations.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "daemons")]
pub struct Model {
    /// One life of a process.
    #[sea_orm(primary_key, auto_increment = false)]
    pub holder: String,
    /// Until when it is taken for alive, unless it says so again.
    pub expires_at: Time,
}

impl ActiveModelBehavior for ActiveModel {}
