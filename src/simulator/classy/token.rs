//! The token endpoint (contract 1): form or JSON, every refusal a 400.

use crate::simulator::World;
use crate::simulator::fault::Fault;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Tokens that were given out.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Tokens {
    given: HashMap<String, (u64, i64, Instant)>,
    count: u64,
}

impl Tokens {
    /// The token's number and organization, if it is still good.
    pub(in crate::simulator) fn find(&self, token: &str) -> Option<(u64, i64)> {
        self.given.get(token).filter(|(_, _, end)| Instant::now() < *end).map(|(number, organization, _)| (*number, *organization))
    }

    /// No token is good any more.
    pub(in crate::simulator) fn revoke_all(&mut self) {
        self.given.clear();
    }

    fn give(&mut self, organization: i64, life: Duration) -> String {
        self.count += 1;
        let token = format!("{:016x}{:016x}", crate::simulator::fault::mix(self.count), crate::simulator::fault::mix(self.count ^ 0xffff));
        self.given.insert(token.clone(), (self.count, organization, Instant::now() + life));
        token
    }
}

/// Status and body for a token request.
pub(in crate::simulator) fn token_answer(world: &World, tokens: &mut Tokens, body: &[u8], is_json: bool, life: Duration) -> (u16, Value) {
    let fields: HashMap<String, String> = if is_json {
        serde_json::from_slice::<HashMap<String, Value>>(body)
            .map(|fields| fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
            .unwrap_or_default()
    } else {
        url::form_urlencoded::parse(body).into_owned().collect()
    };
    let get = |name: &str| fields.get(name).filter(|value| !value.is_empty());
    let Some(client_id) = get("client_id") else {
        return (400, json!({"error": {"client_id": ["The client id field is required."]}, "queries_log": []}));
    };
    let Some(secret) = get("client_secret").or_else(|| get("secret_key")) else {
        return (
            400,
            json!({"error": {"secret_key": ["The secret key field is required when client secret is not present."],
                "client_secret": ["The client secret field is required when secret key is not present."]}, "queries_log": []}),
        );
    };
    let owner =
        world.organizations.values().find(|organization| organization.client_id == *client_id && organization.client_secret == *secret);
    let (Some(owner), Some("client_credentials")) = (owner, get("grant_type").map(String::as_str)) else {
        return (400, json!({"error": "Invalid client authentication", "queries_log": []}));
    };
    let life = if world.faults.contains(&Fault::TokenExpiry) { Duration::from_secs(3) } else { life };
    let token = tokens.give(owner.id, life);
    (200, json!({"access_token": token, "expires_in": life.as_secs(), "queries_log": [], "token_type": "bearer"}))
}
