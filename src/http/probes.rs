//! `/readyz` and `/api/v1/health`: for whoever decides whether to wake somebody. (`/livez` only says that the process answers.)

use super::site::Site;
use super::status::{Each, finding_json, moment};
use crate::domain::Health;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Report<L> {
    verdict: &'static str,
    looked_at: Option<String>,
    stale: Option<String>,
    checks: L,
}

/// New work is taken, the tree stands, and somebody watches.
pub(super) async fn ready(State(site): State<Site>) -> StatusCode {
    if site.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// The verdict with its reasons; 503 when something is failing.
pub(super) async fn health(State(site): State<Site>) -> Response {
    let health = site.shared().health();
    let verdict = health.verdict();
    let stale = health.stale().map(|age| format!("nobody has looked for {} s: the watch is stuck", age.as_secs()));
    let report = Report {
        verdict: verdict.as_str(),
        looked_at: moment(Some(health.at)),
        stale,
        checks: Each(|| health.findings.iter().map(finding_json)),
    };
    let status = if verdict == Health::Failing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(report)).into_response()
}
