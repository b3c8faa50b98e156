//! One request's way: key, connection, fault, answer, wait. What was written stays written,
//! whatever becomes of the answer.

use super::call::Spoil;
use super::harm::Request;
use super::problem::Problem;
use super::route::{Asked, decoded, endpoint};
use super::strike::{Struck, struck};
use super::time::digits;
use crate::simulator::fault::{Fault, mix};
use crate::simulator::reply::{self, Reply};
use crate::simulator::server::Shared;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A request under `/3.0`.
pub(in crate::simulator) struct Incoming<'a> {
    pub(in crate::simulator) method: &'a Method,
    /// After the version.
    pub(in crate::simulator) path: &'a str,
    pub(in crate::simulator) query: &'a [(String, String)],
    pub(in crate::simulator) headers: &'a HeaderMap,
    pub(in crate::simulator) body: &'a [u8],
}

impl Incoming<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Basic with any user, Bearer, or the old `apikey`.
    fn key(&self) -> Option<String> {
        let (scheme, rest) = self.header("authorization").split_once(' ')?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "apikey" => Some(rest.trim().to_owned()),
            "basic" => {
                let both = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
                Some(both.split_once(':')?.1.to_owned())
            }
            _ => None,
        }
    }
}

/// A connection of an account that is taken until it is dropped.
struct Slot {
    shared: Arc<Shared>,
    account: usize,
}

