//! What one organization's access needs.

use crate::resilience::Backoff;
use secrecy::SecretString;
use std::time::Duration;
use url::Url;

/// One organization's access to the API.
#[derive(Clone)]
pub struct Settings {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// `https://api.classy.org/2.0`, without a slash at the end.
    pub base_url: Url,
    /// `https://api.classy.org/oauth2/auth`.
    pub token_url: Url,
    /// Opaque.
    pub client_id: String,
    /// Opaque, and secret.
    pub client_secret: SecretString,
    /// Requests a minute; 0 is unlimited.
    pub requests_per_minute: u32,
    /// Requests under way at once.
    pub max_concurrency: usize,
    /// Sent with every request, the token's included.
    pub headers: Vec<(String, String)>,
    /// How transient failures are retried.
    pub backoff: Backoff,
}

impl Settings {
    /// The retries that suit the API: about half a minute in all.
    pub const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(60), tries: 7 };
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("classy_id", &self.classy_id).field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}
