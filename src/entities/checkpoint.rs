//! `checkpoints`: how far a feed was read, the row that is a [`crate::domain::FeedState`].
//! What begins with `pass_` is of a [`crate::domain::Pass`] in progress, and absent without one;
//! what begins with `short_` and `gap_` is absent when nothing is known to be lacking.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checkpoints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub entity: String,
    /// `full` or `incremental`.
    pub mode: String,
    pub watermark: Option<Time>,
    pub swept_at: Option<Time>,
    pub first_pass_at: Option<Time>,
    /// Of the pass in progress.
    pub page: Option<i64>,
    /// Full passes begun so far.
    pub pass_id: i64,
    pub pass_started_at: Option<Time>,
    pub pass_per_page: Option<i64>,
    pub pass_last_id: Option<i64>,
    pub pass_max_id: Option<i64>,
    pub pass_total: Option<i64>,
    pub pass_met: Option<i64>,
    pub pass_walks: Option<i64>,
    pub pass_total_before: Option<i64>,
    pub pass_met_before: Option<i64>,
    /// A word of [`crate::domain::PassStage`]: absent when no pass is in progress.
    pub pass_stage: Option<String>,
    pub pass_missing: Option<i64>,
    pub pass_stale: Option<i64>,
    pub pass_restored: Option<i64>,
    /// When the last pass was complete, which found the four numbers without a prefix.
    pub reconciled_at: Option<Time>,
    /// With which columns the whole list was last read.
    pub schema_version: Option<i64>,
    pub missing: Option<i64>,
    pub stale: Option<i64>,
    pub restored: Option<i64>,
    pub absent: Option<i64>,
    pub pass_seen_at: Option<Time>,
    pub pass_refused: Option<i64>,
    pub pass_unread: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub pass_note: Option<String>,
    pub pass_schema_version: Option<i64>,
    pub clock_theirs: Option<Time>,
    pub clock_ours: Option<Time>,
    pub short_since: Option<Time>,
    pub short_passes: Option<i64>,
    pub short_unmet: Option<i64>,
    pub short_unread: Option<i64>,
    pub short_undecided: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub short_reason: Option<String>,
    pub gap_since: Option<Time>,
    pub gap_records: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub gap_reason: Option<String>,
    /// The next look for changes.
    pub next_run_at: Option<Time>,
    /// When the rolling window of transactions was last read.
    pub window_at: Option<Time>,
    pub updated_at: Time,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
