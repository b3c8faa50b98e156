//! The token endpoint (contract 1): form or JSON, every refusal a 400.

use crate::simulator::World;
use crate::simulator::fault::{Fault, mix};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Tokens that were given out.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Tokens {
    given: HashMap<String, Given>,
    count: u64,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Given {
    /// Tells tokens apart where they must not be told.
    pub(in crate::simulator) number: u64,
    pub(in crate::simulator) organization: i64,
    end: Instant,
}

impl Tokens {
    /// Whose it is, if it is still good.
    pub(in crate::simulator) fn find(&self, token: &str) -> Option<Given> {
        self.given
            .get(token)
            .copied()
            .filter(|given| Instant::now() < given.end)
    }

    /// No token is good any more.
    pub(in crate::simulator) fn revoke_all(&mut self) {
        self.given.clear();
    }

    fn give(&mut self, organization: i64, life: Duration) -> String {
        self.count += 1;
        let token = format!("{:016x}{:016x}", mix(self.count), mix(self.count ^ 0xffff));
        self.given.insert(
            token.clone(),
            Given {
                number: self.count,
                organization,
                end: Instant::now() + life,
            },
        );
        token
    }
}

/// The fields of the body, or nothing when it is not what it says it is.
fn fields(body: &[u8], is_json: bool) -> Option<HashMap<String, String>> {
    if !is_json {
        return Some(url::form_urlencoded::parse(body).into_owned().collect());
    }
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, text(value)))
            .collect(),
    )
}

/// Status and body for a token request. The texts for a missing or strange `grant_type` are
/// assumed; the others are recorded.
pub(in crate::simulator) fn token_answer(
    world: &World,
    tokens: &mut Tokens,
    body: &[u8],
    is_json: bool,
    life: Duration,
) -> (u16, Value) {
    let Some(fields) = fields(body, is_json) else {
        return (400, json!({"errors": ["Malformed JSON payload."]}));
    };
    let get = |name: &str| fields.get(name).filter(|value| !value.is_empty());
    let (client_id, secret, grant) = (
        get("client_id"),
        get("client_secret").or_else(|| get("secret_key")),
        get("grant_type"),
    );
    let mut missing = Map::new();
    if grant.is_none() {
        missing.insert(
            "grant_type".to_owned(),
            json!(["The grant type field is required."]),
        );
    }
    if client_id.is_none() {
        missing.insert(
            "client_id".to_owned(),
            json!(["The client id field is required."]),
        );
    }
    if secret.is_none() {
        missing.insert(
            "secret_key".to_owned(),
            json!(["The secret key field is required when client secret is not present."]),
        );
        missing.insert(
            "client_secret".to_owned(),
            json!(["The client secret field is required when secret key is not present."]),
        );
    }
    if !missing.is_empty() {
        return (400, json!({"error": missing, "queries_log": []}));
    }
    if grant.is_none_or(|grant| grant != "client_credentials") {
        return (
            400,
            json!({"error": {"grant_type": ["The selected grant type is invalid."]}, "queries_log": []}),
        );
    }
    let owner = world
        .organizations
        .values()
        .find(|one| Some(&one.client_id) == client_id && Some(&one.client_secret) == secret);
    let Some(owner) = owner else {
        return (
            400,
            json!({"error": "Invalid client authentication", "queries_log": []}),
        );
    };
    let life = if world.has(Fault::TokenExpiry) {
        Duration::from_secs(3)
    } else {
        life
    };
    let token = tokens.give(owner.id, life);
    (
        200,
        json!({"access_token": token, "expires_in": life.as_secs(), "queries_log": [], "token_type": "bearer"}),
    )
}
