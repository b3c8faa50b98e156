//! `/api/v1/status` and `/api/v1/organizations`: what is on the board and in the last verdict, as
//! JSON. Asks nobody. Neither grows without bound with the fleet: the one is a summary, the other
//! goes by pages.

use super::cache::Made;
use super::fleet::{Fleet, Which, finding_json, list_page, moment, organization_json, summary};
use super::site::{Refusal, Site};
use crate::health::HealthReport;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::{Value, json};

/// Everything in short.
pub(super) async fn status(State(site): State<Site>) -> Response {
    site.made("status", |site| {
        let health = site.sources().health();
        let fleet = Fleet {
            board: &site.sources().board,
            health: &health,
        };
        Made::json(summary(&head(site, &health), &fleet))
    })
    .await
}

fn head(site: &Site, health: &HealthReport) -> Value {
    let sources = site.sources();
    let facts = health.facts.as_ref();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": site.is_ready(),
        "verdict": health.verdict().as_str(),
        "looked_at": moment(Some(health.at)),
        "stale_s": health.stale().map(|age| age.as_secs()),
        "up_s": facts.map(|facts| facts.up.as_secs()),
        "memory_bytes": facts.map(|facts| facts.memory_bytes),
        "holder": sources.holder,
        "http": site.control.address.map(|address| address.to_string()),
        "waiting_runs": sources.run_permits.waiting(),
        "alerts": health.alerts.len(),
        "checks": health.of(None).map(finding_json).collect::<Vec<_>>(),
    })
}

/// A page of all organizations in short.
pub(super) async fn organizations(
    State(site): State<Site>,
    Query(which): Query<Which>,
) -> Response {
    let key = format!("organizations {which:?}");
    site.made(&key, move |site| {
        let health = site.sources().health();
        list_page(
            &Fleet {
                board: &site.sources().board,
                health: &health,
            },
            &which,
        )
    })
    .await
}

/// One organization with every check.
pub(super) async fn organization(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
) -> Result<Json<Value>, Refusal> {
    let sources = site.sources();
    let (organization, feeds) = sources
        .board
        .one(classy_id)
        .ok_or_else(|| Refusal::unknown(classy_id))?;
    Ok(Json(organization_json(
        &organization,
        &feeds,
        &sources.board.plugins(classy_id),
        &sources.health(),
        true,
    )))
}
