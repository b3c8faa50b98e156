//! `/api/v1/alerts` and `/api/v1/runs`: what the database remembers. Without the database the open alerts are told from memory.

use super::site::{Refusal, Site};
use super::status::moment;
use crate::store::{AlertRow, RunRow};
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

/// Rows that are told at most.
const MOST: u64 = 1_000;

/// Which rows.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Which {
    /// Classy's id of the organization.
    organization: Option<i64>,
    /// Closed ones, too.
    all: bool,
    limit: u64,
}

impl Default for Which {
    fn default() -> Self {
        Which { organization: None, all: false, limit: 100 }
    }
}

pub(super) async fn alerts(State(site): State<Site>, Query(which): Query<Which>) -> Json<Value> {
    let store = site.shared().store.clone();
    let (organization, all, limit) = (which.organization, which.all, which.limit.min(MOST));
    let asked = site.ask(async move { store.alerts(organization, all, limit).await }).await;
    let rows = asked.unwrap_or_else(|_| {
        let open = site.shared().health().alerts.clone();
        open.into_iter().filter(|alert| organization.is_none() || alert.classy_id == organization).collect()
    });
    Json(rows.iter().map(alert_json).collect())
}

fn alert_json(alert: &AlertRow) -> Value {
    json!({
        "id": alert.id,
        "classy_id": alert.classy_id,
        // What follows the @ names the process, for the table alone.
        "key": alert.key.split('@').next(),
        "severity": alert.severity,
        "message": alert.message,
        "opened_at": moment(Some(alert.opened_at)),
        "last_seen_at": moment(Some(alert.last_seen_at)),
        "acknowledged_at": moment(alert.acknowledged_at),
        "resolved_at": moment(alert.resolved_at),
        "count": alert.count,
        "notices": alert.notices,
    })
}

pub(super) async fn runs(State(site): State<Site>, Query(which): Query<Which>) -> Result<Json<Value>, Refusal> {
    let store = site.shared().store.clone();
    let rows = site.ask(async move { store.runs(which.organization, which.limit.min(MOST)).await }).await?;
    Ok(Json(rows.iter().map(run_json).collect()))
}

fn run_json(run: &RunRow) -> Value {
    let counts = &run.counts;
    json!({
        "id": run.id,
        "classy_id": run.classy_id,
        "entity": run.entity,
        "mode": run.mode,
        "reason": run.reason,
        "outcome": run.outcome,
        "started_at": moment(Some(run.started_at)),
        "finished_at": moment(run.finished_at),
        "requests": counts.requests,
        "seen": counts.seen,
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "rejected": counts.rejected,
        "absent": counts.absent,
        "error": run.error,
    })
}
