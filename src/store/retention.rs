//! What only tells of the past is removed in time, in small pieces, by one process of a database at
//! a time.
//!
//! A sync that changes nothing writes a row for each feed: 4.8 million a day with 10,000
//! organizations. Those of a day that is over are folded into one a feed, which says for how many
//! it stands; the last complete run of a feed always stays, since status and baseline read it.

use super::statement::sql;
use super::{Error, Store, tuple};
use crate::domain::Time;
use crate::entities::{chore, daemon, sync_run};
use chrono::{NaiveDate, TimeDelta};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Value};
use std::time::Duration;

/// Rows that one transaction removes.
const PIECE: u64 = 500;
/// Between two of them, so that others get their turn.
const PAUSE: Duration = Duration::from_millis(10);
/// How often all of a database is looked through.
const EVERY: TimeDelta = TimeDelta::hours(6);
/// The name of this work among the chores.
const PRUNE: &str = "prune";
/// How long a process that died without leaving is remembered.
const GONE: TimeDelta = TimeDelta::days(1);

/// How long each kind is kept; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Complete runs that brought nothing, one by one.
    pub runs_without_changes: Option<TimeDelta>,
    /// How long runs that brought something are kept; absent: for ever.
    pub runs: Option<TimeDelta>,
    /// Resolved alerts.
    pub alerts: Option<TimeDelta>,
    /// Counts of harm, and what a person allowed and is over.
    pub harms: Option<TimeDelta>,
    /// What was there before pushes.
    pub before_images: Option<TimeDelta>,
    /// The audit trail.
    pub audit: Option<TimeDelta>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Runs that were folded into another one.
    pub folded_runs: u64,
    /// Rows of `sync_runs` that were removed.
    pub runs: u64,
    /// Rows of `alerts` that were removed.
    pub alerts: u64,
    /// Counts of harm.
    pub harms: u64,
    /// What a person allowed of single people.
    pub approvals: u64,
    /// What was there before pushes.
    pub before_images: u64,
    /// Lines of the audit trail.
    pub audit: u64,
}

/// Runs of one day, feed and mode.
#[derive(FromQueryResult)]
struct DayOfRuns {
    entity: String,
    mode: String,
    run_day: String,
    /// The last of them, which stays.
    kept: i64,
}

/// That a run brought nothing.
const NOTHING: &str = "outcome = 'complete' AND inserted = 0 AND updated = 0 AND restored = 0 AND older = 0 AND rejected = 0 AND absent_count = 0";

impl Store {
    /// Removes what is due, unless another process did lately or is at it.
    pub async fn prune_if_due(&self, retention: &Retention) -> Result<Option<Pruned>, Error> {
        let now = self.ping().await?;
        if !self.claim_pruning(now).await? {
            return Ok(None);
        }
        self.prune(retention, now).await.map(Some)
    }

