//! `sync_runs`: what was read and written by one run of one feed, and how it ended.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_runs")]
pub struct Model {
    /// Rises with each run.
    #[sea_orm(primary_key)]
    pub id: i64,
    pub organization_id: i64,
    pub entity: String,
    /// `full`, `incremental` or `repair`.
    pub mode: String,
    /// Who asked: `cli`, `schedule`, ...
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// `complete`, `incomplete`, `stopped` or `failed`; absent while it runs, and for good when its
    /// process died.
    pub outcome: Option<String>,
    pub started_at: Time,
    pub finished_at: Option<Time>,
    pub requests: i64,
    pub pages: i64,
    pub bytes: i64,
    pub seen: i64,
    pub inserted: i64,
    pub updated: i64,
    pub restored: i64,
    pub upgraded: i64,
    pub unchanged: i64,
    pub older: i64,
    pub rejected: i64,
    pub absent: i64,
    /// Earlier runs of its day that brought nothing, too, and were removed.
    pub folded: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
