//! The way of every data request: leave to send, the token at the last moment, another token after
//! a 401, retries.

use super::address::checked;
use super::classify::{Fault, RetryClass, allowed, classify, exhausted};
use super::contact::Contact;
use super::error::Error;
use super::headers::headers;
use super::refused_paths::RefusedPaths;
use super::retry_policy::{RetryPolicy, RetryProfile};
use super::settings::Settings;
use super::singles::Singles;
use super::token::{Token, Tokens};
use super::transport::{Reader, Reply, Request, Transport, host, shown_path};
use crate::entities::Entity;
use crate::net::{Breaker, Limiter, Limits, Permits, RetryBudget};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use url::Url;

/// Tokens that never served anybody and were refused, until the credentials count as refused.
const MOST_UNPROVED: u32 = 2;
/// Refused tokens in one request, even if each had served others before: they end faster than they
/// can be used.
const MOST_REFUSED: u32 = 10;

/// Tokens refused for one path, while another one is answered, until that path counts as refused by
/// itself.
const MOST_ALONE: u32 = 3;

/// The largest body that is read whole.
const MOST_WHOLE: usize = 1024 * 1024;

/// Whoever makes a value of an answer; made anew for each try.
pub(super) trait Take: Send {
    /// What is made of a good answer.
    type Out;
    /// The list that the request is about.
    fn list() -> Option<Entity> {
        None
    }
    /// Who reads a good body while it arrives; absent when it is read whole.
    fn reader(&mut self) -> Option<&mut dyn Reader> {
        None
    }
    /// Accepts the reply (200 or 404), or says what is wrong with it.
    fn finish(self, reply: &Reply) -> Result<Self::Out, Fault>;
}

/// A body that is read whole.
pub(super) struct Whole<F>(pub(super) F);

impl<T, F: FnOnce(&Reply) -> Result<T, Fault> + Send> Take for Whole<F> {
    type Out = T;

    fn finish(self, reply: &Reply) -> Result<T, Fault> {
        (self.0)(reply)
    }
}

/// Who waits for a permit and for the pace no longer than this does not wait for anything unusual.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// What all requests of one organization share.
#[derive(Debug)]
pub(super) struct RequestPipeline {
    pub(super) settings: Settings,
    pub(super) tokens: Tokens,
    transport: Transport,
    /// The smallest question that there is.
    control: Url,
    headers: HeaderMap,
    limiter: Limiter,
    permits: Permits,
    pub(super) breaker: Breaker,
    budget: RetryBudget,
    pub(super) contact: Contact,
    pub(super) singles: Singles,
    refused_paths: RefusedPaths,
    pub(super) requests: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Milliseconds spent on answered requests.
    pub(super) spent_ms: AtomicU64,
    /// Milliseconds by which the source's clock is ahead of ours, as of its last answer; `i64::MIN`
    /// before any.
    pub(super) skew_ms: AtomicI64,
}

impl RequestPipeline {
    pub(super) fn new(
        transport: &Transport,
        settings: Settings,
        control: Url,
    ) -> Result<RequestPipeline, Error> {
        let token_url = checked("token_url", &settings.token_url)?;
        let headers = headers(&settings.headers)?;
        let retries = settings.retries;
        Ok(RequestPipeline {
            tokens: Tokens::new(
                transport.clone(),
                token_url,
                headers.clone(),
                settings.clone(),
            ),
            transport: transport.clone(),
            control,
            headers,
            limiter: Limiter::new(settings.requests_per_minute),
            permits: Permits::new(settings.requests_per_minute, settings.max_concurrency),
            breaker: Breaker::new(
                retries.breaker_threshold,
                retries.breaker_pause,
                retries.breaker_pause * 10,
            ),
            budget: RetryBudget::new(retries.budget),
            contact: Contact::default(),
            singles: Singles::default(),
            refused_paths: RefusedPaths::default(),
            requests: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            spent_ms: AtomicU64::new(0),
            skew_ms: AtomicI64::new(i64::MIN),
            settings,
        })
    }

