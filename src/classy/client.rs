//! One organization's API. Every request goes the same way: a turn, the breaker, the token, send, classify; and again when that
//! may help.

use super::answer::Answer;
use super::token::Tokens;
use super::transport::{self, Transport};
use super::wire::Wire;
use super::{Error, Settings, envelope};
use crate::domain::{Item, Page, Query, Time};
use crate::resilience::{Breaker, Limiter};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use url::Url;

/// Failures in a row before calls rest, and for how long.
const THRESHOLD: u32 = 10;
const REST: Duration = Duration::from_secs(10);
/// Fresh tokens for one request before the credentials are taken for useless.
const REFRESHES: u32 = 2;
/// Tries of a host that cannot be reached: a person at a prompt should not wait for the whole schedule.
const TRIES_UNREACHABLE: u32 = 3;
/// Tries when the edge blocks us: it does not forget soon.
const TRIES_EDGE: u32 = 2;
/// Tries when the API orders waits: it is well, and busy.
const TRIES_LIMITED: u32 = 30;

/// One organization's API. Cheap to clone: all clones share token, limits and breaker.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    settings: Settings,
    headers: HeaderMap,
    tokens: Tokens,
    limiter: Limiter,
    breaker: Breaker,
    requests: AtomicU64,
    retries: AtomicU64,
}

/// What a client did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Requests for a token.
    pub token_requests: u64,
    /// Requests for data, retries included.
    pub data_requests: u64,
    /// Of those, retries.
    pub retries: u64,
}

