//! Orders: sync, acknowledge, reload. Programs send JSON and are answered with it; forms of our own
//! pages are sent back to where they came from. Every order is noted in the audit trail.

use super::answer::{answer, back, is_form};
use super::payload::{Payload, object};
use super::site::{Refusal, Reloaded, Site};
use super::standing;
use crate::clock;
use crate::domain::{Fault, FaultKind, Task, Time, limits};
use crate::entities::Entity;
use crate::status::{Order, OrganizationReport, PluginChoice};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The largest order.
const LARGEST: usize = 64 * 1_024;

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
    /// Plugins only.
    no_feeds: bool,
    reason: Option<String>,
}

impl Wanted {
    fn order(self) -> Result<Order, String> {
        let named: Vec<Entity> = self
            .entities
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?;
        if self.no_feeds && !named.is_empty() {
            return Err("no_feeds and entities do not go together".to_owned());
        }
        let all = named.is_empty() && self.plugin.is_none() && !self.no_feeds;
        let entities = Entity::ALL
            .into_iter()
            .filter(|entity| all || named.contains(entity))
            .collect();
        let task = match (self.full, self.since) {
            (true, _) => Task::Full,
            (false, Some(from)) => Task::Since(limits::since(from, clock::now())?),
            (false, None) => Task::CatchUp,
        };
        let plugins = match (self.no_plugins, self.plugin) {
            (true, _) => PluginChoice::None,
            (false, Some(name)) => PluginChoice::One(name),
            (false, None) => PluginChoice::All,
        };
        Ok(Order {
            entities,
            task,
            plugins,
            reason: if self.reason.as_deref() == Some("cli") {
                "cli"
            } else {
                "http"
            },
        })
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
    Payload(body): Payload<LARGEST>,
) -> Result<Response, Refusal> {
    let by_form = is_form(&headers);
    let is_empty = body.is_empty() || by_form;
    let wanted: Wanted = if is_empty {
        Ok(Wanted::default())
    } else {
        object(&body)
    }
    .map_err(|error| bad(error.to_string()))?;
    let detail = json!({ "full": wanted.full, "since": wanted.since.map(|at| at.to_rfc3339()), "plugin": wanted.plugin });
    let order = wanted.order().map_err(bad)?;
    let subject = format!("organization:{classy_id}");
    let store = site.sources().store.clone();
    if order.reason == "http" {
        site.ask(async move {
            store
                .audit_http(Some(classy_id), "sync.ordered", &subject, detail)
                .await
        })
        .await?;
    }
    if by_form {
        // Whoever pressed the button watches the page.
        tokio::spawn(async move { sync_as_it_is_now(&site, classy_id, order).await });
        return Ok(back(&headers));
    }
    match sync_as_it_is_now(&site, classy_id, order).await {
        Ok(report) => Ok((StatusCode::OK, Json(json!(report))).into_response()),
        Err(fault) => {
            let status = if fault.kind == FaultKind::Busy {
                StatusCode::CONFLICT
            } else {
                StatusCode::NOT_FOUND
            };
            Err(Refusal::new(status, fault.kind, fault.text).hint(fault.hint))
        }
    }
}

/// What keeps an organization from being synced may be over by now, by a word that was said to
/// another process: then it is looked at once more.
async fn sync_as_it_is_now(
    site: &Site,
    classy_id: i64,
    order: Order,
) -> Result<OrganizationReport, Fault> {
    let orders = Arc::clone(&site.control.orders);
    match orders.sync(classy_id, order.clone()).await {
        Err(fault)
            if fault.kind == FaultKind::Partial && standing::settled(site, None).await.is_ok() =>
        {
            orders.sync(classy_id, order).await
        }
        done => done,
    }
}

/// A person knows of an alert: it is not repeated any more.
pub(super) async fn acknowledge(
    State(site): State<Site>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (store, now) = (site.sources().store.clone(), clock::now());
    let found = site
        .ask(async move {
            let found = store.acknowledge_alert(id, now).await?;
            if found {
                store
                    .audit_http(
                        None,
                        "alert.acknowledged",
                        &format!("alert:{id}"),
                        json!({}),
                    )
                    .await?;
            }
            Ok(found)
        })
        .await?;
    if !found {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            FaultKind::Partial,
            format!("there is no open alert {id}"),
        ));
    }
    Ok(answer(
        &headers,
        json!({ "id": id, "acknowledged_at": now.to_rfc3339() }),
    ))
}

/// Sends an alert the whole way, and answers whether it arrived.
pub(super) async fn try_alerts(
    State(site): State<Site>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let has_webhook = site.sources().settings().has_alert_webhook;
    match site.control.orders.try_alerts().await {
        Ok(()) => Ok(answer(
            &headers,
            json!({ "delivered": true, "webhook": has_webhook }),
        )),
        Err(text) => Err(Refusal::new(
            StatusCode::BAD_GATEWAY,
            FaultKind::Remote,
            text,
        )),
    }
}

/// Reads the configuration again.
pub(super) async fn reload(
    State(site): State<Site>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (reply, answered) = oneshot::channel();
    let asked = site.control.reloads.send(reply).await.is_ok();
    match answered.await {
        Ok(Ok(Reloaded {
            organizations,
            wrong,
            restart,
        })) if asked => {
            // What was read is in force when it is answered. Why it is not, if so, is in the log
            // and on the board.
            let _ = standing::settled(&site, None).await;
            Ok(answer(
                &headers,
                json!({ "organizations": organizations, "wrong": wrong, "restart": restart }),
            ))
        }
        Ok(Err(error)) => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            FaultKind::Configuration,
            error,
        )),
        _ => Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            FaultKind::Busy,
            "the process is stopping",
        )),
    }
}