    /// Of several that ask at once one is told yes. It need not say when it is done: whatever is
    /// left then is removed the next time.
    async fn claim_pruning(&self, now: Time) -> Result<bool, Error> {
        let failed = |error| Error::query("claiming the pruning", error);
        let next = || chore::ActiveModel {
            next_at: Set(now + EVERY),
            ..Default::default()
        };
        // One further away than it is ever planned was written while the clock was ahead. By more
        // than a little: another process may have written it after our look at the clock.
        let is_due = chore::Column::NextAt
            .lte(now)
            .or(chore::Column::NextAt.gt(now + EVERY * 2));
        let claimed = chore::Entity::update_many()
            .set(next())
            .filter(chore::Column::Name.eq(PRUNE))
            .filter(is_due)
            .exec(self.connection())
            .await
            .map_err(failed)?;
        if claimed.rows_affected > 0 {
            return Ok(true);
        }
        let known = chore::Entity::find_by_id(PRUNE)
            .one(self.connection())
            .await;
        if known.map_err(failed)?.is_some() {
            return Ok(false);
        }
        let row = chore::ActiveModel {
            name: Set(PRUNE.to_owned()),
            ..next()
        };
        match chore::Entity::insert(row)
            .exec_without_returning(self.connection())
            .await
            .map_err(failed)
        {
            Ok(_) => Ok(true),
            // Another process was first.
            Err(Error::Query {
                transient: true, ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes what is due at a moment.
    ///
    /// # Errors
    /// Database errors; what was removed by then stays removed.
    pub async fn prune(&self, retention: &Retention, now: Time) -> Result<Pruned, Error> {
        let mut pruned = Pruned::default();
        for organization in self.organizations().await? {
            let id = organization.row_id();
            if let Some(kept) = retention.runs_without_changes {
                pruned.folded_runs += self.fold_runs(id, start_of_day(now - kept)).await?;
            }
            if let Some(kept) = retention.runs {
                pruned.runs += self.remove_runs(id, now - kept).await?;
            }
        }
        let at = self.dialect().quoted("at");
        if let Some(kept) = retention.alerts {
            pruned.alerts = self
                .remove("alerts", "resolved_at < $1", now - kept)
                .await?;
        }
        if let Some(kept) = retention.harms {
            for organization in self.organizations().await? {
                pruned.approvals += self
                    .remove_approvals(organization.row_id(), now - kept)
                    .await?;
            }
            pruned.harms = self
                .remove("plugin_harms", &format!("{at} < $1"), now - kept)
                .await?;
        }
        if let Some(kept) = retention.before_images {
            pruned.before_images = self
                .remove("plugin_images", "sent_at < $1", now - kept)
                .await?;
            self.remove("plugin_undos", "ended_at < $1", now - kept)
                .await?;
        }
        if let Some(kept) = retention.audit {
            pruned.audit = self
                .remove("audit_log", &format!("{at} < $1"), now - kept)
                .await?;
        }
        let failed = |error| Error::query("forgetting processes", error);
        daemon::Entity::delete_many()
            .filter(daemon::Column::ExpiresAt.lt(now - GONE))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        Ok(pruned)
    }

    /// Folds the runs that brought nothing, before a midnight: of each day, feed and mode the last
    /// one stays, with their number.
    async fn fold_runs(&self, organization: i64, before: Time) -> Result<u64, Error> {
        let failed = |error| Error::query("folding runs", error);
        let dialect = self.dialect();
        let day = dialect.day_of("started_at");
        let nothing = self.nothing();
        let text = format!(
            "SELECT entity, mode, {day} AS run_day, MAX(id) AS kept FROM sync_runs WHERE organization_id = $1 AND started_at < $2 AND {nothing} \
             GROUP BY entity, mode, {day} HAVING COUNT(*) > 1"
        );
        let statement = sql(dialect, &text, [organization.into(), before.into()]);
        let days = DayOfRuns::find_by_statement(statement)
            .all(self.connection())
            .await
            .map_err(failed)?;
        let mut folded = 0;
        for day in days {
            let DayOfRuns {
                entity,
                mode,
                run_day: day,
                kept,
            } = day;
            let Some(from) = day
                .parse::<NaiveDate>()
                .ok()
                .and_then(|day| day.and_hms_opt(0, 0, 0))
                .map(|day| day.and_utc())
            else {
                continue;
            };
            let rest = format!(
                "organization_id = $1 AND entity = $2 AND mode = $3 AND started_at >= $4 AND started_at < $5 AND id <> $6 AND {nothing}"
            );
            let values = || -> [Value; 6] {
                let upto = from + TimeDelta::days(1);
                [
                    organization.into(),
                    entity.as_str().into(),
                    mode.as_str().into(),
                    from.into(),
                    upto.into(),
                    kept.into(),
                ]
            };
            let tx = self.begin_write().await?;
            let text = format!(
                "SELECT {} AS n FROM sync_runs WHERE {rest}",
                dialect.as_bigint("COALESCE(SUM(folded + 1), 0)")
            );
            let more: i64 = tuple::one(&tx, sql(dialect, &text, values()))
                .await
                .map_err(failed)?
                .ok_or(Error::NoOrganization)?;
            let folded_before = Expr::col(sync_run::Column::Folded);
            sync_run::Entity::update_many()
                .col_expr(sync_run::Column::Folded, folded_before.add(more))
                .filter(sync_run::Column::Id.eq(kept))
                .exec(&tx)
                .await
                .map_err(failed)?;
            let text = format!("DELETE FROM sync_runs WHERE {rest}");
            folded += tx
                .execute_raw(sql(dialect, &text, values()))
                .await
                .map_err(failed)?
                .rows_affected();
            tx.commit().await.map_err(Error::commit)?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(folded)
    }

    /// Removes an organization's runs from before a moment, but for the last complete one of each
    /// feed and mode.
    async fn remove_runs(&self, organization: i64, before: Time) -> Result<u64, Error> {
        let failed = |error| Error::query("removing old runs", error);
        let text = format!(
            "SELECT MAX(id) AS kept FROM sync_runs WHERE organization_id = {organization} AND outcome = 'complete' GROUP BY entity, mode"
        );
        let statement = sql(self.dialect(), &text, []);
        let kept: Vec<i64> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        let besides = if kept.is_empty() {
            String::new()
        } else {
            format!(" AND id NOT IN ({})", list(&kept))
        };
        self.remove(
            "sync_runs",
            &format!("organization_id = {organization} AND started_at < $1{besides}"),
            before,
        )
        .await
    }

    /// Removes what a person allowed of an organization's people and was over before a moment, done
    /// or not; that it was allowed stays in the audit trail.
    async fn remove_approvals(&self, organization: i64, before: Time) -> Result<u64, Error> {
        let failed = |error| Error::query("removing old approvals", error);
        let mut removed = 0;
        loop {
            let over = "FROM plugin_grants WHERE organization_id = $1 AND expires_at < $2";
            let text = format!("SELECT DISTINCT supporter_id {over} LIMIT {PIECE}");
            let values = || [organization.into(), before.into()];
            let statement = sql(self.dialect(), &text, values());
            let ids: Vec<i64> = tuple::all(self.connection(), statement)
                .await
                .map_err(failed)?;
            if ids.is_empty() {
                return Ok(removed);
            }
            let text = format!("DELETE {over} AND supporter_id IN ({})", list(&ids));
            removed += self
                .connection()
                .execute_raw(sql(self.dialect(), &text, values()))
                .await
                .map_err(failed)?
                .rows_affected();
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Removes rows that were there before a moment, in pieces.
    async fn remove(&self, table: &str, condition: &str, before: Time) -> Result<u64, Error> {
        let failed = |error| Error::query("removing what is old", error);
        let mut removed = 0;
        loop {
            let text = format!("SELECT id FROM {table} WHERE {condition} LIMIT {PIECE}");
            let statement = sql(self.dialect(), &text, [before.into()]);
            let ids: Vec<i64> = tuple::all(self.connection(), statement)
                .await
                .map_err(failed)?;
            if ids.is_empty() {
                return Ok(removed);
            }
            let text = format!("DELETE FROM {table} WHERE id IN ({})", list(&ids));
            removed += self
                .connection()
                .execute_raw(sql(self.dialect(), &text, []))
                .await
                .map_err(failed)?
                .rows_affected();
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn nothing(&self) -> String {
        NOTHING.replace("absent_count", &self.dialect().quoted("absent"))
    }
}

fn list(ids: &[i64]) -> String {
    ids.iter()
        .map(i64::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn start_of_day(at: Time) -> Time {
    at.date_naive()
        .and_hms_opt(0, 0, 0)
        .map_or(at, |day| day.and_utc())
}
