//! `/readyz` and `/api/v1/health`: for whoever decides whether to wake somebody. (`/livez` only
//! says that the process answers.)

use super::cache::Made;
use super::fleet::{finding_json, moment};
use super::site::{Refusal, Site};
use crate::domain::{FaultKind, Health};
use crate::health::{Finding, HealthReport};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

/// Checks that are told; when there are more, those that are not ok come first.
const MOST: usize = 1_000;

/// New work is taken, the tree stands, and somebody watches.
pub(super) async fn ready(State(site): State<Site>) -> Result<&'static str, Refusal> {
    let text = "it is starting or stopping, or nobody watches";
    if site.is_ready() {
        Ok("ready")
    } else {
        Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            FaultKind::Busy,
            text,
        ))
    }
}

/// The verdict with its reasons; 503 when something is failing.
pub(super) async fn health(State(site): State<Site>) -> Response {
    site.made("health", |site| {
        let health = site.sources().health();
        let status = if health.verdict() == Health::Failing {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        Made {
            status,
            ..Made::json(report(&health).to_string())
        }
    })
    .await
}

pub(super) fn report(health: &HealthReport) -> Value {
    let stale = health.stale().map(|age| {
        format!(
            "nobody has looked for {} s: the watch is stuck",
            age.as_secs()
        )
    });
    let count = |verdict| {
        health
            .findings
            .iter()
            .filter(|finding| finding.verdict() == verdict)
            .count()
    };
    let mut told: Vec<&Finding> = health.findings.iter().collect();
    // Causes before what follows from them.
    told.sort_by_key(|finding| finding.is_consequence());
    if told.len() > MOST {
        // The worst first, and the process before its organizations; the order of checks otherwise.
        told.sort_by_key(|finding| {
            (
                std::cmp::Reverse(finding.verdict()),
                finding.classy_id.is_some(),
            )
        });
        told.truncate(MOST);
    }
    json!({
        "verdict": health.verdict().as_str(),
        "looked_at": moment(Some(health.at)),
        "stale": stale,
        "counts": { "ok": count(Health::Ok), "degraded": count(Health::Degraded), "failing": count(Health::Failing) },
        "omitted": health.findings.len() - told.len(),
        "checks": told.into_iter().map(finding_json).collect::<Vec<_>>(),
    })
}
