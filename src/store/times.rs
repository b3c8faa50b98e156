//! When a feed is due: kept in the database, so that a restart neither skips nor repeats.

use super::checkpoint::{Lacking, LackingColumns};
use super::fenced::TransactionTries;
use super::statement::sql;
use super::{Error, Fence, Store, TenantStore, tuple};
use crate::clock;
use crate::domain::{FeedState, Time};
use crate::entities::Entity;
use crate::net::retry;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

/// When a feed is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedTimes {
    /// The next look for changes; `None` when none was planned yet.
    pub next_run_at: Option<Time>,
    /// When the rolling window of transactions was last read.
    pub window_at: Option<Time>,
}

/// Where a feed stands, as far as its plan depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSummary {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The kind of record that the feed reads.
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
    /// More of a record is stored now than when the whole list was last read.
    pub is_outdated: bool,
    /// Passes in a row that fell short.
    pub short_passes: u32,
    /// What is known to be lacking, in words.
    pub lacks: Option<String>,
}

impl Store {
    /// Every feed of every organization that was ever planned or read.
    pub async fn feed_summaries(&self) -> Result<Vec<FeedSummary>, Error> {
        let failed = |error| Error::query("reading the schedule", error);
        let text = "SELECT o.classy_id, c.entity, c.next_run_at, c.window_at, c.swept_at, c.first_pass_at, c.reconciled_at, c.pass_stage, c.schema_version, \
                    c.short_since, c.short_passes, c.short_unmet, c.short_unread, c.short_undecided, c.short_reason, \
                    c.gap_since, c.gap_records, c.gap_reason \
                    FROM checkpoints AS c JOIN organizations AS o ON o.id = c.organization_id";
        let rows = Row::find_by_statement(sql(self.dialect(), text, []))
            .all(self.connection())
            .await
            .map_err(failed)?;
        rows.into_iter()
            .map(Row::summary)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

/// A checkpoint, with Classy's id of its organization.
#[derive(FromQueryResult)]
struct Row {
    classy_id: i64,
    entity: String,
    next_run_at: Option<Time>,
    window_at: Option<Time>,
    swept_at: Option<Time>,
    first_pass_at: Option<Time>,
    reconciled_at: Option<Time>,
    pass_stage: Option<String>,
    schema_version: Option<i64>,
    #[sea_orm(nested)]
    lacking: LackingColumns,
}

impl Row {
    fn summary(self) -> Result<FeedSummary, DbErr> {
        let entity: Entity = self.entity.parse().map_err(DbErr::Type)?;
        let Lacking { shortfall, gap } = self.lacking.into();
        let state = FeedState {
            shortfall,
            gap,
            first_pass_at: self.first_pass_at,
            schema_version: self.schema_version.unwrap_or(0),
            ..FeedState::default()
        };
        Ok(FeedSummary {
            short_passes: state.short_passes(),
            lacks: state.lacks(),
            classy_id: self.classy_id,
            entity,
            times: FeedTimes {
                next_run_at: self.next_run_at,
                window_at: self.window_at,
            },
            swept_at: self.swept_at,
            first_pass_at: self.first_pass_at,
            is_outdated: state.is_outdated(entity.schema_version()),
            reconciled_at: self.reconciled_at,
            passing: self.pass_stage.is_some(),
        })
    }
}

impl TenantStore {
    /// When a feed is due.
    pub async fn feed_times(&self, entity: Entity) -> Result<FeedTimes, Error> {
        let failed = |error| Error::query("reading the schedule", error);
        let text = "SELECT next_run_at, window_at FROM checkpoints WHERE organization_id = $1 AND entity = $2";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let found: Option<(Option<Time>, Option<Time>)> =
            tuple::one(self.connection(), sql(self.dialect(), text, values))
                .await
                .map_err(failed)?;
        let (next_run_at, window_at) = found.unwrap_or_default();
        Ok(FeedTimes {
            next_run_at,
            window_at,
        })
    }

    /// Plans a feed. Nothing is written when another process took the organization over.
    pub async fn set_feed_times(
        &self,
        fence: &Fence,
        entity: Entity,
        times: FeedTimes,
    ) -> Result<(), Error> {
        let failed = |error| Error::query("writing the schedule", error);
        let update = "UPDATE checkpoints SET next_run_at = $1, window_at = $2 WHERE organization_id = $3 AND entity = $4";
        let insert = "INSERT INTO checkpoints (next_run_at, window_at, organization_id, entity, mode, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let values = || -> [sea_orm::Value; 4] {
            [
                times.next_run_at.into(),
                times.window_at.into(),
                self.organization_id.into(),
                entity.as_str().into(),
            ]
        };
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            // MySQL counts rows that are as they were, too: the driver asks it to.
            if tx
                .execute_raw(sql(self.dialect(), update, values()))
                .await
                .map_err(failed)?
                .rows_affected()
                == 0
            {
                let values = values()
                    .into_iter()
                    .chain(["full".into(), clock::now().into()]);
                tx.execute_raw(sql(self.dialect(), insert, values))
                    .await
                    .map_err(failed)?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        match retry(TransactionTries::of_repeatable(), once).await {
            Err(Error::FenceLost) => Ok(()),
            done => done,
        }
    }
}
