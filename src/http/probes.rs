//! `/readyz` and `/api/v1/health`: for whoever decides whether to wake somebody. (`/livez` only says that the process answers.)

use super::site::Site;
use super::status::{finding_json, moment};
use crate::domain::Health;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// New work is taken, the tree stands, and somebody watches.
pub(super) async fn ready(State(site): State<Site>) -> StatusCode {
    if site.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// The verdict with its reasons; 503 when something is failing.
pub(super) async fn health(State(site): State<Site>) -> (StatusCode, Json<Value>) {
    let health = site.shared().health();
    let verdict = health.verdict();
    let stale = health.stale().map(|age| format!("nobody has looked for {} s: the watch is stuck", age.as_secs()));
    let body = json!({
        "verdict": verdict.as_str(),
        "looked_at": moment(Some(health.at)),
        "stale": stale,
        "checks": health.findings.iter().map(finding_json).collect::<Vec<_>>(),
    });
    (if verdict == Health::Failing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, Json(body))
}
