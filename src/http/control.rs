//! The control socket: `GET /livez`, `/readyz`, `/api/v1/status`; `POST /api/v1/organizations/{classy_id}/sync`, `/api/v1/reload`.

use crate::actors::{Activity, FeedStatus, Handle, Order, OrganizationStatus, PluginChoice};
use crate::domain::{Entity, FaultKind, Time};
use crate::sync::Task;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};

/// Asks for the configuration to be read again; answered with the number of organizations, or with what is wrong.
pub type ReloadRequest = oneshot::Sender<Result<usize, String>>;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct Control {
    /// Speaks to the tree.
    pub handle: Handle,
    /// Whether new work is taken.
    pub ready: Arc<AtomicBool>,
    /// Where requests to reload go.
    pub reloads: mpsc::Sender<ReloadRequest>,
}

/// Opens the socket, for this user only. One that a dead process left is replaced: the pid file's lock says that it is dead.
///
/// # Errors
/// When the system refuses, as for a path that is too long.
pub fn listen(path: &std::path::Path) -> std::io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until it is aborted.
pub async fn serve(listener: UnixListener, control: Control) {
    let router = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/api/v1/status", get(status))
        .route("/api/v1/organizations/{classy_id}/sync", post(sync))
        .route("/api/v1/reload", post(reload))
        .with_state(control);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the control socket is closed");
    }
}

async fn ready(State(control): State<Control>) -> StatusCode {
    if control.ready.load(Ordering::Relaxed) && control.handle.is_alive() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn status(State(control): State<Control>) -> Json<Value> {
    let shared = control.handle.shared();
    let organizations = shared.board.all().iter().map(|(organization, feeds)| organization_json(organization, feeds)).collect::<Vec<_>>();
    Json(json!({
        "ready": control.ready.load(Ordering::Relaxed),
        "holder": shared.holder,
        "waiting_runs": shared.dealer.waiting(),
        "organizations": organizations,
    }))
}

fn organization_json(organization: &OrganizationStatus, feeds: &[(Entity, FeedStatus)]) -> Value {
    let feeds: Vec<Value> = feeds.iter().map(|(entity, feed)| feed_json(*entity, feed)).collect();
    json!({
        "classy_id": organization.classy_id,
        "name": organization.name,
        "condition": organization.condition.as_str(),
        "reason": organization.condition.reason(),
        "generation": organization.generation,
        "feeds": feeds,
    })
}

fn feed_json(entity: Entity, feed: &FeedStatus) -> Value {
    let moment = |at: Option<Time>| at.map(|at| at.to_rfc3339());
    let (activity, run) = match feed.activity {
        Activity::Idle => ("idle", Value::Null),
        Activity::Waiting => ("waiting", Value::Null),
        Activity::Running(run) => {
            let mode = run.mode.as_str();
            ("running", json!({ "mode": mode, "since": run.since.to_rfc3339(), "done": run.done, "total": run.total }))
        }
    };
    json!({
        "entity": entity.as_str(),
        "generation": feed.generation,
        "activity": activity,
        "run": run,
        "next_at": moment(feed.next_at),
        "runs": feed.runs,
        "last": feed.last.as_deref(),
    })
}

/// What is to be synced; nothing means all feeds, looking for changes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    entities: Vec<String>,
    full: bool,
    since: Option<Time>,
    no_plugins: bool,
    /// Only this plugin, and no feed unless one is named.
    plugin: Option<String>,
    reason: Option<String>,
}

type Answer = (StatusCode, Json<Value>);

fn refused(status: StatusCode, kind: FaultKind, text: &str, hint: Option<&str>) -> Answer {
    (status, Json(json!({ "error": text, "fault": kind.as_str(), "hint": hint })))
}

/// Syncs, and answers when it is done.
async fn sync(State(control): State<Control>, Path(classy_id): Path<i64>, body: axum::body::Bytes) -> Answer {
    let wanted: Wanted = match if body.is_empty() { Ok(Wanted::default()) } else { serde_json::from_slice(&body) } {
        Ok(wanted) => wanted,
        Err(error) => return refused(StatusCode::BAD_REQUEST, FaultKind::Configuration, &error.to_string(), None),
    };
    let named: Result<Vec<Entity>, String> = wanted.entities.iter().map(|name| name.parse()).collect();
    let entities = match named {
        Ok(named) if named.is_empty() && wanted.plugin.is_none() => Entity::ALL.to_vec(),
        Ok(named) => Entity::ALL.into_iter().filter(|entity| named.contains(entity)).collect(),
        Err(error) => return refused(StatusCode::BAD_REQUEST, FaultKind::Configuration, &error, None),
    };
    let task = match (wanted.full, wanted.since) {
        (true, _) => Task::Full,
        (false, Some(from)) => Task::Since(from),
        (false, None) => Task::CatchUp,
    };
    let plugins = match (wanted.no_plugins, wanted.plugin) {
        (true, _) => PluginChoice::None,
        (false, Some(name)) => PluginChoice::One(name),
        (false, None) => PluginChoice::All,
    };
    let reason = if wanted.reason.as_deref() == Some("cli") { "cli" } else { "http" };
    match control.handle.sync(classy_id, Order { entities, task, plugins, reason }).await {
        Ok(report) => (StatusCode::OK, Json(json!(report))),
        Err(fault) => {
            let status = if fault.kind == FaultKind::Busy { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
            refused(status, fault.kind, &fault.text, fault.hint.as_deref())
        }
    }
}

async fn reload(State(control): State<Control>) -> Answer {
    let (answer, answered) = oneshot::channel();
    let asked = control.reloads.send(answer).await.is_ok();
    match answered.await {
        Ok(Ok(count)) if asked => (StatusCode::OK, Json(json!({ "organizations": count }))),
        Ok(Err(error)) => refused(StatusCode::UNPROCESSABLE_ENTITY, FaultKind::Configuration, &error, None),
        _ => refused(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Busy, "the process is stopping", None),
    }
}
