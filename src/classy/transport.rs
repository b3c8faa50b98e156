//! Carries bytes: one connection pool for all organizations, no redirects, no proxies, deadlines and size limits.

use super::error::Error;
use crate::domain::Time;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use url::Url;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The pool shared by all organizations. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Transport(Line);

#[derive(Debug, Clone)]
enum Line {
    Pool(reqwest::Client),
    #[cfg(test)]
    Script(std::sync::Arc<script::Script>),
}

/// A request, ready to go.
pub(super) struct Request<'a> {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Present: a POST with this form. Absent: a GET.
    pub(super) form: Option<&'a [(&'static str, &'a SecretString)]>,
    pub(super) timeout: Duration,
    pub(super) max_body: usize,
}

/// A whole answer. Its body holds donors' data, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The source's clock.
    pub(super) fn date(&self) -> Option<Time> {
        httpdate::parse_http_date(self.header(DATE.as_str())?).ok().map(Time::from)
    }

    /// HTML by its content type or its first byte.
    pub(super) fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
            || self.body.trim_ascii_start().first() == Some(&b'<')
    }
}

impl Transport {
    /// Builds the pool. An empty `user_agent` stands for this program's own name and version.
    ///
    /// # Errors
    /// A user agent that is no header value, or a machine without usable TLS roots.
    pub fn new(user_agent: &str) -> Result<Transport, Error> {
        // Fails only if a provider is installed already, and that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let user_agent = if user_agent.is_empty() {
            concat!("classy-sync/", env!("CARGO_PKG_VERSION"), " (+data sync for nonprofits)")
        } else {
            user_agent
        };
        reqwest::Client::builder()
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(64)
            .build()
            .map(|client| Transport(Line::Pool(client)))
            .map_err(|error| Error::Settings { what: innermost(error) })
    }

    /// Sends, and reads the body whole.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Reply, Error> {
        match &self.0 {
            Line::Pool(client) => send(client, request).await,
            #[cfg(test)]
            Line::Script(script) => script.answer(request).await,
        }
    }
}

async fn send(client: &reqwest::Client, request: Request<'_>) -> Result<Reply, Error> {
    let Request { url, headers, form, timeout, max_body } = request;
    let (host, path) = (host(&url), url.path().to_owned());
    let builder = match form {
        None => client.get(url),
        Some(fields) => client.post(url).form(&fields.iter().map(|(name, value)| (name, value.expose_secret())).collect::<Vec<_>>()),
    };
    let failed = |error: reqwest::Error, midway: bool| failure(error, &host, timeout, midway);
    let mut response = builder.headers(headers).timeout(timeout).send().await.map_err(|error| failed(error, false))?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    // Counted after decoding: a small body can unfold into a huge one.
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(error, true))? {
        if body.len() + chunk.len() > max_body {
            return Err(Error::TooLarge { path, limit_bytes: max_body });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

/// Host and port, the only part of an address that is ever shown.
pub(super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or("(no host)");
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn failure(error: reqwest::Error, host: &str, limit: Duration, midway: bool) -> Error {
    let host = host.to_owned();
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return Error::Untrusted { host, detail: tls.to_string() };
    }
    if error.is_connect() {
        Error::Unreachable { host, detail: innermost(error) }
    } else if error.is_timeout() {
        Error::Timeout { host, limit }
    } else {
        Error::Interrupted { host, midway, detail: innermost(error) }
    }
}

/// The innermost cause, without the address.
fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    causes(&error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The causes, outermost first. An I/O error's own source skips the error that it wraps, so that one is opened by hand.
fn causes<'a>(error: &'a (dyn std::error::Error + 'static)) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source())
    })
}

#[cfg(test)]
pub(in crate::classy) mod script;
