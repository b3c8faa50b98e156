//! What a reply means: branch on status and content, never on texts (contract 7).

use super::error::Error;
use super::transport::{Reply, host, shown_path};
use crate::clock;
use crate::domain::scrubbed;
use crate::net::{reset_at, retry_after};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;

/// The wait when the source asks for one without saying how long (a minute is its rate limit's
/// window).
const UNTOLD_WAIT: Duration = Duration::from_secs(60);

/// A failed try, and whether another makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) error: Error,
    pub(super) again: RetryClass,
}

/// Whether, and how, a try is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryClass {
    /// Not at all.
    Never,
    /// At once, with another token.
    Token,
    /// With exponential backoff.
    Backoff,
    /// The same, but soon given up: nobody is there.
    Few,
    /// Not before this, as the source said.
    Told(Duration),
    /// Rarely and slowly.
    Edge,
}

impl Fault {
    /// A fault that is not repeated.
    pub(super) const fn last(error: Error) -> Fault {
        Fault {
            error,
            again: RetryClass::Never,
        }
    }

    /// An answer that cannot be understood.
    pub(super) fn protocol(url: &Url, what: &str) -> Fault {
        Fault {
            error: Error::Protocol {
                path: shown_path(url),
                what: what.to_owned(),
            },
            again: RetryClass::Backoff,
        }
    }

    /// What the transport reported.
    pub(super) fn transport(error: Error) -> Fault {
        let again = match error {
            Error::Interrupted { .. } => RetryClass::Backoff,
            Error::Unreachable { .. } | Error::Timeout { .. } | Error::TooSlow { .. } => {
                RetryClass::Few
            }
            _ => RetryClass::Never,
        };
        Fault { error, again }
    }

    /// Whether the source itself is in trouble; nothing is told by rate limits and by the edge.
    pub(super) fn source_failed(&self) -> Option<bool> {
        match self.error {
            Error::Unavailable { .. }
            | Error::Timeout { .. }
            | Error::TooSlow { .. }
            | Error::Unreachable { .. }
            | Error::Untrusted { .. }
            | Error::Interrupted { .. }
            | Error::Protocol { .. } => Some(true),
            Error::RateLimited { .. } | Error::EdgeBlocked { .. } | Error::Redirect { .. } => None,
            _ => Some(false),
        }
    }
}

/// Lets through what the caller must read itself: 200 and 404.
pub(super) fn classify(reply: &Reply, url: &Url) -> Result<(), Fault> {
    let status = reply.status;
    let path = || shown_path(url);
    let error = match status {
        200 | 404 => return Ok(()),
        _ if blocked_by_edge(reply) => {
            return Err(Fault {
                error: Error::EdgeBlocked {
                    host: host(url),
                    status,
                },
                again: RetryClass::Edge,
            });
        }
        // Never followed. Asked again: what stands in front of the API redirects now and then, the
        // API itself never.
        301..=303 | 307 | 308 => {
            return Err(Fault {
                error: Error::Redirect {
                    host: redirect_host(reply, url),
                },
                again: RetryClass::Backoff,
            });
        }
        401 => {
            return Err(Fault {
                error: Error::TokenRefused,
                again: RetryClass::Token,
            });
        }
        403 => Error::Forbidden { path: path() },
        429 | 503 if told(reply).is_some() || status == 429 => {
            let after = told(reply);
            let error = Error::RateLimited {
                after: after.unwrap_or(UNTOLD_WAIT),
            };
            return Err(Fault {
                error,
                again: after.map_or(RetryClass::Backoff, RetryClass::Told),
            });
        }
        // What is no redirect among the 3xx, such as a cache's 304 to a question that names no
        // version, is no answer either.
        300..=399 | 408 | 425 | 500..=599 => {
            return Err(Fault {
                error: Error::Unavailable { status },
                again: RetryClass::Backoff,
            });
        }
        400..=499 => Error::BadRequest {
            path: path(),
            status,
        },
        _ => return Err(Fault::protocol(url, &format!("unexpected status {status}"))),
    };
    Err(Fault::last(error))
}

/// How long to wait before the next request, when a reply of any status says that the rate limit is
/// used up.
pub(super) fn exhausted(reply: &Reply) -> Option<Duration> {
    let remaining = reply.header("x-ratelimit-remaining")?.trim();
    (remaining == "0").then(|| reset(reply))?
}

/// How many requests a minute the source says that it allows.
pub(super) fn allowed(reply: &Reply) -> Option<u32> {
    let limit = reply.header("x-ratelimit-limit")?.trim().parse().ok();
    limit.filter(|limit| *limit > 0)
}

/// The source's word on when to come back.
fn told(reply: &Reply) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        retry_after: Option<&'a RawValue>,
    }
    let now = reply.date().unwrap_or_else(clock::now);
    let header = reply
        .header("retry-after")
        .and_then(|value| retry_after(value, now));
    let body = || {
        let body: Body<'_> = serde_json::from_slice(&reply.body).ok()?;
        retry_after(body.retry_after?.get().trim_matches('"'), now)
    };
    header.or_else(body).or_else(|| reset(reply))
}

fn reset(reply: &Reply) -> Option<Duration> {
    reset_at(
        reply.header("x-ratelimit-reset")?,
        reply.date().unwrap_or_else(clock::now),
    )
}

/// Cloudflare says so itself, or a refusal is no JSON (contract 2).
fn blocked_by_edge(reply: &Reply) -> bool {
    let refusal = (400..600).contains(&reply.status);
    refusal && reply.headers.contains_key("cf-mitigated")
        || reply.status == 403 && (reply.is_html() || !is_object(reply))
}

/// Whether a 404 says that there is no such route, not that there is no such record: Kong's own
/// body has a `request_id` (contract 7), the API's says only that the resource cannot be found.
pub(super) fn from_gateway(reply: &Reply) -> bool {
    #[derive(Deserialize)]
    struct Body {
        request_id: Option<IgnoredAny>,
    }
    reply.is_html()
        || serde_json::from_slice::<Body>(&reply.body).is_ok_and(|body| body.request_id.is_some())
}

fn is_object(reply: &Reply) -> bool {
    reply.body.trim_ascii_start().first() == Some(&b'{')
        && serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok()
}

fn redirect_host(reply: &Reply, url: &Url) -> String {
    let target = reply
        .header("location")
        .and_then(|location| url.join(location).ok());
    // The place is the other side's text.
    target.map_or_else(
        || "an unknown place".to_owned(),
        |target| scrubbed(&host(&target)),
    )
}
