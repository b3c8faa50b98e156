//! The server: one handler for everything, so that each request is seen, judged and written down in one place.

use super::classy::{Tokens, answer, token_answer};
use super::fault::{Fault, Striker};
use super::ledger::{Entry, Ledger};
use super::world::World;
use super::{control, seed};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How the world and its server are.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// The same seed makes the same world.
    pub seed: u64,
    /// Classy's ids.
    pub organizations: Vec<i64>,
    /// Supporters of each organization; the other lists follow in the contract's proportions.
    pub supporters: usize,
    /// How long each answer takes.
    pub latency: Duration,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How long a token lives.
    pub token_life: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            organizations: vec![10001],
            supporters: 200,
            latency: Duration::ZERO,
            faults: Vec::new(),
            token_life: Duration::from_secs(7_200),
        }
    }
}

/// What the handlers share.
pub(super) struct Shared {
    world: Mutex<World>,
    ledger: Mutex<Ledger>,
    tokens: Mutex<Tokens>,
    striker: Mutex<Striker>,
    options: Options,
    stranger: SocketAddr,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }
}

/// A running double; it ends when it is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    servers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Makes the world and serves it, beside a stranger's server that redirects and foreign addresses lead to.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub async fn start(options: Options) -> std::io::Result<Simulator> {
        let listener = TcpListener::bind(options.listen).await?;
        let stranger = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: Mutex::new(seed::world(&options)),
            ledger: Mutex::default(),
            tokens: Mutex::default(),
            striker: Mutex::new(Striker::new(options.seed)),
            stranger: stranger.local_addr()?,
            options,
        });
        let serve = |listener: TcpListener, router: Router| {
            tokio::spawn(async move {
                // It serves until it is aborted.
                let _ = axum::serve(listener, router).await;
            })
        };
        let servers = vec![
            serve(listener, Router::new().fallback(handle).with_state(Arc::clone(&shared))),
            serve(stranger, Router::new().fallback(strange).with_state(Arc::clone(&shared))),
        ];
        Ok(Simulator { shared, address, servers })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's base address.
    pub fn base_url(&self) -> String {
        format!("http://{}/2.0", self.address)
    }

    /// The token endpoint.
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth2/auth", self.address)
    }

    /// The world, to be looked at and changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// What was asked so far.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.shared.ledger()
    }

    /// No token is good any more.
    pub fn revoke_tokens(&self) {
        self.shared.tokens().revoke_all();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

/// The host that nobody should send anything to.
async fn strange(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut ledger = shared.ledger();
    ledger.strangers += 1;
    if headers.contains_key(header::AUTHORIZATION) || !body.is_empty() {
        ledger.leaks += 1;
    }
    StatusCode::OK
}

async fn handle(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let query: Vec<(String, String)> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = uri.path().to_owned();
    if let Some(rest) = path.strip_prefix("/__sim") {
        let (status, body) = control::answer(&shared, method.as_str(), rest, &body);
        return json(status, body);
    }
    let (token, response) = if path == "/oauth2/auth" {
        (None, token(&shared, &method, &headers, &body))
    } else {
        data(&shared, &method, &path, &query, &headers)
    };
    let (fault, response) = response;
    write_down(
        &shared,
        Entry {
            method: method.to_string(),
            path,
            query,
            token,
            status: response.status().as_u16(),
            fault: fault.map(|fault| fault.to_string()),
        },
    );
    let slow = if fault == Some(Fault::Slow) { Duration::from_secs(1) } else { Duration::ZERO };
    let wait = shared.options.latency + slow;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    dated(&shared, response)
}

fn write_down(shared: &Shared, entry: Entry) {
    let mut ledger = shared.ledger();
    if entry.query.iter().any(|(name, _)| name.contains("secret") || name == "access_token") {
        ledger.secrets_in_query += 1;
    }
    if entry.path == "/oauth2/auth" {
        ledger.token_requests += 1;
    } else {
        ledger.data_requests += 1;
        ledger.writes += u64::from(entry.method != "GET");
    }
    ledger.requests.push(entry);
}

type Struck = (Option<Fault>, Response<Body>);

fn token(shared: &Shared, method: &Method, headers: &HeaderMap, body: &Bytes) -> Struck {
    if method != Method::POST {
        return (None, json(405, String::new()));
    }
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let world = shared.world();
    let (status, body) = token_answer(&world, &mut shared.tokens(), body, is_json, shared.options.token_life);
    (None, json(status, body.to_string()))
}

fn data(shared: &Shared, method: &Method, path: &str, query: &[(String, String)], headers: &HeaderMap) -> (Option<u64>, Struck) {
    let Some(rest) = path.strip_prefix("/2.0").or_else(|| path.strip_prefix("/api/2.0")) else {
        return (None, (None, json(404, "{\"message\":\"no Route matched with those values\",\"request_id\":\"0\"}".to_owned())));
    };
    let faults = shared.world().faults.clone();
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if faults.contains(&Fault::EdgeBlock)
        && (agent.is_empty() || ["curl", "python", "reqwest", "node", "axios"].iter().any(|name| agent.starts_with(name)))
    {
        return (None, (Some(Fault::EdgeBlock), blocked()));
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let Some(bearer) = bearer else {
        let body = "{\"error\":\"invalid_request\",\"error_description\":\"The access token is missing\"}";
        return (None, (None, json(401, body.to_owned())));
    };
    let found = shared.tokens().find(bearer);
    let Some((number, client)) = found else {
        let body = "{\"error\":\"invalid_token\",\"error_description\":\"The access token is invalid or has expired\"}";
        return (None, (None, json(401, body.to_owned())));
    };
    if method != Method::GET {
        return (Some(number), (None, json(405, "{}".to_owned())));
    }
    let fault = lock(&shared.striker).strike(&faults, path);
    let mut world = shared.world();
    if faults.contains(&Fault::Drift) && world.roll() % 2 == 0 {
        let few = (world.roll() % 3) as usize + 1;
        world.live(client, few);
    }
    if faults.contains(&Fault::TokenExpiry) && world.roll() % 15 == 0 {
        shared.tokens().revoke_all();
    }
    let host = match faults.contains(&Fault::ForeignNextUrl) {
        true => format!("http://{}/2.0", shared.stranger),
        false => format!("http://{}/2.0", headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()),
    };
    let (status, body) = answer(&world, client, rest, query, &host);
    drop(world);
    (Some(number), (fault, spoiled(shared, fault, status, body)))
}

/// The answer as the fault leaves it.
fn spoiled(shared: &Shared, fault: Option<Fault>, status: u16, body: String) -> Response<Body> {
    let coin = lock(&shared.striker).strike(&[], "").is_none() && body.len() % 2 == 0;
    match fault {
        Some(Fault::RateLimit) => {
            let mut response = json(429, "{\"message\":\"Too Many Attempts.\",\"retry_after\":1}".to_owned());
            if coin {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            response
        }
        Some(Fault::ServerErrors) if coin => page(502, "<html><body>Bad gateway</body></html>"),
        Some(Fault::ServerErrors) => json(500, String::new()),
        Some(Fault::TruncatedBody) => json(status, body.chars().take(body.chars().count() / 2).collect()),
        Some(Fault::Reset) => {
            let half: String = body.chars().take(body.chars().count() / 2).collect();
            let parts = [Ok(Bytes::from(half)), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
            let mut response = Response::new(Body::from_stream(futures_util::stream::iter(parts)));
            response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
            response
        }
        Some(Fault::Html200) => page(200, "<!DOCTYPE html><html><body>We will be back soon.</body></html>"),
        Some(Fault::WrongShape200) => {
            json(200, if coin { "{\"error\":\"please try again\"}" } else { "{\"data\":null,\"total\":0}" }.to_owned())
        }
        Some(Fault::EdgeBlock) => blocked(),
        Some(Fault::Redirect) => {
            let mut response = json(if coin { 302 } else { 307 }, String::new());
            if let Ok(place) = header::HeaderValue::try_from(format!("http://{}/elsewhere", shared.stranger)) {
                response.headers_mut().insert(header::LOCATION, place);
            }
            response
        }
        _ => json(status, body),
    }
}

fn json(status: u16, body: String) -> Response<Body> {
    respond(status, "application/json", body)
}

fn page(status: u16, body: &str) -> Response<Body> {
    respond(status, "text/html; charset=UTF-8", body.to_owned())
}

/// Cloudflare's page for those it takes for robots.
fn blocked() -> Response<Body> {
    let mut response = page(403, "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>");
    response.headers_mut().insert("cf-mitigated", header::HeaderValue::from_static("challenge"));
    response
}

fn respond(status: u16, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

/// The source's own clock in the answer's head.
fn dated(shared: &Shared, mut response: Response<Body>) -> Response<Body> {
    let world = shared.world();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(world.now().max(0) as u64);
    let text = if world.faults.contains(&Fault::NoDate) { String::new() } else { httpdate::fmt_http_date(at) };
    if let Ok(value) = header::HeaderValue::try_from(text) {
        response.headers_mut().insert(header::DATE, value);
    }
    response
}
