//! `/api/v1/alerts` and `/api/v1/runs`: what the database remembers, by pages. Without the database
//! the open alerts are told from memory.

use super::cache::Made;
use super::fleet::moment;
use super::site::{Refusal, Site};
use crate::domain::FaultKind;
use crate::store::{AlertRow, RunRow, Slice};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// Rows of a page at most.
const MOST: u64 = 500;
/// Rows of a page, when nothing else is said.
const USUAL: u64 = 100;

/// Which rows.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Which {
    /// Classy's id of the organization.
    organization: Option<i64>,
    /// Closed ones, too.
    all: bool,
    /// The first page is 1.
    page: Option<u64>,
    /// Of runs only those with a smaller id: nothing is told twice, whatever is added meanwhile.
    before: Option<i64>,
    limit: Option<u64>,
}

impl Which {
    fn slice(&self) -> Slice {
        let limit = self.limit.unwrap_or(USUAL).clamp(1, MOST);
        let skipped = self
            .page
            .unwrap_or(1)
            .max(1)
            .saturating_sub(1)
            .saturating_mul(limit);
        // What a database takes for a number.
        Slice {
            before: self.before,
            skipped: skipped.min(i64::MAX.unsigned_abs()),
            limit,
        }
    }

    /// A page of rows, and where the list goes on when the page is full.
    fn page(&self, path: &str, rows: Vec<Value>) -> Response {
        let limit = self.slice().limit;
        let is_full = rows.len() as u64 == limit;
        let next = self.page.unwrap_or(1).max(1).saturating_add(1);
        let mut query = format!("page={next}&limit={limit}");
        for (name, value) in [("organization", self.organization), ("before", self.before)] {
            // Writing into a text cannot fail.
            let _ = value.map(|value| write!(query, "&{name}={value}"));
        }
        if self.all {
            query.push_str("&all=true");
        }
        let link = is_full.then(|| format!("<{path}?{query}>; rel=\"next\""));
        Made {
            link,
            ..Made::json(Value::from(rows).to_string())
        }
        .into_response()
    }
}

pub(super) async fn alerts(
    State(site): State<Site>,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    if which.before.is_some() {
        // Open ones come first, whatever their ids.
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            FaultKind::Configuration,
            "alerts go by page, not by before",
        ));
    }
    let store = site.sources().store.clone();
    let (organization, all, slice) = (which.organization, which.all, which.slice());
    let asked = site
        .ask(async move { store.alerts_of(organization, all, slice).await })
        .await;
    let rows = asked.unwrap_or_else(|_| {
        let open = site.sources().health().alerts.clone();
        let is_meant = |alert: &AlertRow| organization.is_none() || alert.classy_id == organization;
        let [skipped, limit] = [slice.skipped, slice.limit]
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        open.into_iter()
            .filter(is_meant)
            .skip(skipped)
            .take(limit)
            .collect()
    });
    Ok(which.page("/api/v1/alerts", rows.iter().map(alert_json).collect()))
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
        "told_at": moment(alert.notified_at),
        "told_by": alert.notified_by,
    })
}

pub(super) async fn runs(
    State(site): State<Site>,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    let store = site.sources().store.clone();
    let (organization, slice) = (which.organization, which.slice());
    let rows = site
        .ask(async move { store.runs_of(organization, slice).await })
        .await?;
    Ok(which.page("/api/v1/runs", rows.iter().map(run_json).collect()))
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
        "restored": counts.restored,
        "upgraded": counts.upgraded,
        "unchanged": counts.unchanged,
        "older": counts.older,
        "rejected": counts.rejected,
        "absent": counts.absent,
        "error": run.error,
    })
}