impl Slot {
    fn take(shared: &Arc<Shared>, account: usize) -> Option<Slot> {
        let mut state = shared.mailchimp();
        let (limit, name) = (
            state.switches.connections,
            state.accounts[account].name.clone(),
        );
        if state.accounts[account].in_flight >= limit {
            state.ledger.refused_in_flight += 1;
            return None;
        }
        state.accounts[account].in_flight += 1;
        let now = state.accounts[account].in_flight;
        let most = state.ledger.in_flight_max.entry(name).or_default();
        *most = now.max(*most);
        Some(Slot {
            shared: Arc::clone(shared),
            account,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.shared.mailchimp();
        if let Some(account) = state.accounts.get_mut(self.account) {
            account.in_flight -= 1;
        }
    }
}

/// Answers a request.
pub(in crate::simulator) async fn serve(shared: &Arc<Shared>, asked: Incoming<'_>) -> Reply {
    let asked = Incoming {
        path: &decoded(asked.path),
        ..asked
    };
    let faults = shared.world().faults.clone();
    let (latency, endpoint) = (
        shared.options().latency,
        endpoint(asked.method.as_str(), asked.path),
    );
    let key = asked.key();
    let (account, number, own) = {
        let mut state = shared.mailchimp();
        *state.ledger.calls.entry(endpoint.clone()).or_default() += 1;
        let request = Request {
            endpoint: endpoint.clone(),
            query: asked.query.to_vec(),
            body: asked.body.to_vec(),
        };
        state.ledger.requests.push(request);
        let of_chunk = if endpoint == "POST /lists/{list_id}" {
            state.switches.chunk_ms
        } else {
            0
        };
        let own = Duration::from_millis(state.switches.latency_ms + of_chunk);
        (
            key.as_deref().and_then(|key| state.account(key)),
            state.next(),
            own,
        )
    };
    let refuse = |problem: &Problem| problem_reply(problem, number, &faults);
    let (mut reply, wait, slot) = match (key, account) {
        (None, _) => (refuse(&Problem::key_missing()), Duration::ZERO, None),
        (_, None) => (refuse(&Problem::key_invalid()), Duration::ZERO, None),
        (_, Some(_)) if faults.contains(&Fault::MailchimpKeyRevoked) => {
            (refuse(&Problem::key_invalid()), Duration::ZERO, None)
        }
        (_, Some(account)) => match Slot::take(shared, account) {
            None => {
                shared.mailchimp().note_unread(
                    asked.method.as_str(),
                    asked.path,
                    asked.body,
                    "too many at once",
                );
                (refuse(&Problem::too_many()), Duration::ZERO, None)
            }
            Some(slot) => {
                let (reply, wait) = inside(shared, &asked, &faults, account, number).await;
                (reply, wait + latency + own, Some(slot))
            }
        },
    };
    *shared
        .mailchimp()
        .ledger
        .answers
        .entry(reply.status().as_u16())
        .or_default() += 1;
    // Somebody who goes away does not free the connection.
    let waiting = tokio::spawn(async move {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        drop(slot);
    });
    // It cannot fail.
    let _ = waiting.await;
    reply::date(&mut reply, shared.world().now(), &faults);
    reply
}

fn problem_reply(problem: &Problem, number: u64, faults: &[Fault]) -> Reply {
    let seed = digits(mix(number), 32);
    let instance = format!(
        "{}-{}-{}-{}-{}",
        &seed[..8],
        &seed[8..12],
        &seed[12..16],
        &seed[16..20],
        &seed[20..]
    );
    let body = problem
        .body(&instance, !faults.contains(&Fault::MailchimpNoType))
        .to_string();
    let mut reply = reply::json(problem.status, body);
    reply::put(
        &mut reply,
        header::CONTENT_TYPE,
        "application/problem+json; charset=utf-8",
    );
    reply::put(
        &mut reply,
        header::LINK,
        "<https://us1.api.mailchimp.com/schema/3.0/ProblemDetailDocument.json>; rel=\"describedBy\"",
    );
    reply::put(
        &mut reply,
        HeaderName::from_static("x-request-id"),
        &instance,
    );
    reply
}

/// A request that has a connection: its answer, and how much longer than others it takes.
async fn inside(
    shared: &Arc<Shared>,
    asked: &Incoming<'_>,
    faults: &[Fault],
    account: usize,
    number: u64,
) -> (Reply, Duration) {
    if let Some(name) = asked.headers.get("x-trigger-error") {
        let problem = Problem::triggered(name.to_str().unwrap_or_default());
        return (problem_reply(&problem, number, faults), Duration::ZERO);
    }
    let struck = struck(shared, faults, asked.method.as_str(), asked.path);
    if let Some(Struck::Before(reply)) = struck {
        shared.mailchimp().note_unread(
            asked.method.as_str(),
            asked.path,
            asked.body,
            "struck by a fault",
        );
        return (reply, Duration::ZERO);
    }
    let spoil = match &struck {
        Some(Struck::Members(spoil)) => *spoil,
        _ => Spoil::Nothing,
    };
    let reachable = asked.method == Method::POST
        && asked.path.ends_with("/webhooks")
        && answers(asked.body).await;
    let host = format!("http://{}", asked.header("host"));
    let asked = Asked {
        account,
        method: asked.method.as_str(),
        path: asked.path,
        query: asked.query,
        body: asked.body,
        spoil,
        reachable,
        host: &host,
    };
    let answer = shared.mailchimp().answer(&asked);
    let mut reply = match &answer {
        Ok(Value::Null) => empty(number),
        Ok(value) => reply::json(200, value.to_string()),
        Err(problem) => problem_reply(problem, number, faults),
    };
    if let Ok(value) = answer
        && (asked.method, asked.path.trim_matches('/')) == ("POST", "batches")
    {
        later(
            shared,
            account,
            value["id"].as_str().unwrap_or_default().to_owned(),
        );
    }
    let mut wait = Duration::ZERO;
    match struck {
        Some(Struck::Lost) => *reply.body_mut() = reply::cut_off(),
        Some(Struck::After(longer)) => wait = longer,
        Some(Struck::GivenUp(longer)) => {
            *reply.body_mut() = reply::cut_off();
            wait = longer;
        }
        _ => {}
    }
    (reply, wait)
}

/// 204 without a body, and without a type of it.
fn empty(number: u64) -> Reply {
    let mut reply = Reply::new(Body::empty());
    *reply.status_mut() = axum::http::StatusCode::NO_CONTENT;
    reply::put(
        &mut reply,
        HeaderName::from_static("x-request-id"),
        &digits(number, 16),
    );
    reply
}

/// Half-way through its time a batch is carried out.
fn later(shared: &Arc<Shared>, account: usize, id: String) {
    let (shared, half) = (
        Arc::clone(shared),
        Duration::from_millis(shared.mailchimp().switches.batch_ms / 2),
    );
    tokio::spawn(async move {
        tokio::time::sleep(half).await;
        shared.mailchimp().carry_out(account, &id);
    });
}

/// Whether the address of a new webhook answers a GET.
async fn answers(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(url) = body["url"].as_str().and_then(|url| Url::parse(url).ok()) else {
        return false;
    };
    let sent = crate::simulator::post::send(
        "GET",
        &url,
        &[("user-agent", "MailChimp.com WebHook Validator")],
        "",
    );
    tokio::time::timeout(Duration::from_secs(10), sent)
        .await
        .is_ok_and(|sent| sent.is_ok_and(|status| (200..300).contains(&status)))
}
