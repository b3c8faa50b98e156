//! `alerts`: what is wrong or was, one open row for each cause, and who knows.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    /// For `alerts ack`.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Absent for what concerns the process or the database.
    pub organization_id: Option<i64>,
    /// The cause: `freshness:supporters`, `database`, ...
    pub key: String,
    /// `degraded` or `failing`: the worst that it was.
    pub severity: String,
    /// One sentence; no secret, nothing of a donor.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    pub opened_at: Time,
    pub last_seen_at: Time,
    /// When a person said that they know.
    pub acknowledged_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// Looks that saw it.
    pub count: i64,
    /// How often it was told.
    pub notices: i64,
    /// When it was last told.
    pub notified_at: Option<Time>,
    /// How: `webhook`, or `log` where no webhook is configured.
    pub notified_by: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<super::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
