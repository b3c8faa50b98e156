//! `zone_clocks`: what the clocks of a time zone show, from one change to the next, for the views.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "zone_clocks")]
pub struct Model {
    /// IANA name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub time_zone: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_at: Time,
    /// Seconds before UTC.
    pub offset_s: i64,
}

impl ActiveModelBehavior for ActiveModel {}
