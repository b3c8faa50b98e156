//! A held plan is allowed: computed anew, counted by kind of harm, and allowed for a day. The same as `plugin approve`.

use super::control::answer;
use super::site::{Refusal, Site};
use crate::actors::{Order, PluginChoice};
use crate::clock;
use crate::domain::{FaultKind, Harm};
use crate::integrations;
use crate::plugin::{PluginError, preview};
use crate::store::PluginKey;
use crate::sync::Task;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Allows what a plugin holds, and has it look at once.
pub(super) async fn approve(
    State(site): State<Site>,
    Path((classy_id, name)): Path<(i64, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let shared = Arc::clone(site.shared());
    let plugin = name.clone();
    // On the shared runtime, where connections live; the other side may take its time.
    let allowed = shared.runtime.clone().spawn(async move { allow(&shared, classy_id, &plugin).await }).await;
    let broke = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, FaultKind::Bug, "computing the plan broke");
    let allowed = allowed.map_err(broke)??;
    let store = site.shared().store.clone();
    let (subject, detail) = (format!("plugin:{name}"), allowed.clone());
    site.ask(async move { store.audit_http(Some(classy_id), "plugin.approved", &subject, detail).await }).await?;
    let handle = site.control.handle.clone();
    let order = Order { entities: Vec::new(), task: Task::CatchUp, plugins: PluginChoice::One(name), reason: "http" };
    tokio::spawn(async move { handle.sync(classy_id, order).await });
    Ok(answer(&headers, json!({ "allowed_for_24_hours": allowed })))
}

async fn allow(shared: &crate::actors::Shared, classy_id: i64, name: &str) -> Result<Value, Refusal> {
    let surroundings = shared.surroundings();
    let applied = surroundings.organizations.get(&classy_id).ok_or_else(|| Refusal::unknown(classy_id))?;
    if !applied.file.plugins.contains_key(name) {
        let text = format!("organization {classy_id} has no plugin of this name");
        return Err(Refusal::new(StatusCode::NOT_FOUND, FaultKind::Partial, text));
    }
    let failed = |error: PluginError| {
        let fault = error.fault();
        Refusal::new(StatusCode::BAD_GATEWAY, fault.kind, fault.text).hint(fault.hint)
    };
    let mut plugin = integrations::make(&shared.vault, applied, name).map_err(failed)?;
    let tenant = shared.store.tenant(&applied.organization);
    let planned = preview(&tenant, name, &mut *plugin, clock::now()).await.map_err(failed)?;
    if !planned.harms.is_none() {
        let key = PluginKey { plugin: name.to_owned(), destination: plugin.destination().to_owned() };
        let refused = |error: crate::store::Error| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.kind(), error.to_string());
        tenant.approve(&key, &planned.harms).await.map_err(refused)?;
    }
    Ok(Value::Object(Harm::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), json!(planned.harms.of(kind)))).collect::<Map<_, _>>()))
}
