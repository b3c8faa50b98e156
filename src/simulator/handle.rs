//! One handler for everything, so that each request is seen, judged and written down in one place.

use super::classy::{Given, NO_TEXT, Request, answer, no_route, token_answer};
use super::control;
use super::fault::Fault;
use super::ledger::Entry;
use super::mailchimp::{self, Incoming};
use super::options::Options;
use super::reply::{self, Reply};
use super::server::Shared;
use super::strike::Strike;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const TOKEN_PATH: &str = "/oauth2/auth";

/// What the edge takes for robots.
const DEFAULT_AGENTS: [&str; 8] = [
    "curl",
    "wget",
    "python",
    "reqwest",
    "node",
    "axios",
    "go-http-client",
    "guzzlehttp",
];

/// What became of a request.
struct Outcome {
    reply: Reply,
    token: Option<u64>,
    fault: Option<Fault>,
}

impl Outcome {
    const fn of(reply: Reply) -> Outcome {
        Outcome {
            reply,
            token: None,
            fault: None,
        }
    }

    fn plain(status: u16, body: String) -> Outcome {
        Outcome::of(reply::json(status, body))
    }
}

/// What a request is judged by.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a [(String, String)],
    headers: &'a HeaderMap,
    body: &'a Bytes,
    options: Options,
    faults: Vec<Fault>,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let path = uri.path().to_owned();
    if let Some(rest) = path.strip_prefix("/__sim") {
        let (status, body) = control::answer(&shared, method.as_str(), rest, &body);
        return reply::json(status, body);
    }
    // Decoded once, as forms are: a plus is a space.
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    if let Some(rest) = path
        .strip_prefix("/3.0")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    {
        return mailchimp::serve(
            &shared,
            Incoming {
                method: &method,
                path: rest,
                query: &query,
                headers: &headers,
                body: &body,
            },
        )
        .await;
    }
    if let Some(name) = path.strip_prefix(mailchimp::RESULTS) {
        let faults = shared.world().faults.clone();
        let (status, bytes) = shared.mailchimp().results(name, &faults);
        return reply::bytes(status, bytes);
    }
    let options = shared.options().clone();
    let faults = shared.world().faults.clone();
    let asked = Asked {
        method: &method,
        path: &path,
        query: &query,
        headers: &headers,
        body: &body,
        options,
        faults,
    };
    let outcome = if at_the_edge(&asked) {
        Outcome {
            fault: Some(Fault::EdgeBlock),
            ..Outcome::of(reply::blocked())
        }
    } else if path == TOKEN_PATH {
        token(&shared, &asked)
    } else {
        data(&shared, &asked)
    };
    let wait = asked.options.latency
        + match outcome.fault {
            Some(Fault::Slow) => Duration::from_secs(1),
            Some(Fault::Hang) => Duration::from_secs(86_400),
            _ if path.ends_with("/supporters") => asked.options.supporters_latency,
            _ => Duration::ZERO,
        };
    let faults = asked.faults;
    let Outcome {
        mut reply,
        token,
        fault,
    } = outcome;
    let (method, status, fault) = (
        method.to_string(),
        reply.status().as_u16(),
        fault.map(|fault| fault.to_string()),
    );
    shared.ledger().write_down(
        Entry {
            method,
            path,
            query,
            token,
            status,
            fault,
        },
        TOKEN_PATH,
    );
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    reply::date(&mut reply, shared.world().now(), &faults);
    if faults.contains(&Fault::Packed) {
        reply::packed(reply)
    } else {
        reply
    }
}

/// Whether the edge stops a request before the API sees it (contract 2).
fn at_the_edge(asked: &Asked<'_>) -> bool {
    let agent = asked.header("user-agent").to_ascii_lowercase();
    let default_agent =
        agent.is_empty() || DEFAULT_AGENTS.iter().any(|name| agent.starts_with(name));
    asked.has(Fault::EdgeBlock) && default_agent
        || asked
            .options
            .integration_id
            .as_ref()
            .is_some_and(|wanted| asked.header("x-integration-id") != wanted)
}

