//! What was sent about people in calls that were refused or failed before anybody read them:
//! nothing was written, but it was sent.

use super::harm::Write;
use super::member::key_of;
use super::route::endpoint;
use super::state::Mailchimp;
use serde_json::{Map, Value};

impl Mailchimp {
    /// Writes down whom a call was about, by what stands in its body.
    pub(super) fn note_unread(&mut self, method: &str, path: &str, body: &[u8], why: &str) {
        if method == "GET" {
            return;
        }
        let audience = path
            .trim_start_matches('/')
            .split('/')
            .nth(1)
            .unwrap_or_default();
        let before = |email: &str| Some(self.audiences.get(audience)?.member(email)?.status);
        let write = |(email, sent): (String, Map<String, Value>)| Write {
            endpoint: endpoint(method, path),
            audience: audience.to_owned(),
            before: before(&email),
            after: before(&email),
            email,
            sent,
            refused: Some(why.to_owned()),
        };
        let all: Vec<Write> = people(body).into_iter().map(write).collect();
        self.ledger.writes.extend(all);
    }
}

/// Addresses in a body, with what is sent about each.
fn people(body: &[u8]) -> Vec<(String, Map<String, Value>)> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let one = |value: &Value| {
        Some((
            key_of(value["email_address"].as_str()?),
            value.as_object()?.clone(),
        ))
    };
    match body["members"].as_array() {
        Some(members) => members.iter().filter_map(one).collect(),
        None => one(&body).into_iter().collect(),
    }
}
