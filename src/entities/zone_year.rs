//! `zone_years`: what the clocks of a time zone show, year by year, for views that count by months
//! and fiscal years: of `zone_clocks` a database looks through a whole zone for each gift.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "zone_years")]
pub struct Model {
    /// IANA name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub time_zone: String,
    /// Of UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_at: Time,
    /// From then on not any more.
    pub until_at: Time,
    /// Seconds before UTC.
    pub offset_s: i64,
}

impl ActiveModelBehavior for ActiveModel {}
