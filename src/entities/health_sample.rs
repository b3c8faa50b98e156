//! `health_samples`: the performance baseline, by the minute at first, later by hours and days.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "health_samples")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The middle of what it stands for.
    pub at: Time,
    /// Absent for the process itself.
    pub organization_id: Option<i64>,
    /// `transactions.rate`, `memory`, ...
    pub metric: String,
    /// `minute`, `hour` or `day`.
    pub resolution: String,
    /// In the metric's unit.
    pub value: f64,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<super::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
