//! The connection pool shared by all organizations: each client would cost 2 ms and 100 KiB.

use super::Error;
use super::answer::Answer;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use std::error::Error as StdError;
use std::time::Duration;
use url::Url;

/// A page of 100 transactions with large `metadata` is a few MiB; more than this is no page.
const LIMIT_MIB: u64 = 16;

/// Connects, sends, reads: within a deadline, within a size, to the address it was given and no other.
#[derive(Debug, Clone)]
pub struct Transport {
    client: reqwest::Client,
}

impl Transport {
    /// Sets the pool up. The deadline is for a whole request, its body included.
    ///
    /// # Errors
    /// [`Error::Setup`].
    pub fn new(connect_timeout: Duration, deadline: Duration) -> Result<Transport, Error> {
        // Somebody else may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            // A redirect would take the token's form, and custom headers, to another host.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(connect_timeout)
            .timeout(deadline)
            .user_agent(concat!("classy-sync/", env!("CARGO_PKG_VERSION"), " (nonprofit data sync)"))
            .build()
            .map_err(|error| Error::Setup { cause: error.without_url().to_string() })?;
        Ok(Transport { client })
    }

    /// GET with a bearer token.
    pub(super) async fn get(&self, url: Url, token: &SecretString, headers: &HeaderMap) -> Result<Answer, Error> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| Error::Protocol { cause: "the token cannot be sent in a header".to_owned() })?;
        bearer.set_sensitive(true);
        self.send(self.client.get(url).header(AUTHORIZATION, bearer), headers).await
    }

    /// POST of a form: the token request, the only one that carries the secret.
    pub(super) async fn post_form(&self, url: Url, form: &[(&str, &str)], headers: &HeaderMap) -> Result<Answer, Error> {
        self.send(self.client.post(url).form(form), headers).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, headers: &HeaderMap) -> Result<Answer, Error> {
        let request = request.header(ACCEPT, "application/json").headers(headers.clone());
        let mut response = request.send().await.map_err(explain)?;
        let limit = LIMIT_MIB * 1024 * 1024;
        let mut body = Vec::with_capacity(response.content_length().unwrap_or(64 * 1024).min(limit) as usize);
        // Decompressed bytes are counted, so that a small body cannot become a large one.
        while let Some(chunk) = response.chunk().await.map_err(explain)? {
            if body.len() as u64 + chunk.len() as u64 > limit {
                return Err(Error::TooLarge { limit_mib: LIMIT_MIB });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(response.status().as_u16(), response.headers(), body))
    }
}

/// An organization's extra headers; the configuration has checked them, a wrong one here is left out.
pub(super) fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let parse = |(name, value): &(String, String)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?));
    headers.iter().filter_map(parse).filter(|(name, _)| name != AUTHORIZATION).collect()
}

/// A network failure without its URL, which is nobody's business in a log.
fn explain(error: reqwest::Error) -> Error {
    let host = error.url().map_or_else(String::new, |url| {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}{port}", url.host_str().unwrap_or_default())
    });
    let unreachable = error.is_connect();
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut cause: &dyn StdError = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = if timed_out { "it took too long".to_owned() } else { cause.to_string() };
    if unreachable { Error::Unreachable { host, cause } } else { Error::Interrupted { cause } }
}
