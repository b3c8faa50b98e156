//! The way of every data request: leave to send, the token at the last moment, another token after a 401, retries.

use super::address::checked;
use super::classify::{Again, Fault, classify, exhausted};
use super::error::Error;
use super::ladder::{Effort, Ladder};
use super::settings::Settings;
use super::token::{Token, Tokens};
use super::transport::{Reply, Request, Transport};
use crate::resilience::{Breaker, Limiter, RetryBudget};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::sync::Semaphore;
use url::Url;

/// Headers that belong to the transport or carry the token; the configuration may not set them.
const OURS: [&str; 8] =
    ["authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "accept", "accept-encoding"];

/// Tokens that never served anybody and were refused, until the credentials count as refused.
const MOST_UNPROVED: u32 = 2;
/// Refused tokens in one request, even if each had served others before: they end faster than they can be used.
const MOST_REFUSED: u32 = 10;

/// What all requests of one organization share.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) settings: Settings,
    pub(super) tokens: Tokens,
    transport: Transport,
    headers: HeaderMap,
    limiter: Limiter,
    permits: Semaphore,
    pub(super) breaker: Breaker,
    budget: RetryBudget,
    pub(super) requests: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Milliseconds spent on answered requests.
    pub(super) spent_ms: AtomicU64,
    /// Milliseconds by which the source's clock is ahead of ours, as of its last answer; `i64::MIN` before any.
    pub(super) skew_ms: AtomicI64,
}

impl Lane {
    pub(super) fn new(transport: &Transport, settings: Settings) -> Result<Lane, Error> {
        let token_url = checked("token_url", &settings.token_url)?;
        let headers = headers(&settings.headers)?;
        let retries = settings.retries;
        Ok(Lane {
            tokens: Tokens::new(transport.clone(), token_url, headers.clone(), settings.clone()),
            transport: transport.clone(),
            headers,
            limiter: Limiter::new(settings.requests_per_minute),
            permits: Semaphore::new(settings.max_concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            breaker: Breaker::new(retries.breaker_threshold, retries.breaker_pause, retries.breaker_pause * 10),
            budget: RetryBudget::new(retries.budget),
            requests: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            spent_ms: AtomicU64::new(0),
            skew_ms: AtomicI64::new(i64::MIN),
            settings,
        })
    }

    /// Sends a GET until `read` accepts the reply (200 or 404) or trying again makes no sense.
    pub(super) async fn get<T>(&self, url: &Url, effort: Effort, read: impl Fn(&Reply) -> Result<T, Fault>) -> Result<T, Error> {
        let mut ladder = Ladder::new(&self.settings.retries, &self.budget, effort);
        let (mut refused, mut unproved) = (0, 0);
        let mut again = false;
        loop {
            let fault = match self.attempt(url, effort, again, &read).await {
                Ok(value) => return Ok(value),
                Err((Fault { again: Again::Token, error }, generation)) => {
                    refused += 1;
                    unproved += u32::from(!self.tokens.reject(generation));
                    if unproved == MOST_UNPROVED || refused == MOST_REFUSED {
                        self.tokens.refuse();
                        return Err(error);
                    }
                    again = true;
                    continue;
                }
                Err((fault, _)) => fault,
            };
            let wait = ladder.next(fault)?;
            tokio::time::sleep(wait).await;
            again = true;
        }
    }

    /// One try. A failure comes with the generation of the token that was sent, 0 if none was.
    async fn attempt<T>(
        &self,
        url: &Url,
        effort: Effort,
        again: bool,
        read: &impl Fn(&Reply) -> Result<T, Fault>,
    ) -> Result<T, (Fault, u64)> {
        let unsent = |error| (Fault::last(error), 0);
        let closed = |after| unsent(Error::BreakerOpen { after });
        if let Some(after) = self.breaker.open_for() {
            return Err(closed(after));
        }
        let patience = effort.patience(&self.settings.retries);
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        self.limiter.ready(patience).await.map_err(|after| unsent(Error::RateLimited { after }))?;
        // After every wait, so that it is as young as it can be.
        let token = self.tokens.current(effort).await.map_err(unsent)?;
        let admission = self.breaker.admit().map_err(|open| closed(open.after))?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        if again {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
        let sent_at = tokio::time::Instant::now();
        let outcome = match self.transport.send(self.request(url, &token)).await {
            Ok(reply) => {
                self.measure(&reply, sent_at.elapsed());
                self.judge(&reply, url, read)
            }
            Err(error) => Err(Fault::transport(error)),
        };
        match &outcome {
            Ok(_) => {
                self.tokens.served(token.generation);
                self.budget.earn();
                admission.succeeded();
            }
            Err(fault) => match fault.source_failed() {
                Some(true) => admission.failed(),
                Some(false) => admission.succeeded(),
                None => drop(admission),
            },
        }
        outcome.map_err(|fault| (fault, token.generation))
    }

    fn request(&self, url: &Url, token: &Token) -> Request<'static> {
        let mut headers = self.headers.clone();
        headers.insert(AUTHORIZATION, token.header.clone());
        Request { url: url.clone(), headers, form: None, timeout: self.settings.data_timeout, max_body: self.settings.max_body }
    }

    /// How long it took, and how the source's clock compares: its `Date` has whole seconds, of when it answered.
    fn measure(&self, reply: &Reply, took: std::time::Duration) {
        self.spent_ms.fetch_add(u64::try_from(took.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(date) = reply.date() {
            let ahead = (date - crate::clock::now()).num_milliseconds();
            self.skew_ms.store(ahead, Ordering::Relaxed);
        }
    }

    fn judge<T>(&self, reply: &Reply, url: &Url, read: impl Fn(&Reply) -> Result<T, Fault>) -> Result<T, Fault> {
        self.bytes.fetch_add(reply.body.len() as u64, Ordering::Relaxed);
        if let Some(wait) = exhausted(reply) {
            self.limiter.pause(wait);
        }
        let outcome = classify(reply, url).and_then(|()| read(reply));
        // What one request is told slows all requests of this organization.
        if let Err(Fault { again: Again::Told(wait), .. }) = &outcome {
            self.limiter.pause(*wait);
        }
        outcome
    }
}

/// The headers of every request, the token's too.
fn headers(extra: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in extra {
        let refuse = |why: &str| Error::Settings { what: format!("header {}: {why}", name.escape_debug()) };
        let parsed: HeaderName = name.parse().map_err(|_| refuse("not a header name"))?;
        if OURS.contains(&parsed.as_str()) {
            return Err(refuse("is set by this program"));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| refuse("its value does not fit into a header"))?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    Ok(headers)
}
