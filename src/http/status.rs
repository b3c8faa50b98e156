//! `/api/v1/status` and `/api/v1/organizations`: what is on the board and in the last verdict, as JSON. Asks nobody.

use super::site::{Refusal, Site};
use crate::actors::{Activity, FeedStatus, OrganizationStatus, PluginStatus};
use crate::domain::{Entity, Health, Time};
use crate::health::{Finding, HealthReport};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// A list whose elements are made while it is written: thousands of organizations as one tree of values would take megabytes.
pub(super) struct Each<F>(pub(super) F);

impl<F: Fn() -> I, I: Iterator<Item = Value>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

#[derive(Serialize)]
struct Whole<L> {
    #[serde(flatten)]
    head: Value,
    organizations: L,
}

/// Everything in short.
pub(super) async fn status(State(site): State<Site>) -> Response {
    let shared = site.shared();
    let health = shared.health();
    let facts = health.facts.as_ref();
    let head = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": site.is_ready(),
        "verdict": health.verdict().as_str(),
        "looked_at": moment(Some(health.at)),
        "stale_s": health.stale().map(|age| age.as_secs()),
        "up_s": facts.map(|facts| facts.up.as_secs()),
        "memory_bytes": facts.map(|facts| facts.memory_bytes),
        "holder": shared.holder,
        "http": site.control.address.map(|address| address.to_string()),
        "waiting_runs": shared.dealer.waiting(),
        "alerts": health.alerts.len(),
        "checks": health.of(None).map(finding_json).collect::<Vec<_>>(),
    });
    Json(Whole { head, organizations: list(&site, &health) }).into_response()
}

/// All organizations in short.
pub(super) async fn organizations(State(site): State<Site>) -> Response {
    Json(list(&site, &site.shared().health())).into_response()
}

fn list(site: &Site, health: &HealthReport) -> impl Serialize {
    let board = &site.shared().board;
    let one = |id: i64| {
        let (organization, feeds) = board.one(id)?;
        Some(organization_json(&organization, &feeds, &board.plugins(id), health, false))
    };
    Each(move || board.ids().into_iter().filter_map(one))
}

/// One organization with every check.
pub(super) async fn organization(State(site): State<Site>, Path(classy_id): Path<i64>) -> Result<Json<Value>, Refusal> {
    let shared = site.shared();
    let (organization, feeds) = shared.board.one(classy_id).ok_or_else(|| Refusal::unknown(classy_id))?;
    Ok(Json(organization_json(&organization, &feeds, &shared.board.plugins(classy_id), &shared.health(), true)))
}

fn organization_json(
    organization: &OrganizationStatus,
    feeds: &[(Entity, FeedStatus)],
    plugins: &[(String, PluginStatus)],
    health: &HealthReport,
    all: bool,
) -> Value {
    let id = organization.classy_id;
    let checks = health.of(Some(id)).filter(|finding| all || finding.verdict() != Health::Ok).map(finding_json).collect::<Vec<_>>();
    json!({
        "classy_id": id,
        "name": organization.name,
        "verdict": health.verdict_of(id).as_str(),
        "condition": organization.condition.as_str(),
        "reason": organization.condition.reason(),
        "since": moment(Some(organization.since)),
        "generation": organization.generation,
        "checks": checks,
        "feeds": feeds.iter().map(|(entity, feed)| feed_json(*entity, feed)).collect::<Vec<_>>(),
        "plugins": plugins.iter().map(|(name, plugin)| plugin_json(name, plugin)).collect::<Vec<_>>(),
    })
}

fn plugin_json(name: &str, plugin: &PluginStatus) -> Value {
    json!({
        "plugin": name,
        "generation": plugin.generation,
        "delivering_since": moment(plugin.since),
        "runs": plugin.runs,
        "ended_at": moment(plugin.ended_at),
        "last": plugin.last.as_deref(),
    })
}

/// One feed.
pub(super) fn feed_json(entity: Entity, feed: &FeedStatus) -> Value {
    let (activity, run) = match feed.activity {
        Activity::Idle => ("idle", Value::Null),
        Activity::Waiting => ("waiting", Value::Null),
        Activity::Running(run) => {
            let mode = run.mode.as_str();
            ("running", json!({ "mode": mode, "since": moment(Some(run.since)), "done": run.done, "total": run.total }))
        }
    };
    json!({
        "entity": entity.as_str(),
        "generation": feed.generation,
        "activity": activity,
        "run": run,
        "fresh_at": moment(feed.fresh_at),
        "next_at": moment(feed.next_at),
        "is_loaded": feed.is_loaded,
        "failures": feed.failures,
        "runs": feed.runs,
        "last": feed.last.as_deref(),
    })
}

/// What a check found.
pub(super) fn finding_json(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "classy_id": finding.classy_id,
        "subject": finding.subject,
        "verdict": finding.verdict().as_str(),
        "reason": finding.result.reason,
    })
}

/// RFC 3339.
pub(super) fn moment(at: Option<Time>) -> Option<String> {
    at.map(|at| at.to_rfc3339())
}
