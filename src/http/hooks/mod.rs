//! Webhooks: somebody says that something changed. Their data is not used, so that one that is
//! forged, doubled or late can do no more than make a feed look sooner than planned; still none is
//! heard without the signature.

mod signature;

use super::payload::Payload;
use super::site::Site;
use crate::clock;
use crate::credentials::Applied;
use crate::domain::Time;
use crate::entities::Entity;
use crate::http::sources::Sources;
use crate::integrations;
use crate::store::PluginKey;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::sync::Arc;

const MAILCHIMP: &str = integrations::mailchimp::KIND.name;

/// The largest message: a transaction with all its answers.
const LARGEST: usize = 1_024 * 1_024;

/// Classy's, signed the way of Standard Webhooks.
pub(super) async fn classy(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
    headers: HeaderMap,
    Payload(body): Payload<LARGEST>,
) -> StatusCode {
    let settings = site.sources().settings();
    let Some(secret) = settings
        .hooks
        .get(&classy_id)
        .and_then(|secrets| secrets.classy.as_ref())
    else {
        return StatusCode::NOT_FOUND;
    };
    if !signature::is_standard(secret, &headers, &body, clock::now().timestamp()) {
        return StatusCode::UNAUTHORIZED;
    }
    site.control.orders.nudge(classy_id, feeds(&body));
    StatusCode::NO_CONTENT
}

/// Which feeds an event's name speaks of; a name that is not known speaks of all.
fn feeds(body: &[u8]) -> Vec<Entity> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "event_type", rename = "eventType")]
        event: Option<String>,
    }
    let event = serde_json::from_slice::<Named>(body)
        .ok()
        .and_then(|named| named.event)
        .unwrap_or_default();
    let word = event.split('.').next();
    let named: Vec<Entity> = Entity::ALL
        .into_iter()
        .filter(|entity| word.is_some() && entity.about().event == word)
        .collect();
    if named.is_empty() {
        Entity::ALL.to_vec()
    } else {
        named
    }
}

/// Mailchimp's question whether somebody is there. It asks before there is a secret, since it makes
/// the secret itself.
pub(super) async fn mailchimp_greeting(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
) -> StatusCode {
    let settings = site.sources().settings();
    let has_secret = settings
        .hooks
        .get(&classy_id)
        .is_some_and(|secrets| !secrets.mailchimp.is_empty());
    let has_plugin = settings
        .organizations
        .get(&classy_id)
        .is_some_and(|one| one.file.plugins.contains_key(MAILCHIMP));
    if has_secret || has_plugin {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    }
}

/// Mailchimp's: somebody subscribed, left, or changed there.
pub(super) async fn mailchimp(
    State(site): State<Site>,
    Path(classy_id): Path<i64>,
    headers: HeaderMap,
    Payload(body): Payload<LARGEST>,
) -> StatusCode {
    let settings = site.sources().settings();
    let secrets = settings
        .hooks
        .get(&classy_id)
        .map(|secrets| secrets.mailchimp.as_slice())
        .unwrap_or_default();
    if secrets.is_empty() {
        return StatusCode::NOT_FOUND;
    }
    let now = clock::now();
    if !secrets
        .iter()
        .any(|secret| signature::is_mailchimp(secret, &headers, &body, now.timestamp()))
    {
        return StatusCode::UNAUTHORIZED;
    }
    site.control.orders.nudge(classy_id, Vec::new());
    if let Some(applied) = settings.organizations.get(&classy_id).cloned() {
        let sources = Arc::clone(site.sources());
        site.sources()
            .runtime
            .spawn(async move { heard(&sources, &applied, now).await });
    }
    StatusCode::NO_CONTENT
}

/// Written down, so that silence is noticed. Nobody waits for it.
async fn heard(sources: &Sources, applied: &Applied, at: Time) {
    // One whose table is wrong delivers nothing, and says so elsewhere.
    let Ok(destination) = integrations::destination(&sources.vault, applied, MAILCHIMP) else {
        return;
    };
    let key = PluginKey {
        plugin: MAILCHIMP.to_owned(),
        destination,
    };
    if let Err(error) = sources
        .store
        .tenant(&applied.organization)
        .note_heard(&key, at)
        .await
    {
        tracing::warn!(
            error = error.to_string(),
            "that a webhook was heard could not be written down"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_hurries_its_own_feed_and_an_unknown_one_all() {
        assert_eq!(
            feeds(br#"{"eventType":"transaction.updated","data":{}}"#),
            [Entity::Transactions]
        );
        assert_eq!(
            feeds(br#"{"event_type":"supporter.created"}"#),
            [Entity::Supporters]
        );
        assert_eq!(feeds(b"no json"), Entity::ALL);
        assert_eq!(feeds(br#"{"eventType":"refund.created"}"#), Entity::ALL);
    }
}