fn token(shared: &Shared, asked: &Asked<'_>) -> Outcome {
    if asked.method != Method::POST {
        return Outcome::plain(405, String::new());
    }
    let is_json = asked.header("content-type").starts_with("application/json");
    let (status, body) = token_answer(
        &shared.world(),
        &mut shared.tokens(),
        asked.body,
        is_json,
        asked.options.token_life,
    );
    let strike = asked
        .has(Fault::TokenErrors)
        .then(|| shared.striker().strike(&asked.faults, TOKEN_PATH))
        .flatten();
    let mut outcome = outcome(shared, asked, strike, status, body.to_string());
    if outcome
        .reply
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json")
    {
        reply::put(
            &mut outcome.reply,
            header::CONTENT_TYPE,
            "application/json; charset=utf-8",
        );
    }
    outcome
}

/// Whose token it is, or the body of the 401 (contract 1).
fn bearer(shared: &Shared, asked: &Asked<'_>) -> Result<Given, &'static str> {
    let token = asked
        .header("authorization")
        .strip_prefix("Bearer ")
        .ok_or(
            "{\"error\":\"invalid_request\",\"error_description\":\"The access token is missing\"}",
        )?;
    let wrong = "{\"error\":\"invalid_token\",\"error_description\":\"The access token is invalid or has expired\"}";
    shared.tokens().find(token).ok_or(wrong)
}

fn data(shared: &Shared, asked: &Asked<'_>) -> Outcome {
    let after = |version: &str| {
        asked
            .path
            .strip_prefix(version)
            .filter(|rest| rest.starts_with('/'))
    };
    let Some((version, path)) = ["/2.0", "/api/2.0"]
        .into_iter()
        .find_map(|version| Some((version, after(version)?)))
    else {
        let (status, body) = no_route();
        return Outcome::plain(status, body);
    };
    let given = match bearer(shared, asked) {
        Ok(given) => given,
        Err(body) => return Outcome::plain(401, body.to_owned()),
    };
    let rate = asked.options.requests_per_minute;
    let taken = (rate > 0).then(|| {
        shared
            .buckets()
            .take(given.organization, rate, Instant::now())
    });
    let mut outcome = match taken.and_then(|taken| taken.wait_s) {
        Some(wait_s) => Outcome::of(reply::too_many(&asked.faults, wait_s, shared.world().now())),
        None if asked.method != Method::GET => Outcome::plain(405, "{}".to_owned()),
        None => within_the_rate(shared, asked, given, version, path),
    };
    outcome.token = Some(given.number);
    if let Some(taken) = taken.filter(|_| !asked.has(Fault::NoRateHeaders)) {
        reply::put(
            &mut outcome.reply,
            HeaderName::from_static("x-ratelimit-limit"),
            &rate.to_string(),
        );
        reply::put(
            &mut outcome.reply,
            HeaderName::from_static("x-ratelimit-remaining"),
            &taken.remaining.to_string(),
        );
    }
    outcome
}

fn within_the_rate(
    shared: &Shared,
    asked: &Asked<'_>,
    given: Given,
    version: &str,
    path: &str,
) -> Outcome {
    let strike = shared.striker().strike(&asked.faults, asked.path);
    let mut world = shared.world();
    if asked.has(Fault::Drift) && world.roll() % 2 == 0 {
        let few = (world.roll() % 3) as usize + 1;
        world.live(given.organization, few);
    }
    if asked.has(Fault::TokenExpiry) && world.roll() % 15 == 0 {
        shared.tokens().revoke_all();
    }
    let host = match asked.has(Fault::ForeignNextUrl) {
        true => format!("http://{}{version}", shared.stranger),
        false => format!("http://{}{version}", asked.header("host")),
    };
    let (status, body) = answer(
        &mut world,
        &Request {
            client: given.organization,
            path,
            query: asked.query,
            host: &host,
        },
    );
    drop(world);
    outcome(shared, asked, strike, status, body)
}

/// An answer, or what a fault made of it.
fn outcome(
    shared: &Shared,
    asked: &Asked<'_>,
    strike: Option<Strike>,
    status: u16,
    body: String,
) -> Outcome {
    let Some(strike) = strike else {
        if !body.contains(NO_TEXT) {
            return Outcome::plain(status, body);
        }
        // Where a text is none there are bytes that are no UTF-8.
        let pieces: Vec<&[u8]> = body.split(NO_TEXT).map(str::as_bytes).collect();
        let mut outcome = Outcome::plain(status, String::new());
        *outcome.reply.body_mut() = axum::body::Body::from(pieces.join(b"\xff\xc3".as_slice()));
        return outcome;
    };
    let reply = strike.spoil(
        &asked.faults,
        status,
        body,
        shared.stranger,
        shared.world().now(),
    );
    Outcome {
        fault: Some(strike.fault),
        ..Outcome::of(reply)
    }
}
