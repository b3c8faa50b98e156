//! The access token: one refresh at a time, early enough, never by a stampede, and no hammering
//! with credentials that were refused.

use super::classify::{Fault, classify};
use super::error::Error;
use super::retry_policy::{RetryPolicy, RetryProfile};
use super::settings::Settings;
use super::transport::{Reply, Request, Transport};
use crate::net::{Breaker, Limits, RetryBudget};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// When the answer does not say how long a token lives.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(300);
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The largest lead of a refresh before the end.
const LARGEST_LEAD: Duration = Duration::from_secs(60);
/// Credentials that were refused are not tried again for this long.
const REFUSAL_HOLDS: Duration = Duration::from_secs(60);
/// A refresh ahead of time that failed is tried again after this long.
const EARLY_RETRY: Duration = Duration::from_secs(5);

/// The largest token reply that is read.
const MOST_OF_A_TOKEN: usize = 256 * 1024;

/// A token as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// `Bearer ...`, marked sensitive: neither logged nor indexed by HTTP/2.
    pub(super) header: HeaderValue,
    /// Rises with each token.
    pub(super) generation: u64,
    refresh_at: Instant,
    expires_at: Instant,
}

/// The token of one organization.
#[derive(Debug)]
pub(super) struct Tokens {
    transport: Transport,
    url: Url,
    client_id: SecretString,
    settings: Settings,
    headers: HeaderMap,
    breaker: Breaker,
    budget: RetryBudget,
    requests: AtomicU64,
    refreshing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    generation: u64,
    /// The latest token with which a request was answered.
    served: u64,
    /// Refreshes that came to an end, good or bad: who waited for one shares its outcome.
    rounds: u64,
    failure: Option<Error>,
    refused: Option<(Instant, Error)>,
}

/// What is at hand without asking.
enum CachedToken {
    Fresh(Token),
    /// Still valid, but due for its refresh.
    Due(Token),
    Nothing {
        rounds: u64,
    },
}

impl Tokens {
    pub(super) fn new(
        transport: Transport,
        url: Url,
        headers: HeaderMap,
        settings: Settings,
    ) -> Tokens {
        let retries = settings.retries;
        Tokens {
            transport,
            url,
            client_id: settings.client_id.clone().into(),
            settings,
            headers,
            breaker: Breaker::new(
                retries.breaker_threshold,
                retries.breaker_pause,
                retries.breaker_pause * 10,
            ),
            budget: RetryBudget::new(retries.budget),
            requests: AtomicU64::new(0),
            refreshing: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
        }
    }

    /// Token requests sent so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A token to send now. Asks for one if none is valid; refreshes one that ends soon, but lives
    /// with it while it lasts.
    pub(super) async fn current(&self, profile: RetryProfile) -> Result<Token, Error> {
        let rounds = match self.at_hand()? {
            CachedToken::Fresh(token) => return Ok(token),
            CachedToken::Due(token) => return self.refresh_early(token).await,
            CachedToken::Nothing { rounds } => rounds,
        };
        let _turn = self.refreshing.lock().await;
        match self.at_hand()? {
            CachedToken::Fresh(token) | CachedToken::Due(token) => return Ok(token),
            CachedToken::Nothing { rounds: now } if now != rounds => {
                if let Some(error) = self.lock().failure.clone() {
                    return Err(error);
                }
            }
            CachedToken::Nothing { .. } => {}
        }
        let mut policy = RetryPolicy::new(&self.settings.retries, &self.budget, profile);
        let outcome = loop {
            match self.ask().await {
                Ok(token) => break Ok(token),
                Err(fault) => match policy.next(fault) {
                    Ok(wait) => tokio::time::sleep(wait).await,
                    Err(error) => break Err(error),
                },
            }
        };
        self.conclude(outcome)
    }

    /// A data request was answered with this token.
    pub(super) fn served(&self, generation: u64) {
        let mut state = self.lock();
        state.served = state.served.max(generation);
    }

    /// Whether a data request was answered with this token, or a newer one.
    pub(super) fn has_served(&self, generation: u64) -> bool {
        self.lock().served >= generation
    }

    /// A data request was refused with this token: the next one gets another. A token that is newer
    /// already stays. Answers whether it had served before, so that it has merely come to its end.
    pub(super) fn reject(&self, generation: u64) -> bool {
        let mut state = self.lock();
        if state
            .token
            .as_ref()
            .is_some_and(|token| token.generation == generation)
        {
            state.token = None;
        }
        state.served >= generation
    }

    /// Whether the credentials were refused, and how long the token at hand lives.
    pub(super) fn pulse(&self) -> (bool, Option<Duration>) {
        let state = self.lock();
        let lives = state
            .token
            .as_ref()
            .map(|token| token.expires_at.saturating_duration_since(Instant::now()));
        (
            state.refused.is_some(),
            lives.filter(|lives| !lives.is_zero()),
        )
    }

    /// Who gives the tokens.
    pub(super) fn host(&self) -> String {
        super::transport::host(&self.url)
    }

