//! Webhooks of an audience: made, listed, changed, deleted (contract 8).

use super::call::Call;
use super::draft::json_body;
use super::problem::Problem;
use super::time::digits;
use super::webhook::{EVENTS, Hook, SOURCES};
use crate::simulator::fault::mix;
use serde_json::{Map, Value, json};
use url::Url;

impl Hook {
    fn render(&self, audience: &str) -> Value {
        json!({"id": self.id, "url": self.url, "events": self.events, "sources": self.sources, "list_id": audience,
               "signing_enabled": true, "_links": []})
    }
}

fn flags(names: &[&str], given: &Value, default: bool) -> Map<String, Value> {
    names
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!(given[*name].as_bool().unwrap_or(default)),
            )
        })
        .collect()
}

fn place(call: &Call<'_>, id: &str) -> Result<usize, Problem> {
    call.audience
        .hooks
        .iter()
        .position(|hook| hook.id == id)
        .ok_or_else(Problem::not_found)
}

/// `GET /lists/{list_id}/webhooks`
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Problem> {
    let all: Vec<Value> = call
        .audience
        .hooks
        .iter()
        .map(|hook| hook.render(&call.audience.id))
        .collect();
    let total = all.len();
    Ok(json!({"webhooks": all, "list_id": call.audience.id, "total_items": total, "_links": []}))
}

/// `POST`: the secret is told this once.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Problem> {
    let body = json_body(call.body)?;
    let url = body["url"]
        .as_str()
        .and_then(|url| Url::parse(url).ok())
        .ok_or_else(|| Problem::field("url", "That is not a valid URL"))?;
    if call.audience.hooks.iter().any(|hook| hook.url == url) {
        return Err(Problem::field(
            "url",
            "Sorry, you can't set up multiple WebHooks for one URL",
        ));
    }
    if !call.reachable {
        return Err(Problem::field(
            "url",
            "The WebHook URL you provided is not reachable. Please make sure it answers a GET request.",
        ));
    }
    let seed = mix(call.audience.seed ^ call.number);
    let hook = Hook {
        id: digits(seed, 10),
        url,
        events: flags(&EVENTS, &body["events"], false),
        sources: flags(&SOURCES, &body["sources"], false),
        secret: digits(mix(seed), 32),
    };
    let mut out = hook.render(&call.audience.id);
    out["signing_secret"] = json!(hook.secret);
    call.audience.hooks.push(hook);
    Ok(out)
}

/// `GET /lists/{list_id}/webhooks/{webhook_id}`
pub(super) fn get(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let place = place(call, id)?;
    Ok(call.audience.hooks[place].render(&call.audience.id))
}

/// `PATCH`
pub(super) fn change(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let (body, place) = (json_body(call.body)?, place(call, id)?);
    let hook = &mut call.audience.hooks[place];
    let turn = |names: &[&str], given: &Value, now: &mut Map<String, Value>| {
        for name in names {
            if let Some(flag) = given[*name].as_bool() {
                now.insert((*name).to_owned(), json!(flag));
            }
        }
    };
    turn(&EVENTS, &body["events"], &mut hook.events);
    turn(&SOURCES, &body["sources"], &mut hook.sources);
    get(call, id)
}

/// `DELETE`
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let place = place(call, id)?;
    call.audience.hooks.remove(place);
    Ok(Value::Null)
}