    /// Sends a GET until the reply is accepted or trying again makes no sense.
    pub(super) async fn get<T: Take>(
        &self,
        url: &Url,
        profile: RetryProfile,
        take: impl Fn() -> T,
    ) -> Result<T::Out, Error> {
        let outcome = self.persist(url, profile, 0, take).await;
        let is_single = profile == RetryProfile::Single;
        if let Err(error @ (Error::RateLimited { .. } | Error::EdgeBlocked { .. })) = &outcome
            && !is_single
        {
            // Only now: a short wait on the source's word is nothing that anybody should hear of.
            self.contact.failed(error, &host(url), T::list());
        }
        outcome
    }

    /// `unproved` tokens were refused already.
    async fn persist<T: Take>(
        &self,
        url: &Url,
        profile: RetryProfile,
        unproved: u32,
        take: impl Fn() -> T,
    ) -> Result<T::Out, Error> {
        let mut policy = RetryPolicy::new(&self.settings.retries, &self.budget, profile);
        let (mut refused, mut unproved) = (0, unproved);
        let (mut again, mut is_alone) = (false, false);
        loop {
            let fault = match self.attempt(url, profile, again, take()).await {
                Ok(value) => {
                    self.refused_paths.remove(url, profile);
                    return Ok(value);
                }
                Err((
                    Fault {
                        again: RetryClass::Token,
                        error,
                    },
                    generation,
                )) => {
                    refused += 1;
                    let is_known_here = self.tokens.has_served(generation)
                        && self.refused_paths.contains(url, profile);
                    if is_known_here || is_alone && refused >= MOST_ALONE {
                        // The token stays: if it came to its end, whoever asks elsewhere finds out.
                        self.refused_paths.insert(url, profile);
                        return Err(Error::RefusedHere {
                            path: shown_path(url),
                        });
                    }
                    unproved += u32::from(!self.tokens.reject(generation));
                    let is_control = profile == RetryProfile::Control;
                    if refused == MOST_REFUSED || is_control && unproved >= MOST_UNPROVED {
                        self.tokens.refuse();
                        return Err(error);
                    }
                    if unproved >= MOST_UNPROVED {
                        // The credentials, or this path? Another question tells, and proves the
                        // next token.
                        self.control(MOST_UNPROVED - 1).await?;
                        (is_alone, unproved) = (true, 0);
                    }
                    again = true;
                    continue;
                }
                Err((fault, _)) => fault,
            };
            let told_to_wait = match &fault.error {
                error @ (Error::RateLimited { .. } | Error::EdgeBlocked { .. }) => {
                    error.trouble(&host(url))
                }
                _ => None,
            };
            let wait = policy.next(fault)?;
            if let Some(met) = told_to_wait {
                self.contact.waits_for(&met, T::list());
            }
            tokio::time::sleep(wait).await;
            again = true;
        }
    }

