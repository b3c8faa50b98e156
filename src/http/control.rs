//! Orders: sync, pause, resume, acknowledge, reload. Programs send JSON and are answered with it; forms of our own pages are sent back to
//! where they came from. Every order is noted in the audit trail.

use super::site::{Refusal, Site};
use crate::actors::{Order, PluginChoice};
use crate::clock;
use crate::domain::{Entity, FaultKind, Time};
use crate::store::Status;
use crate::sync::Task;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, REFERER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

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

impl Wanted {
    fn order(self) -> Result<Order, String> {
        let named: Vec<Entity> = self.entities.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        let all = named.is_empty() && self.plugin.is_none();
        let entities = Entity::ALL.into_iter().filter(|entity| all || named.contains(entity)).collect();
        let task = match (self.full, self.since) {
            (true, _) => Task::Full,
            (false, Some(from)) => Task::Since(from),
            (false, None) => Task::CatchUp,
        };
        let plugins = match (self.no_plugins, self.plugin) {
            (true, _) => PluginChoice::None,
            (false, Some(name)) => PluginChoice::One(name),
            (false, None) => PluginChoice::All,
        };
        Ok(Order { entities, task, plugins, reason: if self.reason.as_deref() == Some("cli") { "cli" } else { "http" } })
    }
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, FaultKind::Configuration, text)
}

/// Syncs. A program is answered when it is done, a page at once.
pub(super) async fn sync(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let by_form = is_form(&headers);
    let is_empty = body.is_empty() || by_form;
    let wanted: Wanted =
        if is_empty { Ok(Wanted::default()) } else { serde_json::from_slice(&body) }.map_err(|error| bad(error.to_string()))?;
    let detail = json!({ "full": wanted.full, "since": wanted.since.map(|at| at.to_rfc3339()), "plugin": wanted.plugin });
    let order = wanted.order().map_err(bad)?;
    let subject = format!("organization:{classy_id}");
    let store = site.shared().store.clone();
    if order.reason == "http" {
        site.ask(async move { store.audit_http(Some(classy_id), "sync.ordered", &subject, detail).await }).await?;
    }
    let handle = site.control.handle.clone();
    if by_form {
        // Whoever pressed the button watches the page.
        tokio::spawn(async move { handle.sync(classy_id, order).await });
        return Ok(back(&headers));
    }
    match handle.sync(classy_id, order).await {
        Ok(report) => Ok((StatusCode::OK, Json(json!(report))).into_response()),
        Err(fault) => {
            let status = if fault.kind == FaultKind::Busy { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
            Err(Refusal::new(status, fault.kind, fault.text).hint(fault.hint))
        }
    }
}

/// Stops syncing an organization until it is resumed.
pub(super) async fn pause(State(site): State<Site>, Path(classy_id): Path<i64>, headers: HeaderMap) -> Result<Response, Refusal> {
    set_status(&site, classy_id, Status::Paused, Some("paused over HTTP"), "org.pause", &headers).await
}

/// Syncs an organization again.
pub(super) async fn resume(State(site): State<Site>, Path(classy_id): Path<i64>, headers: HeaderMap) -> Result<Response, Refusal> {
    set_status(&site, classy_id, Status::Active, None, "org.resume", &headers).await
}

async fn set_status(
    site: &Site,
    classy_id: i64,
    status: Status,
    reason: Option<&'static str>,
    action: &'static str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let store = site.shared().store.clone();
    let found = site
        .ask(async move {
            let Some(organization) = store.organization(classy_id).await? else { return Ok(false) };
            store.tenant(&organization).set_status(status, reason).await?;
            store.audit_http(Some(classy_id), action, &format!("organization:{classy_id}"), json!({})).await?;
            Ok(true)
        })
        .await?;
    if !found {
        return Err(Refusal::unknown(classy_id));
    }
    site.control.handle.look();
    Ok(answer(headers, json!({ "classy_id": classy_id, "status": status.as_str() })))
}

/// A person knows of an alert: it is not repeated any more.
pub(super) async fn acknowledge(State(site): State<Site>, Path(id): Path<i64>, headers: HeaderMap) -> Result<Response, Refusal> {
    let (store, now) = (site.shared().store.clone(), clock::now());
    let found = site
        .ask(async move {
            let found = store.acknowledge_alert(id, now).await?;
            if found {
                store.audit_http(None, "alert.acknowledged", &format!("alert:{id}"), json!({})).await?;
            }
            Ok(found)
        })
        .await?;
    if !found {
        return Err(Refusal::new(StatusCode::NOT_FOUND, FaultKind::Partial, format!("there is no open alert {id}")));
    }
    Ok(answer(&headers, json!({ "id": id, "acknowledged_at": now.to_rfc3339() })))
}

/// Sends an alert the whole way, and answers whether it arrived.
pub(super) async fn try_alerts(State(site): State<Site>, headers: HeaderMap) -> Result<Response, Refusal> {
    let has_webhook = site.shared().surroundings().messenger.as_ref().is_some_and(crate::health::Messenger::has_webhook);
    match site.shared().drills.order().await {
        Ok(()) => Ok(answer(&headers, json!({ "delivered": true, "webhook": has_webhook }))),
        Err(text) => Err(Refusal::new(StatusCode::BAD_GATEWAY, FaultKind::Remote, text)),
    }
}

/// Reads the configuration again.
pub(super) async fn reload(State(site): State<Site>, headers: HeaderMap) -> Result<Response, Refusal> {
    let (reply, answered) = oneshot::channel();
    let asked = site.control.reloads.send(reply).await.is_ok();
    match answered.await {
        Ok(Ok(count)) if asked => Ok(answer(&headers, json!({ "organizations": count }))),
        Ok(Err(error)) => Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, FaultKind::Configuration, error)),
        _ => Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Busy, "the process is stopping")),
    }
}

pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

/// Back to the page that the form was on; only its path is believed.
fn back(headers: &HeaderMap) -> Response {
    let page = headers.get(REFERER).and_then(|value| value.to_str().ok()).and_then(|value| url::Url::parse(value).ok());
    let path = page.map_or_else(|| "/".to_owned(), |page| page.path().to_owned());
    Redirect::to(if path.starts_with("//") { "/" } else { &path }).into_response()
}

pub(super) fn answer(headers: &HeaderMap, body: Value) -> Response {
    if is_form(headers) { back(headers) } else { Json(body).into_response() }
}
