//! When a feed is due: kept in the database, so that a restart neither skips nor repeats.

use super::statement::sql;
use super::{Error, Fence, Store, TenantStore};
use crate::clock;
use crate::domain::{Entity, Time};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

/// When a feed is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedTimes {
    /// The next look for changes; `None` when none was planned yet.
    pub next_run_at: Option<Time>,
    /// When the rolling window of transactions was last read.
    pub window_at: Option<Time>,
}

/// Where a feed stands, as far as its plan depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedSummary {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The feed.
    pub entity: Entity,
    /// When it is due.
    pub times: FeedTimes,
    /// The last complete look for changes.
    pub swept_at: Option<Time>,
    /// The first complete pass.
    pub first_pass_at: Option<Time>,
    /// The last complete pass.
    pub reconciled_at: Option<Time>,
    /// A pass was begun and is not complete.
    pub passing: bool,
}

impl Store {
    /// Every feed of every organization that was ever planned or read.
    ///
    /// # Errors
    /// Database errors.
    pub async fn feed_summaries(&self) -> Result<Vec<FeedSummary>, Error> {
        let failed = |error| Error::query("reading the schedule", error);
        let text = "SELECT o.classy_id, c.entity, c.next_run_at, c.window_at, c.swept_at, c.first_pass_at, c.reconciled_at, c.pass_stage \
                    FROM checkpoints AS c JOIN organizations AS o ON o.id = c.organization_id";
        let rows = self.connection().query_all_raw(sql(self.backend(), text, [])).await.map_err(failed)?;
        let read = |row: &QueryResult| {
            let entity: String = row.try_get("", "entity")?;
            Ok(FeedSummary {
                classy_id: row.try_get("", "classy_id")?,
                entity: entity.parse().map_err(DbErr::Type)?,
                times: FeedTimes { next_run_at: row.try_get("", "next_run_at")?, window_at: row.try_get("", "window_at")? },
                swept_at: row.try_get("", "swept_at")?,
                first_pass_at: row.try_get("", "first_pass_at")?,
                reconciled_at: row.try_get("", "reconciled_at")?,
                passing: row.try_get::<Option<String>>("", "pass_stage")?.is_some(),
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }
}

impl TenantStore {
    /// When a feed is due.
    ///
    /// # Errors
    /// Database errors.
    pub async fn feed_times(&self, entity: Entity) -> Result<FeedTimes, Error> {
        let failed = |error| Error::query("reading the schedule", error);
        let text = "SELECT next_run_at, window_at FROM checkpoints WHERE organization_id = $1 AND entity = $2";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let Some(row) = self.connection().query_one_raw(sql(self.backend(), text, values)).await.map_err(failed)? else {
            return Ok(FeedTimes::default());
        };
        let read = |column: &str| row.try_get("", column).map_err(failed);
        Ok(FeedTimes { next_run_at: read("next_run_at")?, window_at: read("window_at")? })
    }

    /// Plans a feed. Nothing is written when another process took the organization over.
    ///
    /// # Errors
    /// Database errors.
    pub async fn set_feed_times(&self, fence: &Fence, entity: Entity, times: FeedTimes) -> Result<(), Error> {
        let failed = |error| Error::query("writing the schedule", error);
        let condition = |first| format!("EXISTS (SELECT 1 FROM leases AS l WHERE {})", fence.condition(first));
        let text = format!(
            "UPDATE checkpoints SET next_run_at = $1, window_at = $2 WHERE organization_id = $3 AND entity = $4 AND {}",
            condition(5)
        );
        let times = || [times.next_run_at.into(), times.window_at.into()];
        let key = || [self.organization_id.into(), entity.as_str().into()];
        let values = times().into_iter().chain(key()).chain(fence.values(self.organization_id));
        let done = self.connection().execute_raw(sql(self.backend(), &text, values)).await.map_err(failed)?;
        if done.rows_affected() > 0 || self.has_checkpoint(entity).await? {
            return Ok(());
        }
        let text =
            "INSERT INTO checkpoints (next_run_at, window_at, organization_id, entity, mode, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let values = times().into_iter().chain(key()).chain(["full".into(), clock::now().into()]);
        self.connection().execute_raw(sql(self.backend(), text, values)).await.map_err(failed)?;
        Ok(())
    }

    async fn has_checkpoint(&self, entity: Entity) -> Result<bool, Error> {
        let text = "SELECT 1 AS one FROM checkpoints WHERE organization_id = $1 AND entity = $2";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let row = self.connection().query_one_raw(sql(self.backend(), text, values)).await;
        Ok(row.map_err(|error| Error::query("reading the schedule", error))?.is_some())
    }
}
