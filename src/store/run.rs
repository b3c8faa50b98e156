//! One row a run: what was read, what was written, how it ended.

use super::fenced::TransactionTries;
use super::of_organization::{OfOrganization, with_organization};
use super::{Error, Fence, Slice, Store, TenantStore};
use crate::clock;
use crate::domain::{Mode, RunCounts, Time};
use crate::entities::Entity;
use crate::entities::sync_run;
use crate::net::retry;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::time::Duration;

/// A row of `sync_runs`, as read.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Rises with each run.
    pub id: i64,
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The table of the feed, such as `supporters`.
    pub entity: String,
    /// `full`, `incremental`, `repair`.
    pub mode: String,
    /// Who asked: `cli`, `schedule`, ...
    pub reason: String,
    /// `complete`, `incomplete`, `stopped`, `failed`; `None` while it runs, or when its process
    /// died.
    pub outcome: Option<String>,
    /// When the run began, UTC.
    pub started_at: Time,
    /// When it ended, UTC; absent while it goes on.
    pub finished_at: Option<Time>,
    /// What it counted.
    pub counts: RunCounts,
    /// Earlier runs of its day that brought nothing, too, and were removed.
    pub folded: u64,
    /// Why it failed.
    pub error: Option<String>,
}

impl TenantStore {
    /// Opens the row of a run and returns its id.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when another process took the organization over; database errors.
    pub async fn start_run(
        &self,
        fence: &Fence,
        entity: Entity,
        mode: Mode,
        reason: &str,
    ) -> Result<i64, Error> {
        let row = || sync_run::ActiveModel {
            organization_id: Set(self.organization_id),
            entity: Set(entity.as_str().to_owned()),
            mode: Set(mode.as_str().to_owned()),
            reason: Set(Some(reason.to_owned())),
            started_at: Set(clock::now()),
            ..Default::default()
        };
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            let done = sync_run::Entity::insert(row())
                .exec(&tx)
                .await
                .map_err(|error| Error::query("writing the run", error))?;
            tx.commit().await.map_err(Error::commit)?;
            Ok(done.last_insert_id)
        };
        retry(TransactionTries::of_countable(), once).await
    }

    /// Closes the row of a run. Nothing is written when another process took the organization over.
    pub async fn finish_run(
        &self,
        fence: &Fence,
        run: i64,
        outcome: &str,
        counts: &RunCounts,
        error: Option<&str>,
    ) -> Result<(), Error> {
        let number = |count: u64| Set(i64::try_from(count).unwrap_or(i64::MAX));
        let row = || sync_run::ActiveModel {
            id: Unchanged(run),
            outcome: Set(Some(outcome.to_owned())),
            finished_at: Set(Some(clock::now())),
            error: Set(error.map(str::to_owned)),
            requests: number(counts.requests),
            pages: number(counts.pages),
            bytes: number(counts.bytes),
            seen: number(counts.seen),
            inserted: number(counts.inserted),
            updated: number(counts.updated),
            restored: number(counts.restored),
            upgraded: number(counts.upgraded),
            unchanged: number(counts.unchanged),
            older: number(counts.older),
            rejected: number(counts.rejected),
            absent: number(counts.absent),
            ..Default::default()
        };
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            let change = sync_run::Entity::update_many()
                .set(row())
                .filter(sync_run::Column::Id.eq(run));
            change
                .exec(&tx)
                .await
                .map_err(|error| Error::query("writing the run", error))?;
            tx.commit().await.map_err(Error::commit)
        };
        match retry(TransactionTries::of_repeatable(), once).await {
            Err(Error::FenceLost) => Ok(()),
            done => done,
        }
    }
}

impl Store {
    /// The latest `limit` runs of one organization or of all, latest first.
    pub async fn runs(&self, classy_id: Option<i64>, limit: u64) -> Result<Vec<RunRow>, Error> {
        self.runs_of(classy_id, Slice::first(limit)).await
    }

    /// The same, of a slice of them.
    pub async fn runs_of(
        &self,
        classy_id: Option<i64>,
        slice: Slice,
    ) -> Result<Vec<RunRow>, Error> {
        let mut rows = sync_run::Entity::find();
        if let Some(before) = slice.before {
            rows = rows.filter(sync_run::Column::Id.lt(before));
        }
        let rows = rows
            .order_by_desc(sync_run::Column::Id)
            .limit(slice.limit)
            .offset(slice.skipped);
        let rows = with_organization(rows, classy_id)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading runs", error))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    /// What the last complete runs of a feed took, and their requests, the earliest first; those
    /// that began before a moment.
    pub async fn past_runs(
        &self,
        classy_id: i64,
        entity: Entity,
        mode: Mode,
        before: Time,
    ) -> Result<Vec<(Duration, u64)>, Error> {
        let rows = sync_run::Entity::find()
            .filter(sync_run::Column::Entity.eq(entity.as_str()))
            .filter(sync_run::Column::Mode.eq(mode.as_str()))
            .filter(sync_run::Column::Outcome.eq("complete"))
            .filter(sync_run::Column::StartedAt.lt(before))
            .order_by_desc(sync_run::Column::StartedAt)
            .limit(PAST);
        let rows = with_organization(rows, Some(classy_id))
            .all(self.connection())
            .await;
        let rows = rows.map_err(|error| Error::query("reading runs", error))?;
        let took = |run: &sync_run::Model| {
            Some((
                (run.finished_at? - run.started_at).to_std().ok()?,
                count(run.requests),
            ))
        };
        Ok(rows
            .iter()
            .rev()
            .filter_map(|found| took(&found.row))
            .collect())
    }
}

/// Past runs that are compared with.
const PAST: u64 = 20;

fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

impl From<OfOrganization<sync_run::Model>> for RunRow {
    fn from(found: OfOrganization<sync_run::Model>) -> RunRow {
        let OfOrganization { row, classy_id } = found;
        RunRow {
            id: row.id,
            classy_id: classy_id.unwrap_or_default(),
            entity: row.entity,
            mode: row.mode,
            reason: row.reason.unwrap_or_default(),
            outcome: row.outcome,
            started_at: row.started_at,
            finished_at: row.finished_at,
            counts: RunCounts {
                requests: count(row.requests),
                pages: count(row.pages),
                bytes: count(row.bytes),
                seen: count(row.seen),
                inserted: count(row.inserted),
                updated: count(row.updated),
                restored: count(row.restored),
                upgraded: count(row.upgraded),
                unchanged: count(row.unchanged),
                older: count(row.older),
                rejected: count(row.rejected),
                absent: count(row.absent),
            },
            folded: count(row.folded),
            error: row.error,
        }
    }
}
