//! One row a run: what was read, what was written, how it ended.

use super::statement::sql;
use super::{Error, Fence, Store, TenantStore};
use crate::clock;
use crate::domain::{Entity, Mode, RunCounts, Time};
use sea_orm::{ConnectionTrait, QueryResult};
use std::time::Duration;

/// A row of `sync_runs`, as read.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Rises with each run.
    pub id: i64,
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The feed.
    pub entity: String,
    /// `full`, `incremental`, `repair`.
    pub mode: String,
    /// Who asked: `cli`, `schedule`, ...
    pub reason: String,
    /// `complete`, `stopped`, `failed`; `None` while it runs, or when its process died.
    pub outcome: Option<String>,
    /// Begin.
    pub started_at: Time,
    /// End.
    pub finished_at: Option<Time>,
    /// What it counted.
    pub counts: RunCounts,
    /// Why it failed.
    pub error: Option<String>,
}

const COUNTS: [&str; 10] = ["requests", "pages", "bytes", "seen", "inserted", "updated", "unchanged", "older", "rejected", "absent"];

const fn counts_in_order(counts: &RunCounts) -> [u64; 10] {
    let RunCounts { requests, pages, bytes, seen, inserted, updated, unchanged, older, rejected, absent } = *counts;
    [requests, pages, bytes, seen, inserted, updated, unchanged, older, rejected, absent]
}

impl TenantStore {
    /// Opens the row of a run and returns its id.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when another process took the organization over; database errors.
    pub async fn start_run(&self, fence: &Fence, entity: Entity, mode: Mode, reason: &str) -> Result<i64, Error> {
        let failed = |error| Error::query("writing the run", error);
        let text = format!(
            "INSERT INTO sync_runs (organization_id, entity, mode, reason, started_at) SELECT {}, {}, {}, {}, {} FROM leases AS l WHERE {}",
            "l.organization_id",
            typed(self.backend(), "$1", "TEXT"),
            typed(self.backend(), "$2", "TEXT"),
            typed(self.backend(), "$3", "TEXT"),
            typed(self.backend(), "$4", "TIMESTAMPTZ"),
            fence.condition(5),
        );
        let values = [entity.as_str().into(), mode.as_str().into(), reason.into(), clock::now().into()];
        let values = values.into_iter().chain(fence.values(self.organization_id));
        if self.backend() == sea_orm::DbBackend::Postgres {
            let row =
                self.connection().query_one_raw(sql(self.backend(), &format!("{text} RETURNING id"), values)).await.map_err(failed)?;
            return row.ok_or(Error::FenceLost)?.try_get("", "id").map_err(failed);
        }
        let done = self.connection().execute_raw(sql(self.backend(), &text, values)).await.map_err(failed)?;
        if done.rows_affected() == 0 {
            return Err(Error::FenceLost);
        }
        Ok(i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX))
    }

    /// Closes the row of a run. Nothing is written when another process took the organization over.
    ///
    /// # Errors
    /// Database errors.
    pub async fn finish_run(&self, fence: &Fence, run: i64, outcome: &str, counts: &RunCounts, error: Option<&str>) -> Result<(), Error> {
        let set = COUNTS.iter().enumerate().map(|(index, name)| format!("{name} = ${}", index + 4)).collect::<Vec<_>>().join(", ");
        let text = format!(
            "UPDATE sync_runs SET outcome = $1, finished_at = $2, error = $3, {set} WHERE id = $14 AND EXISTS (SELECT 1 FROM leases AS l WHERE {})",
            fence.condition(15)
        );
        let values = [outcome.into(), clock::now().into(), error.into()]
            .into_iter()
            .chain(counts_in_order(counts).map(|count| (count as i64).into()))
            .chain([run.into()])
            .chain(fence.values(self.organization_id));
        self.connection().execute_raw(sql(self.backend(), &text, values)).await.map_err(|error| Error::query("writing the run", error))?;
        Ok(())
    }
}

/// A parameter in a SELECT list, whose type PostgreSQL cannot guess.
fn typed(backend: sea_orm::DbBackend, parameter: &str, kind: &str) -> String {
    if backend == sea_orm::DbBackend::Postgres { format!("CAST({parameter} AS {kind})") } else { parameter.to_owned() }
}

impl Store {
    /// The latest `limit` runs of one organization or of all, latest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn runs(&self, classy_id: Option<i64>, limit: u64) -> Result<Vec<RunRow>, Error> {
        let failed = |error| Error::query("reading runs", error);
        let only = if classy_id.is_some() { "WHERE o.classy_id = $1" } else { "" };
        let text = format!(
            "SELECT r.*, o.classy_id FROM sync_runs AS r JOIN organizations AS o ON o.id = r.organization_id {only} ORDER BY r.id DESC LIMIT {limit}"
        );
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, classy_id.map(Into::into))).await.map_err(failed)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }
}

impl Store {
    /// What the last complete runs of a feed took, and their requests, the earliest first; those that began before a moment.
    ///
    /// # Errors
    /// Database errors.
    pub async fn past_runs(&self, classy_id: i64, entity: Entity, mode: Mode, before: Time) -> Result<Vec<(Duration, u64)>, Error> {
        let failed = |error| Error::query("reading runs", error);
        let text = format!(
            "SELECT r.started_at, r.finished_at, r.requests FROM sync_runs AS r JOIN organizations AS o ON o.id = r.organization_id \
             WHERE o.classy_id = $1 AND r.entity = $2 AND r.mode = $3 AND r.outcome = 'complete' AND r.started_at < $4 \
             ORDER BY r.started_at DESC LIMIT {PAST}"
        );
        let values = [classy_id.into(), entity.as_str().into(), mode.as_str().into(), before.into()];
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, values)).await.map_err(failed)?;
        let read = |row: &QueryResult| -> Result<Option<(Duration, u64)>, sea_orm::DbErr> {
            let (from, upto): (Time, Option<Time>) = (row.try_get("", "started_at")?, row.try_get("", "finished_at")?);
            let requests = u64::try_from(row.try_get::<i64>("", "requests")?).unwrap_or(0);
            Ok(upto.and_then(|upto| (upto - from).to_std().ok()).map(|took| (took, requests)))
        };
        let past: Result<Vec<_>, _> = rows.iter().rev().map(read).collect();
        Ok(past.map_err(failed)?.into_iter().flatten().collect())
    }
}

/// Past runs that are compared with.
const PAST: u64 = 20;

fn read(row: &QueryResult) -> Result<RunRow, sea_orm::DbErr> {
    let count = |name: &str| -> Result<u64, sea_orm::DbErr> { Ok(row.try_get::<Option<i64>>("", name)?.unwrap_or(0).max(0) as u64) };
    Ok(RunRow {
        id: row.try_get("", "id")?,
        classy_id: row.try_get("", "classy_id")?,
        entity: row.try_get("", "entity")?,
        mode: row.try_get("", "mode")?,
        reason: row.try_get::<Option<String>>("", "reason")?.unwrap_or_default(),
        outcome: row.try_get("", "outcome")?,
        started_at: row.try_get("", "started_at")?,
        finished_at: row.try_get("", "finished_at")?,
        counts: RunCounts {
            requests: count("requests")?,
            pages: count("pages")?,
            bytes: count("bytes")?,
            seen: count("seen")?,
            inserted: count("inserted")?,
            updated: count("updated")?,
            unchanged: count("unchanged")?,
            older: count("older")?,
            rejected: count("rejected")?,
            absent: count("absent")?,
        },
        error: row.try_get("", "error")?,
    })
}
