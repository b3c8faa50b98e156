//! An answer, and what its status means (contract 1 and 7). Bodies have at least five shapes: only the status decides.

use super::Error;
use crate::domain::Time;
use crate::resilience::{parse_date, retry_after};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use std::time::{Duration, SystemTime};
use url::Url;

/// No pause that a header orders on a good answer is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    date: Option<SystemTime>,
    after: Option<Duration>,
    is_html: bool,
    is_edge: bool,
    location: Option<String>,
    /// What `X-RateLimit-*` says: the window is used up for so long.
    pub(super) pause: Option<Duration>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Answer {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE.as_str()).and_then(parse_date);
        let number = |name: &str| text(name).and_then(|value| value.trim().parse::<u64>().ok());
        let used_up = number("x-ratelimit-remaining") == Some(0);
        let reset = number("x-ratelimit-reset").map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
        let pause = match (used_up, reset, date) {
            (true, Some(reset), Some(date)) => reset.duration_since(date).ok().map(|pause| pause.min(LONGEST_PAUSE)),
            _ => None,
        };
        let kind = text(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        let starts_with_tag = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
        Answer {
            status,
            date,
            after: text(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, date)),
            is_html: kind.contains("html") || starts_with_tag,
            is_edge: headers.contains_key("cf-mitigated"),
            location: text(LOCATION.as_str()).map(str::to_owned),
            pause,
            body,
        }
    }

    /// The source's own clock.
    pub(super) fn date(&self) -> Option<Time> {
        self.date.map(Time::from)
    }

    /// The answer if it is one, else what it means. `what` names the list or record for people.
    pub(super) fn classify(self, what: &str, asked: &Url) -> Result<Answer, Error> {
        let what = || what.to_owned();
        let status = self.status;
        Err(match status {
            200..=299 if self.is_html => Error::Protocol { cause: "a web page instead of JSON".to_owned() },
            200..=299 => return Ok(self),
            300..=399 => Error::Redirect { host: self.target(asked) },
            401 => Error::TokenRefused,
            403 if self.is_html || self.is_edge => Error::EdgeBlocked,
            403 => Error::Forbidden { what: what() },
            404 if self.is_html => Error::Protocol { cause: "a web page with status 404".to_owned() },
            404 => Error::NotFound { what: what() },
            429 => Error::RateLimited { status, after: self.wait() },
            408 | 425 | 500..=599 => Error::Unavailable { status, after: self.wait() },
            _ => Error::Refused { what: what(), status },
        })
    }

    /// Whether a 404 speaks of the record, not of the route: the gateway's own has no `error` (contract 7).
    pub(super) fn says_record_is_gone(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Gone {
            error: String,
        }
        self.status == 404 && !self.is_html && serde_json::from_slice::<Gone>(&self.body).is_ok_and(|gone| !gone.error.is_empty())
    }

    /// `Retry-After`, or `retry_after` in the body (contract 7).
    fn wait(&self) -> Option<Duration> {
        #[derive(serde::Deserialize)]
        struct Wait {
            retry_after: u64,
        }
        self.after.or_else(|| {
            let wait: Wait = serde_json::from_slice(&self.body).ok()?;
            retry_after(&wait.retry_after.to_string(), None)
        })
    }

    fn target(&self, asked: &Url) -> String {
        let target = self.location.as_deref().and_then(|location| asked.join(location).ok());
        target.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "an unknown host".to_owned())
    }
}