    /// A token was refused right after it was issued: nothing is sent for a while.
    pub(super) fn refuse(&self) {
        self.lock().refused = Some((Instant::now(), Error::TokenRefused));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_hand(&self) -> Result<CachedToken, Error> {
        let state = self.lock();
        if let Some((since, error)) = &state.refused
            && since.elapsed() < REFUSAL_HOLDS
        {
            return Err(error.clone());
        }
        let now = Instant::now();
        Ok(match &state.token {
            Some(token) if now < token.refresh_at => CachedToken::Fresh(token.clone()),
            Some(token) if now < token.expires_at => CachedToken::Due(token.clone()),
            _ => CachedToken::Nothing {
                rounds: state.rounds,
            },
        })
    }

    /// One try by one of those who meet it; the others go on with the old token.
    async fn refresh_early(&self, old: Token) -> Result<Token, Error> {
        let Ok(_turn) = self.refreshing.try_lock() else {
            return Ok(old);
        };
        if let CachedToken::Fresh(token) = self.at_hand()? {
            return Ok(token);
        }
        match self.ask().await {
            Ok(token) => self.conclude(Ok(token)),
            Err(Fault {
                error: error @ Error::CredentialsRefused { .. },
                ..
            }) => self.conclude(Err(error)),
            Err(fault) => {
                tracing::info!(reason = %fault.error, "a token could not be refreshed ahead of its end; using it while it lasts");
                if let Some(token) = &mut self.lock().token {
                    token.refresh_at = Instant::now() + EARLY_RETRY;
                }
                if Instant::now() < old.expires_at {
                    Ok(old)
                } else {
                    Err(fault.error)
                }
            }
        }
    }

    fn conclude(&self, outcome: Result<Token, Error>) -> Result<Token, Error> {
        let mut state = self.lock();
        state.rounds += 1;
        match &outcome {
            Ok(token) => {
                state.token = Some(token.clone());
                state.failure = None;
                state.refused = None;
            }
            Err(error) => {
                state.failure = Some(error.clone());
                if matches!(error, Error::CredentialsRefused { .. }) {
                    state.refused = Some((Instant::now(), error.clone()));
                }
            }
        }
        outcome
    }

    /// One token request (contract 1). Its form leaves only to the configured address: redirects
    /// are not followed.
    async fn ask(&self) -> Result<Token, Fault> {
        let admission = self.breaker.admit().map_err(|open| {
            Fault::last(Error::BreakerOpen {
                cause: "no token was given".to_owned(),
                after: open.after,
            })
        })?;
        let grant = SecretString::from("client_credentials");
        let form = [
            ("grant_type", &grant),
            ("client_id", &self.client_id),
            ("client_secret", &self.settings.client_secret),
        ];
        let asked_at = Instant::now();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = Request {
            url: self.url.clone(),
            headers: self.headers.clone(),
            form: Some(&form),
            timeout: self.settings.token_timeout,
            limits: Limits::of(MOST_OF_A_TOKEN).over(self.settings.drip_window),
        };
        let answer = match self.transport.send(request, None).await {
            Ok(reply) => self.read(&reply, asked_at),
            Err(error) => Err(Fault::transport(error)),
        };
        match &answer {
            Ok(_) => {
                self.budget.earn();
                admission.succeeded();
            }
            Err(fault) => match fault.source_failed() {
                Some(true) => admission.failed(),
                Some(false) => admission.succeeded(),
                None => drop(admission),
            },
        }
        answer
    }

    fn read(&self, reply: &Reply, asked_at: Instant) -> Result<Token, Fault> {
        match classify(reply, &self.url) {
            Ok(()) if reply.status == 200 => {}
            Ok(()) => {
                return Err(Fault::last(Error::NoTokens {
                    status: reply.status,
                }));
            }
            // Bad credentials are a 400 here (contract 1); a gateway may say 401 or 403 for the
            // same.
            Err(Fault {
                error:
                    Error::BadRequest { status: 400, .. }
                    | Error::TokenRefused
                    | Error::Forbidden { .. },
                ..
            }) => {
                return Err(Fault::last(Error::CredentialsRefused {
                    status: reply.status,
                }));
            }
            Err(Fault {
                error: Error::BadRequest { status, .. },
                ..
            }) => return Err(Fault::last(Error::NoTokens { status })),
            Err(fault) => return Err(fault),
        }
        let (header, lifetime) =
            grant(&reply.body).map_err(|what| Fault::protocol(&self.url, what))?;
        let mut state = self.lock();
        state.generation += 1;
        tracing::debug!(
            generation = state.generation,
            lifetime_s = lifetime.as_secs(),
            "a new access token"
        );
        Ok(Token {
            header,
            generation: state.generation,
            refresh_at: asked_at + lifetime - (lifetime / 10).min(LARGEST_LEAD),
            expires_at: asked_at + lifetime,
        })
    }
}

/// The header and the lifetime in a token reply.
fn grant(body: &[u8]) -> Result<(HeaderValue, Duration), &'static str> {
    #[derive(Deserialize)]
    struct Body<'a> {
        access_token: Option<String>,
        #[serde(borrow)]
        expires_in: Option<&'a RawValue>,
    }
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| "not a token reply")?;
    let token = SecretString::from(body.access_token.ok_or("access_token is missing")?);
    if token.expose_secret().is_empty() {
        return Err("access_token is empty");
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
        .map_err(|_| "access_token does not fit into a header")?;
    header.set_sensitive(true);
    Ok((header, lifetime(body.expires_in)))
}

/// From `expires_in`, whatever it is: the documents, captures and clients name three different
/// lifetimes (contract 1).
fn lifetime(expires_in: Option<&RawValue>) -> Duration {
    let seconds = expires_in
        .and_then(|raw| raw.get().trim_matches('"').trim().parse::<f64>().ok())
        .filter(|seconds| *seconds > 0.0);
    let told =
        seconds.map(|seconds| Duration::from_secs_f64(seconds.min(LONGEST_LIFETIME.as_secs_f64())));
    told.unwrap_or(UNTOLD_LIFETIME)
        .clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME)
}
