//! Whether an organization is synced, as people order it; and a look at what they changed
//! elsewhere. What is answered is in force: after a pause not one more request is made for the
//! organization.

use super::answer::answer;
use super::site::{Refusal, Site};
use crate::domain::Fault;
use crate::store::{Status, readable};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// So long whoever ordered something is kept waiting for it to be in force: longer than a lease
/// that nobody renews.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether another process has let an organization go.
const LOOK: Duration = Duration::from_millis(200);

/// Stops syncing an organization until it is resumed.
pub(super) async fn pause(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    set_status(
        &site,
        classy_id,
        Status::Paused,
        Some("paused over HTTP"),
        "org.pause",
        &headers,
    )
    .await
}

/// Syncs an organization again.
pub(super) async fn resume(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    set_status(
        &site,
        classy_id,
        Status::Active,
        None,
        "org.resume",
        &headers,
    )
    .await
}

/// Looks at the database, where a person changed something, and answers when that is in force.
pub(super) async fn look(State(site): State<Site>, headers: HeaderMap) -> Response {
    let obstacle = settled(&site, None).await.err();
    answer(&headers, in_force(json!({}), obstacle))
}

async fn set_status(
    site: &Site,
    classy_id: i64,
    status: Status,
    reason: Option<&'static str>,
    action: &'static str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let store = site.sources().store.clone();
    let found = site
        .ask(async move {
            let Some(organization) = store.organization(classy_id).await? else {
                return Ok(false);
            };
            store
                .tenant(&organization)
                .set_status(status, reason)
                .await?;
            store
                .audit_http(
                    Some(classy_id),
                    action,
                    &format!("organization:{classy_id}"),
                    json!({}),
                )
                .await?;
            Ok(true)
        })
        .await?;
    if !found {
        return Err(Refusal::unknown(classy_id));
    }
    let mut obstacle = settled(site, Some(classy_id)).await.err();
    if status == Status::Paused && obstacle.is_none() {
        obstacle = let_go(site, classy_id).await?;
    }
    Ok(answer(
        headers,
        in_force(
            json!({ "classy_id": classy_id, "status": status.as_str() }),
            obstacle,
        ),
    ))
}

fn in_force(mut body: Value, obstacle: Option<String>) -> Value {
    body["in_force"] = obstacle.is_none().into();
    body["reason"] = obstacle.into();
    body
}

/// Waits until this process acts by what is in the database now; else why that is not known.
pub(super) async fn settled(site: &Site, classy_id: Option<i64>) -> Result<(), String> {
    match timeout(PATIENCE, site.control.orders.settle(classy_id)).await {
        Ok(settled) => settled.map_err(|Fault { text, .. }| text),
        Err(_) => Err(format!(
            "runs have not ended within {} s",
            PATIENCE.as_secs()
        )),
    }
}

/// Waits until no process holds the organization; else says which one still does.
async fn let_go(site: &Site, classy_id: i64) -> Result<Option<String>, Refusal> {
    let begin = Instant::now();
    loop {
        let store = site.sources().store.clone();
        match site
            .ask(async move { store.lease_holder(classy_id).await })
            .await?
        {
            None => return Ok(None),
            Some(holder) if begin.elapsed() > PATIENCE => {
                return Ok(Some(format!(
                    "{} has not let the organization go yet",
                    readable(&holder)
                )));
            }
            Some(_) => sleep(LOOK).await,
        }
    }
}