    /// Asks for the organization itself: whether the source answers us at all. That it is not
    /// offered, or not to us, is an answer, too.
    fn control(
        &self,
        unproved: u32,
    ) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        Box::pin(async move {
            match self
                .persist(&self.control, RetryProfile::Control, unproved, || {
                    Whole(|_: &Reply| Ok(()))
                })
                .await
            {
                Err(Error::Forbidden { .. } | Error::BadRequest { .. }) => Ok(()),
                other => other,
            }
        })
    }

    /// One try. A failure comes with the generation of the token that was sent, 0 if none was.
    async fn attempt<T: Take>(
        &self,
        url: &Url,
        profile: RetryProfile,
        again: bool,
        mut take: T,
    ) -> Result<T::Out, (Fault, u64)> {
        let unsent = |error| (Fault::last(error), 0);
        let closed = |after| unsent(self.closed(after));
        // A control question may find that what opened the breaker were a few bad pages.
        let is_control = profile == RetryProfile::Control;
        if let Some(after) = self.breaker.open_for().filter(|_| !is_control) {
            return Err(closed(after));
        }
        let patience = profile.patience(&self.settings.retries);
        let came_at = tokio::time::Instant::now();
        let _permit = self.permits.take().await;
        self.limiter
            .ready(patience)
            .await
            .map_err(|after| unsent(Error::RateLimited { after }))?;
        if came_at.elapsed() > LONG_WAIT {
            self.contact.waited(T::list());
        }
        // After every wait, so that it is as young as it can be.
        let asking = self.contact.asking(T::list());
        let token = self
            .tokens
            .current(profile)
            .await
            .map_err(|error| unsent(self.without_token(error)))?;
        let admission = match profile {
            RetryProfile::Control => self.breaker.control(),
            _ => self.breaker.admit().map_err(|open| closed(open.after))?,
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        if again {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
        let sent_at = tokio::time::Instant::now();
        let reader = take.reader();
        let request = self.request(url, &token, reader.is_some());
        let outcome = match self.transport.send(request, reader).await {
            Ok(reply) => {
                self.measure(&reply, sent_at.elapsed());
                self.judge(&reply, url, profile, take)
            }
            Err(error) => Err(Fault::transport(error)),
        };
        drop(asking);
        match &outcome {
            Err(fault) if fault.source_failed() == Some(true) && !profile.is_alone() => {
                self.contact.failed(&fault.error, &host(url), T::list());
            }
            Err(fault) if fault.source_failed() != Some(false) => {}
            // Lists are what is wanted: that something else is answered does not mean that they
            // are.
            _ if profile == RetryProfile::Single || T::list().is_none() => {}
            _ => self.contact.works(T::list()),
        }
        match &outcome {
            Ok(_) => {
                self.tokens.served(token.generation);
                self.budget.earn();
                admission.succeeded();
            }
            Err(fault) => match fault.source_failed() {
                Some(true) if profile.is_alone() => drop(admission),
                Some(true) => admission.failed(),
                Some(false) => admission.succeeded(),
                None => drop(admission),
            },
        }
        outcome.map_err(|fault| (fault, token.generation))
    }

    /// Nothing is sent for a while: with what failed before, so that the cause is told and not only
    /// what it led to.
    fn closed(&self, after: Duration) -> Error {
        let cause = self.contact.pulse().trouble.map_or_else(
            || "Classy failed too often in a row".to_owned(),
            |trouble| trouble.text,
        );
        Error::BreakerOpen { cause, after }
    }

    /// No token could be had.
    fn without_token(&self, error: Error) -> Error {
        match error {
            Error::BreakerOpen { after, .. } => self.closed(after),
            error => {
                self.contact.failed(&error, &self.tokens.host(), None);
                error
            }
        }
    }

    fn request(&self, url: &Url, token: &Token, is_streamed: bool) -> Request<'static> {
        let mut headers = self.headers.clone();
        headers.insert(AUTHORIZATION, token.header.clone());
        // What is not read while it arrives is in memory whole.
        let most = if is_streamed {
            self.settings.max_body
        } else {
            self.settings.max_body.min(MOST_WHOLE)
        };
        let limits = Limits::of(most).over(self.settings.drip_window);
        Request {
            url: url.clone(),
            headers,
            form: None,
            timeout: self.settings.data_timeout,
            limits,
        }
    }

    /// How long it took, and how the source's clock compares: its `Date` has whole seconds, of when
    /// it answered.
    fn measure(&self, reply: &Reply, took: Duration) {
        self.spent_ms.fetch_add(
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
        self.permits.fit(self.limiter.per_minute(), took);
        if let Some(date) = reply.date() {
            let ahead = (date - crate::clock::now()).num_milliseconds();
            self.skew_ms.store(ahead, Ordering::Relaxed);
        }
    }

    fn judge<T: Take>(
        &self,
        reply: &Reply,
        url: &Url,
        profile: RetryProfile,
        take: T,
    ) -> Result<T::Out, Fault> {
        self.bytes.fetch_add(reply.bytes, Ordering::Relaxed);
        let outcome = classify(reply, url).and_then(|()| take.finish(reply));
        match reply.status {
            429 | 503 => self.limiter.pushed_back(),
            200 => self.limiter.answered(allowed(reply)),
            _ => {}
        }
        let told = match &outcome {
            Err(Fault {
                again: RetryClass::Told(wait),
                ..
            }) => Some(*wait),
            _ => None,
        };
        // What one request is told slows all requests of this organization; but a long wait for one
        // record may be meant for it alone.
        let is_of_one = |wait: &Duration| {
            profile == RetryProfile::Single
                && outcome.is_err()
                && *wait > profile.sits_out(&self.settings.retries)
        };
        if let Some(wait) = exhausted(reply).max(told).filter(|wait| !is_of_one(wait)) {
            self.limiter.pause(wait);
        }
        outcome
    }
}
