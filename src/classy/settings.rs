//! How one organization's Classy is reached.

use crate::net::{Limits, Pace};
use secrecy::SecretString;
use std::fmt;
use std::time::Duration;
use url::Url;

/// Access to one organization. Fields left at [`Settings::new`]'s defaults suit the real API.
#[derive(Clone)]
pub struct Settings {
    /// The organization's number at Classy.
    pub classy_id: i64,
    /// Where the data is, without a trailing path such as `/organizations`. HTTPS, or HTTP on
    /// loopback.
    pub base_url: Url,
    /// Where tokens come from. HTTPS, or HTTP on loopback.
    pub token_url: Url,
    /// Names the app at Classy.
    pub client_id: String,
    /// Its secret; leaves only in the body of a token request.
    pub client_secret: SecretString,
    /// Data requests a minute. The documents say 1800, the header's example 240 (contract 7).
    pub requests_per_minute: Pace,
    /// Data requests under way at the same time, at most; at least 1.
    pub max_concurrency: usize,
    /// Sent with every request, the token's too, for instance `x-integration-id` (contract 2). May
    /// replace `User-Agent`.
    pub headers: Vec<(String, String)>,
    /// The whole of a data request, from connecting to the last byte. The supporters list takes
    /// long (contract 3.1).
    pub data_timeout: Duration,
    /// The whole of a token request.
    pub token_timeout: Duration,
    /// Within each such span at least 15 KiB of a body must come, unless it ends: a source that
    /// drips is not waited for.
    pub drip_window: Duration,
    /// The largest decoded body that is read, in bytes. Lists and records are read while they
    /// arrive, so this costs no memory.
    pub max_body: usize,
    /// How failures are repeated.
    pub retries: Retries,
}

/// How often and how patiently a failed request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Tries of one request, the first included, while the source fails (5xx, 429, broken or
    /// senseless bodies, redirects).
    pub tries: u32,
    /// Tries when nobody answers at the address, or the edge turns us away.
    pub few: u32,
    /// Upper bound of the first wait; it doubles.
    pub base: Duration,
    /// Upper bound of any wait between tries.
    pub cap: Duration,
    /// Between tries when the edge in front of the API turns us away.
    pub edge: Duration,
    /// The longest wait on the source's word that a request sits out; a longer one is returned as
    /// [`super::Error::RateLimited`].
    pub patience: Duration,
    /// Retries that may be spent before successes must have earned more.
    pub budget: u32,
    /// Failures in a row that open the circuit breaker.
    pub breaker_threshold: u32,
    /// How long the breaker stays open at first; it doubles up to ten times this.
    pub breaker_pause: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Retries {
            tries: 8,
            few: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(15),
            edge: Duration::from_secs(30),
            patience: Duration::from_secs(300),
            budget: 100,
            breaker_threshold: 10,
            breaker_pause: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Settings with the defaults: as many requests as Classy takes, at most 16 at a time, 120 s a request, bodies of
    /// at most 64 MiB.
    pub fn new(
        classy_id: i64,
        base_url: Url,
        token_url: Url,
        client_id: String,
        client_secret: SecretString,
    ) -> Settings {
        Settings {
            classy_id,
            base_url,
            token_url,
            client_id,
            client_secret,
            requests_per_minute: Pace::Auto,
            max_concurrency: 16,
            headers: Vec::new(),
            data_timeout: Duration::from_secs(120),
            token_timeout: Duration::from_secs(30),
            drip_window: Limits::WINDOW,
            max_body: 64 * 1024 * 1024,
            retries: Retries::default(),
        }
    }
}

// Header values can be secrets, and so can what an operator pastes into an address.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("classy_id", &self.classy_id)
            .field("host", &self.base_url.host_str())
            .field("token_host", &self.token_url.host_str())
            .field("requests_per_minute", &self.requests_per_minute)
            .field("max_concurrency", &self.max_concurrency)
            .field(
                "headers",
                &self
                    .headers
                    .iter()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