/// What the source says of the organization itself (contract 6.5), where it says anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationInfo {
    /// Its name.
    pub name: Option<String>,
    /// The reporting currency.
    pub currency_code: Option<String>,
    /// IANA name of the reporting zone.
    pub timezone: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares access; asks nothing yet.
    pub fn new(transport: &Transport, settings: Settings) -> Client {
        let inner = Inner {
            transport: transport.clone(),
            headers: transport::header_map(&settings.headers),
            tokens: Tokens::new(),
            limiter: Limiter::new(settings.max_concurrency, settings.requests_per_minute),
            breaker: Breaker::new(THRESHOLD, REST),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            settings,
        };
        Client { inner: Arc::new(inner) }
    }

    /// One page of a list, from 1; past the end it is empty (contract 4: an empty list or a 404).
    ///
    /// # Errors
    /// See [`Error`]; transient ones were retried.
    pub async fn page<R: Wire>(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, Error> {
        let settings = &self.inner.settings;
        let mut url = self.url(&["organizations", &settings.classy_id.to_string(), R::ENTITY.path()]);
        write_query(&mut url, query, page, per_page);
        let read = |answer: Answer| {
            if answer.status == 404 {
                return Ok(Page { items: Vec::new(), total: 0, date: answer.date(), bytes: answer.body.len() as u64 });
            }
            let (items, total) = envelope::read(&answer.body, settings.classy_id)?;
            Ok(Page { items, total, date: answer.date(), bytes: answer.body.len() as u64 })
        };
        self.fetch(&url, &format!("the list of {}", R::ENTITY), page > 1, read).await
    }

    /// One record; `None` when the API says that it does not exist.
    ///
    /// # Errors
    /// See [`Error`]; transient ones were retried.
    pub async fn one<R: Wire>(&self, id: i64) -> Result<Option<Item<R>>, Error> {
        let url = self.url(&[R::ENTITY.path(), &id.to_string()]);
        let read = |answer: Answer| {
            if answer.status == 404 {
                return Ok(None);
            }
            let text = std::str::from_utf8(&answer.body).map_err(|_| Error::Protocol { cause: "it is not UTF-8".to_owned() })?;
            match R::read(text, self.inner.settings.classy_id) {
                // An answer that names another record, or none, says nothing about this one.
                item if item.id() == Some(id) => Ok(Some(item)),
                _ => Err(Error::Protocol { cause: "a single record's answer holds another record".to_owned() }),
            }
        };
        self.fetch(&url, &format!("a record of {}", R::ENTITY), true, read).await
    }

    /// What the source says of the organization; nothing when it does not offer that (contract 3.2).
    ///
    /// # Errors
    /// See [`Error`]; transient ones were retried.
    pub async fn organization(&self) -> Result<OrganizationInfo, Error> {
        #[derive(Deserialize)]
        struct Told {
            name: Option<String>,
            currency_code: Option<String>,
            timezone_identifier: Option<String>,
        }
        let url = self.url(&["organizations", &self.inner.settings.classy_id.to_string()]);
        let read = |answer: Answer| {
            let told: Option<Told> = serde_json::from_slice(&answer.body).ok();
            Ok(told.map_or_else(OrganizationInfo::default, |told| OrganizationInfo {
                name: told.name,
                currency_code: told.currency_code,
                timezone: told.timezone_identifier,
            }))
        };
        match self.fetch(&url, "the organization", true, read).await {
            Err(Error::NotFound { .. } | Error::Refused { .. } | Error::Forbidden { .. }) => Ok(OrganizationInfo::default()),
            other => other,
        }
    }

    /// How many requests may be under way at once.
    pub fn max_concurrency(&self) -> usize {
        self.inner.settings.max_concurrency.max(1)
    }

    /// What this client did so far.
    pub fn stats(&self) -> Stats {
        Stats {
            token_requests: self.inner.tokens.requests.load(Relaxed),
            data_requests: self.inner.requests.load(Relaxed),
            retries: self.inner.retries.load(Relaxed),
        }
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.inner.settings.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Sends until it succeeds, fails for good, or was tried often enough. `gone_is_fine`: a 404 that speaks of the record, or
    /// of a page past the end, is an answer.
    async fn fetch<T>(&self, url: &Url, what: &str, gone_is_fine: bool, read: impl Fn(Answer) -> Result<T, Error>) -> Result<T, Error> {
        let inner = &*self.inner;
        let mut refused = None;
        let mut refreshed = 0;
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.attempt(url, what, gone_is_fine, &mut refused).await.and_then(&read) {
                Ok(value) => {
                    inner.breaker.succeeded();
                    return Ok(value);
                }
                Err(error) => error,
            };
            if matches!(error, Error::TokenRefused) {
                // The same request with a fresh token, at once; `attempt` has noted which one was refused.
                if refreshed < REFRESHES {
                    refreshed += 1;
                    tried -= 1;
                    continue;
                }
                return Err(error);
            }
            if error.is_illness() {
                inner.breaker.failed();
            } else if !matches!(error, Error::BreakerOpen { .. }) {
                inner.breaker.succeeded();
            }
            let Some(wait) = self.wait(&error, tried) else { return Err(error) };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(organization = inner.settings.classy_id, tried, wait_ms, %error, "a request is tried again");
            if error.after().is_some() {
                inner.limiter.pause(wait);
            }
            inner.retries.fetch_add(1, Relaxed);
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before the next try; `None` when there is none.
    fn wait(&self, error: &Error, tried: u32) -> Option<Duration> {
        let mut backoff = self.inner.settings.backoff;
        match error {
            Error::BreakerOpen { rest } => return (tried < backoff.tries).then_some(*rest),
            error if !error.is_transient() => return None,
            Error::Unreachable { .. } => backoff.tries = backoff.tries.min(TRIES_UNREACHABLE),
            Error::EdgeBlocked => {
                backoff.tries = backoff.tries.min(TRIES_EDGE);
                backoff.first *= 10;
            }
            Error::RateLimited { .. } if backoff.tries > 1 => backoff.tries = TRIES_LIMITED,
            _ => {}
        }
        backoff.wait(tried, error.after())
    }

    async fn attempt(&self, url: &Url, what: &str, gone_is_fine: bool, refused: &mut Option<u64>) -> Result<Answer, Error> {
        let inner = &*self.inner;
        let _turn = inner.limiter.turn().await;
        inner.breaker.admit().map_err(|open| Error::BreakerOpen { rest: open.rest })?;
        // Read at the moment of sending, after every wait.
        let token = inner.tokens.get(&inner.transport, &inner.settings, &inner.headers, *refused).await?;
        inner.requests.fetch_add(1, Relaxed);
        let answer = inner.transport.get(url.clone(), &token.secret, &inner.headers).await?;
        if let Some(pause) = answer.pause {
            inner.limiter.pause(pause);
        }
        if gone_is_fine && answer.says_record_is_gone() {
            return Ok(answer);
        }
        let answer = answer.classify(what, url);
        if matches!(answer, Err(Error::TokenRefused)) {
            *refused = Some(token.generation);
        }
        answer
    }
}

/// Names sort and size in every request, and encodes the filter once (contract 4 and 5).
fn write_query(url: &mut Url, query: Query, page: u32, per_page: u32) {
    let since = |field: &str, from: Time| format!("{field}>={}", from.format("%Y-%m-%dT%H:%M:%SZ"));
    let (filter, sort) = match query {
        Query::All => (None, "id:asc"),
        Query::Since(from) => (Some(since("updated_at", from)), "updated_at:asc"),
        Query::LatestSince(from) => (Some(since("updated_at", from)), "updated_at:desc"),
        Query::PurchasedSince(from) => (Some(since("purchased_at", from)), "id:asc"),
    };
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("page", &page.to_string()).append_pair("per_page", &per_page.to_string()).append_pair("sort", sort);
    if let Some(filter) = filter {
        pairs.append_pair("filter", &filter);
    }
}
