//! Records that could not be stored, kept with their reason until a good version comes.

use super::decide::Decision;
use super::page::Step;
use super::row::Row;
use super::statement::{quoted, sql};
use super::{Error, Store};
use crate::domain::{Entity, RejectReason, Time};
use sea_orm::ConnectionTrait;
use std::collections::HashSet;

/// One row of `rejects`, as read.
#[derive(Debug, Clone)]
pub struct RejectRow {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The feed.
    pub entity: String,
    /// Classy's id of the record; 0 when it could not be read.
    pub source_id: i64,
    /// The kind of fault.
    pub reason: String,
    /// Field and expectation, without the value.
    pub detail: String,
    /// First met.
    pub first_seen_at: Time,
    /// Last met.
    pub last_seen_at: Time,
    /// A good version came.
    pub resolved_at: Option<Time>,
}

/// Keeps this batch's rejects and closes those whose record is good now.
pub(super) async fn settle<R: Row>(step: &Step<'_>, decision: &Decision<'_, R>) -> Result<(), Error> {
    close_healed(step, decision).await?;
    for reject in &decision.rejects {
        note(step, step.organization_id, R::ENTITY, reject.source_id.unwrap_or(0), reject.reason, &reject.detail).await?;
    }
    Ok(())
}

async fn close_healed<R: Row>(step: &Step<'_>, decision: &Decision<'_, R>) -> Result<(), Error> {
    let failed = |error| Error::query("reading rejects", error);
    let text = "SELECT source_id, reason FROM rejects WHERE organization_id = $1 AND entity = $2 AND resolved_at IS NULL";
    let values = [step.organization_id.into(), R::ENTITY.as_str().into()];
    let open = step.tx.query_all_raw(sql(step.backend, text, values)).await.map_err(failed)?;
    if open.is_empty() {
        return Ok(());
    }
    let written: HashSet<i64> = decision.writes.iter().map(|write| write.row.id()).collect();
    let unchanged: HashSet<i64> = decision.unchanged.iter().copied().collect();
    let again: HashSet<(i64, &str)> =
        decision.rejects.iter().map(|reject| (reject.source_id.unwrap_or(0), reject.reason.as_str())).collect();
    for row in open {
        let id: i64 = row.try_get("", "source_id").map_err(failed)?;
        let reason: String = row.try_get("", "reason").map_err(failed)?;
        // An unchanged row still lacks the link that it was stored without.
        let whole = written.contains(&id) || (unchanged.contains(&id) && reason != RejectReason::ForeignParent.as_str());
        if whole && !again.contains(&(id, reason.as_str())) {
            let text = "UPDATE rejects SET resolved_at = $1 WHERE organization_id = $2 AND entity = $3 AND source_id = $4 AND reason = $5";
            let values = [step.now.into(), step.organization_id.into(), R::ENTITY.as_str().into(), id.into(), reason.into()];
            step.tx.execute_raw(sql(step.backend, text, values)).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Keeps one reject: opens it, or opens it again.
pub(super) async fn note(
    step: &Step<'_>,
    organization_id: i64,
    entity: Entity,
    source_id: i64,
    reason: RejectReason,
    detail: &str,
) -> Result<(), Error> {
    let failed = |error| Error::query("writing a reject", error);
    let text = "UPDATE rejects SET detail = $1, last_seen_at = $2, resolved_at = NULL \
                WHERE organization_id = $3 AND entity = $4 AND source_id = $5 AND reason = $6";
    let key = || [organization_id.into(), entity.as_str().into(), source_id.into(), reason.as_str().into()];
    let values = [detail.into(), step.now.into()].into_iter().chain(key());
    let updated = step.tx.execute_raw(sql(step.backend, text, values)).await.map_err(failed)?;
    if updated.rows_affected() == 0 {
        let text = "INSERT INTO rejects (detail, first_seen_at, last_seen_at, organization_id, entity, source_id, reason) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [detail.into(), step.now.into(), step.now.into()].into_iter().chain(key());
        step.tx.execute_raw(sql(step.backend, text, values)).await.map_err(failed)?;
        tracing::warn!(entity = %entity, source_id, reason = %reason, detail, "a record was rejected");
    }
    Ok(())
}

impl Store {
    /// The rejects of one organization or of all, latest first; without `all` only the open ones.
    ///
    /// # Errors
    /// Database errors.
    pub async fn rejects(&self, classy_id: Option<i64>, all: bool, limit: u64) -> Result<Vec<RejectRow>, Error> {
        let failed = |error| Error::query("reading rejects", error);
        let mut text = String::from(
            "SELECT o.classy_id, r.entity, r.source_id, r.reason, r.detail, r.first_seen_at, r.last_seen_at, r.resolved_at \
             FROM rejects AS r JOIN organizations AS o ON o.id = r.organization_id WHERE ",
        );
        text.push_str(if all { "TRUE" } else { "r.resolved_at IS NULL" });
        if classy_id.is_some() {
            text.push_str(" AND o.classy_id = $1");
        }
        text.push_str(&format!(" ORDER BY r.last_seen_at DESC, r.{} LIMIT {limit}", quoted(self.backend(), "source_id")));
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, classy_id.map(Into::into))).await.map_err(failed)?;
        rows.iter()
            .map(|row| {
                Ok(RejectRow {
                    classy_id: row.try_get("", "classy_id")?,
                    entity: row.try_get("", "entity")?,
                    source_id: row.try_get("", "source_id")?,
                    reason: row.try_get("", "reason")?,
                    detail: row.try_get::<Option<String>>("", "detail")?.unwrap_or_default(),
                    first_seen_at: row.try_get("", "first_seen_at")?,
                    last_seen_at: row.try_get("", "last_seen_at")?,
                    resolved_at: row.try_get("", "resolved_at")?,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
