//! Looking and turning from outside, under `/__sim/mailchimp/`.

use super::people::Act;
use super::state::Mailchimp;
use super::switches::Switches;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
struct Order {
    audience: Option<String>,
    acts: Vec<Act>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    revoked: Option<bool>,
    read_only: Option<bool>,
    /// Title and detail; two empty texts: not any more.
    suspended: Option<(String, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AudienceChange {
    double_optin: Option<bool>,
    permissions: Option<Vec<(String, String)>>,
}

/// Status and body for a request under `/__sim/mailchimp/`.
pub(in crate::simulator) fn answer(
    state: &mut Mailchimp,
    method: &str,
    path: &[&str],
    body: &[u8],
) -> (u16, String) {
    let answer = match (method, path) {
        ("GET", ["ledger"]) => Ok(state.ledger_json()),
        ("DELETE", ["ledger"]) => {
            state.ledger.clear();
            Ok(json!({}))
        }
        ("GET", ["switches"]) => Ok(json!(state.switches)),
        ("POST", ["switches"]) => turn(state, body).map_err(|error| error.to_string()),
        ("POST", ["people"]) => people(state, body),
        ("GET", ["accounts"]) => Ok(accounts(state)),
        ("POST", ["accounts", name]) => change_account(state, name, body),
        ("POST", ["audiences", id]) => change_audience(state, id, body),
        ("GET", ["truth", audience]) => {
            truth(state, audience).ok_or_else(|| "no such audience".to_owned())
        }
        _ => {
            let known = "GET or DELETE ledger, GET or POST switches, GET accounts, POST accounts/NUMBER, POST audiences/AUDIENCE, GET truth/AUDIENCE, POST people";
            return (404, json!({ "error": known }).to_string());
        }
    };
    match answer {
        Ok(value) => (200, value.to_string()),
        Err(error) => (400, json!({ "error": error }).to_string()),
    }
}

/// Turns the switches that are named; answers with all of them.
fn turn(state: &mut Mailchimp, body: &[u8]) -> serde_json::Result<Value> {
    let named: Map<String, Value> = serde_json::from_slice(body)?;
    let mut all = serde_json::to_value(&state.switches)?;
    if let Some(all) = all.as_object_mut() {
        all.extend(named);
    }
    state.switches = serde_json::from_value::<Switches>(all)?;
    Ok(json!(state.switches))
}

fn people(state: &mut Mailchimp, body: &[u8]) -> Result<Value, String> {
    let order: Order = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let audience = order
        .audience
        .or_else(|| state.audiences.keys().next().cloned())
        .ok_or("there is no audience")?;
    match order.acts.iter().find(|act| !state.act(&audience, act)) {
        Some(act) => Err(format!("nobody could do this: {act:?}")),
        None => Ok(json!({})),
    }
}

/// The key is revoked or good again, the user may write or only read, the account is suspended;
/// accounts are numbered from 0.
fn change_account(state: &mut Mailchimp, number: &str, body: &[u8]) -> Result<Value, String> {
    let change: AccountChange = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let account = number
        .parse()
        .ok()
        .and_then(|number: usize| state.accounts.get_mut(number))
        .ok_or("no such account")?;
    account.revoked = change.revoked.unwrap_or(account.revoked);
    account.read_only = change.read_only.unwrap_or(account.read_only);
    if let Some((title, detail)) = change.suspended {
        account.suspended = Some((title, detail)).filter(|(title, _)| !title.is_empty());
    }
    Ok(
        json!({"revoked": account.revoked, "read_only": account.read_only, "suspended": account.suspended}),
    )
}

/// New members are to confirm; the audience asks for permissions, given as id and text.
fn change_audience(state: &mut Mailchimp, id: &str, body: &[u8]) -> Result<Value, String> {
    let change: AudienceChange = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let audience = state.audiences.get_mut(id).ok_or("no such audience")?;
    audience.double_optin = change.double_optin.unwrap_or(audience.double_optin);
    if let Some(permissions) = change.permissions {
        audience.permissions = permissions;
    }
    Ok(json!({"double_optin": audience.double_optin, "permissions": audience.permissions}))
}

fn accounts(state: &Mailchimp) -> Value {
    let of = |place: usize| -> Vec<&String> {
        state
            .audiences
            .iter()
            .filter(|(_, audience)| audience.account == place)
            .map(|(id, _)| id)
            .collect()
    };
    let one = |(place, account): (usize, &super::state::Account)| json!({"name": account.name, "api_key": account.api_key, "audiences": of(place)});
    state.accounts.iter().enumerate().map(one).collect()
}

fn truth(state: &Mailchimp, audience: &str) -> Option<Value> {
    let audience = state.audiences.get(audience)?;
    let members: Vec<Value> = audience
        .members()
        .map(|member| {
            json!({"email": member.email, "status": member.status, "left": member.left, "foreign": member.foreign,
                   "merge_fields": member.fields, "tags": audience.tags_of(&member.email)})
        })
        .collect();
    Some(json!(members))
}
