//! One handler for everything, so that each request is seen, judged and written down in one place.

use super::classy::{Request, answer, no_route, token_answer};
use super::control;
use super::fault::Fault;
use super::ledger::Entry;
use super::options::Options;
use super::reply::{self, Reply};
use super::server::Shared;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const TOKEN_PATH: &str = "/oauth2/auth";

/// What the edge takes for robots.
const DEFAULT_AGENTS: [&str; 8] = ["curl", "wget", "python", "reqwest", "node", "axios", "go-http-client", "guzzlehttp"];

/// What became of a request.
struct Outcome {
    reply: Reply,
    token: Option<u64>,
    fault: Option<Fault>,
}

impl Outcome {
    fn plain(status: u16, body: String) -> Outcome {
        Outcome { reply: reply::json(status, body), token: None, fault: None }
    }
}

pub(super) async fn handle(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Reply {
    let path = uri.path().to_owned();
    if let Some(rest) = path.strip_prefix("/__sim") {
        let (status, body) = control::answer(&shared, method.as_str(), rest, &body);
        return reply::json(status, body);
    }
    // Decoded once, as forms are: a plus is a space.
    let query: Vec<(String, String)> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let (options, faults) = (shared.options().clone(), shared.world().faults.clone());
    let outcome = if at_the_edge(&options, &faults, &headers) {
        Outcome { reply: reply::blocked(), token: None, fault: Some(Fault::EdgeBlock) }
    } else if path == TOKEN_PATH {
        token(&shared, &options, &faults, &method, &headers, &body)
    } else {
        data(&shared, &options, &faults, &method, &path, &query, &headers)
    };
    let wait = match outcome.fault {
        Some(Fault::Slow) => Duration::from_secs(1),
        Some(Fault::Hang) => Duration::from_secs(86_400),
        _ if path.ends_with("/supporters") => options.supporters_latency,
        _ => Duration::ZERO,
    };
    let Outcome { mut reply, token, fault } = outcome;
    let (method, status) = (method.to_string(), reply.status().as_u16());
    shared.ledger().write_down(Entry { method, path, query, token, status, fault: fault.map(|fault| fault.to_string()) }, TOKEN_PATH);
    let wait = options.latency + wait;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    reply::date(&mut reply, shared.world().now(), &faults);
    if faults.contains(&Fault::Packed) { reply::packed(reply) } else { reply }
}

/// Whether the edge stops a request before the API sees it (contract 2).
fn at_the_edge(options: &Options, faults: &[Fault], headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent = header("user-agent").to_ascii_lowercase();
    let default_agent = agent.is_empty() || DEFAULT_AGENTS.iter().any(|name| agent.starts_with(name));
    faults.contains(&Fault::EdgeBlock) && default_agent
        || options.integration_id.as_ref().is_some_and(|wanted| header("x-integration-id") != wanted)
}

fn token(shared: &Shared, options: &Options, faults: &[Fault], method: &Method, headers: &HeaderMap, body: &Bytes) -> Outcome {
    if method != Method::POST {
        return Outcome::plain(405, String::new());
    }
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let (status, body) = token_answer(&shared.world(), &mut shared.tokens(), body, is_json, options.token_life);
    let strike = faults.contains(&Fault::TokenErrors).then(|| shared.striker().strike(faults, TOKEN_PATH)).flatten();
    let mut outcome = Outcome::plain(status, String::new());
    outcome.reply = match strike {
        Some(strike) => strike.spoil(faults, status, body.to_string(), shared.stranger, shared.world().now()),
        None => reply::json(status, body.to_string()),
    };
    outcome.fault = strike.map(|strike| strike.fault);
    if outcome.reply.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
        reply::put(&mut outcome.reply, header::CONTENT_TYPE, "application/json; charset=utf-8");
    }
    outcome
}

fn data(
    shared: &Shared,
    options: &Options,
    faults: &[Fault],
    method: &Method,
    path: &str,
    query: &[(String, String)],
    headers: &HeaderMap,
) -> Outcome {
    let version = ["/2.0", "/api/2.0"].into_iter().find(|version| path.strip_prefix(version).is_some_and(|rest| rest.starts_with('/')));
    let Some(version) = version else {
        let (status, body) = no_route();
        return Outcome::plain(status, body);
    };
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(bearer) = header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) else {
        let body = "{\"error\":\"invalid_request\",\"error_description\":\"The access token is missing\"}";
        return Outcome::plain(401, body.to_owned());
    };
    let Some(given) = shared.tokens().find(bearer) else {
        let body = "{\"error\":\"invalid_token\",\"error_description\":\"The access token is invalid or has expired\"}";
        return Outcome::plain(401, body.to_owned());
    };
    let token = Some(given.number);
    let limit = options.requests_per_minute;
    let taken = (limit > 0).then(|| shared.buckets().take(given.organization, limit, Instant::now()));
    let limited = |mut reply: Reply| {
        if let Some(taken) = taken.filter(|_| !faults.contains(&Fault::NoRateHeaders)) {
            reply::put(&mut reply, HeaderName::from_static("x-ratelimit-limit"), &limit.to_string());
            reply::put(&mut reply, HeaderName::from_static("x-ratelimit-remaining"), &taken.remaining.to_string());
        }
        reply
    };
    if let Some(wait_s) = taken.and_then(|taken| taken.wait_s) {
        let reply = limited(reply::too_many(faults, wait_s, shared.world().now()));
        return Outcome { reply, token, fault: None };
    }
    if method != Method::GET {
        return Outcome { token, ..Outcome::plain(405, "{}".to_owned()) };
    }
    let strike = shared.striker().strike(faults, path);
    let mut world = shared.world();
    if faults.contains(&Fault::Drift) && world.roll().is_multiple_of(2) {
        let few = (world.roll() % 3) as usize + 1;
        world.live(given.organization, few);
    }
    if faults.contains(&Fault::TokenExpiry) && world.roll().is_multiple_of(15) {
        shared.tokens().revoke_all();
    }
    let host = match faults.contains(&Fault::ForeignNextUrl) {
        true => format!("http://{}{version}", shared.stranger),
        false => format!("http://{}{version}", header(header::HOST).unwrap_or_default()),
    };
    let request = Request { client: given.organization, path: &path[version.len()..], query, host: &host };
    let (status, body) = answer(&mut world, &request);
    let now = world.now();
    drop(world);
    let reply = match strike {
        Some(strike) => strike.spoil(faults, status, body, shared.stranger, now),
        None => reply::json(status, body),
    };
    Outcome { reply: limited(reply), token, fault: strike.map(|strike| strike.fault) }
}
