//! Webhooks: somebody says that something changed. Their data is not used, so that one that is forged, doubled or late can do no more than
//! make a feed look sooner than planned; still none is heard without the signature.

mod signature;

use super::site::Site;
use crate::clock;
use crate::domain::Entity;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// Classy's, signed the Svix way.
pub(super) async fn classy(State(site): State<Site>, Path(classy_id): Path<i64>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let surroundings = site.shared().surroundings();
    let Some(secret) = surroundings.hooks.get(&classy_id).and_then(|secrets| secrets.classy.as_ref()) else { return StatusCode::NOT_FOUND };
    if !signature::is_svix(secret, &headers, &body, clock::now().timestamp()) {
        return StatusCode::UNAUTHORIZED;
    }
    site.control.handle.nudge(classy_id, feeds(&body));
    StatusCode::NO_CONTENT
}

/// Which feeds an event's name speaks of; a name that is not known speaks of all.
fn feeds(body: &[u8]) -> Vec<Entity> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "event_type", rename = "eventType")]
        event: Option<String>,
    }
    let event = serde_json::from_slice::<Named>(body).ok().and_then(|named| named.event).unwrap_or_default();
    match event.split('.').next() {
        Some("supporter") => vec![Entity::Supporters],
        Some("transaction") => vec![Entity::Transactions],
        Some("recurring_donation_plan") => vec![Entity::RecurringPlans],
        _ => Entity::ALL.to_vec(),
    }
}

/// Mailchimp's question whether somebody is there; only where a secret is.
pub(super) async fn mailchimp_greeting(State(site): State<Site>, Path(classy_id): Path<i64>) -> StatusCode {
    let surroundings = site.shared().surroundings();
    let is_there = surroundings.hooks.get(&classy_id).is_some_and(|secrets| secrets.mailchimp.is_some());
    if is_there { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

/// Mailchimp's: somebody subscribed, left, or changed there.
pub(super) async fn mailchimp(State(site): State<Site>, Path(classy_id): Path<i64>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let surroundings = site.shared().surroundings();
    let Some(secret) = surroundings.hooks.get(&classy_id).and_then(|secrets| secrets.mailchimp.as_ref()) else {
        return StatusCode::NOT_FOUND;
    };
    if !signature::is_mailchimp(secret, &headers, &body, clock::now().timestamp()) {
        return StatusCode::UNAUTHORIZED;
    }
    site.control.handle.nudge(classy_id, Vec::new());
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_hurries_its_own_feed_and_an_unknown_one_all() {
        assert_eq!(feeds(br#"{"eventType":"transaction.updated","data":{}}"#), [Entity::Transactions]);
        assert_eq!(feeds(br#"{"event_type":"supporter.created"}"#), [Entity::Supporters]);
        assert_eq!(feeds(b"no json").len(), 4);
        assert_eq!(feeds(br#"{"eventType":"refund.created"}"#).len(), 4);
    }
}
