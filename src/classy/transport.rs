//! Carries bytes: one connection pool for all organizations, deadlines and size limits.

use super::error::Error;
use crate::clock;
use crate::domain::{Clocks, Time};
use crate::net::{self, Cut, Limits};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use std::ops::ControlFlow;
use std::time::Duration;
use url::Url;

/// The most that is read of a body that only says what went wrong.
const MOST_OF_AN_ERROR: usize = 64 * 1024;

/// Whoever reads a good body (200) while it arrives.
pub(super) trait Reader: Send {
    /// Takes the next piece; may want no more.
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()>;
}

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
    pub(super) limits: Limits,
}

/// An answer. Its body holds donors' data, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Empty when somebody else read it; only the beginning when it says what went wrong and is
    /// long.
    pub(super) body: Vec<u8>,
    /// Decoded bytes that were read.
    pub(super) bytes: u64,
}

impl Reply {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The source's clock.
    pub(super) fn date(&self) -> Option<Time> {
        httpdate::parse_http_date(self.header(DATE.as_str())?)
            .ok()
            .map(Time::from)
    }

    /// Both clocks as it came.
    pub(super) fn clocks(&self) -> Clocks {
        Clocks {
            theirs: self.date(),
            ours: clock::now(),
        }
    }

    /// HTML by its content type or its first byte.
    pub(super) fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
            || self.body.trim_ascii_start().first() == Some(&b'<')
    }
}

impl Transport {
    /// Builds the pool. An empty `user_agent` stands for this program's own name and version.
    ///
    /// # Errors
    /// A user agent that is no header value, a proxy's address that is none.
    pub fn new(user_agent: &str) -> Result<Transport, Error> {
        let user_agent = if user_agent.is_empty() {
            concat!(
                "classy-sync/",
                env!("CARGO_PKG_VERSION"),
                " (+data sync for nonprofits)"
            )
        } else {
            user_agent
        };
        let client = net::client(|builder| {
            builder
                .user_agent(user_agent)
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(64)
        });
        client
            .map(|client| Transport(Line::Pool(client)))
            .map_err(|error| Error::Settings {
                what: error.to_string(),
            })
    }

    /// Sends, and reads the body: a good one piece by piece into the reader, where there is one,
    /// any other whole.
    pub(super) async fn send(
        &self,
        request: Request<'_>,
        reader: Option<&mut dyn Reader>,
    ) -> Result<Reply, Error> {
        match &self.0 {
            Line::Pool(client) => send(client, request, reader).await,
            #[cfg(test)]
            Line::Script(script) => script.answer(request, reader).await,
        }
    }
}

async fn send(
    client: &reqwest::Client,
    request: Request<'_>,
    reader: Option<&mut dyn Reader>,
) -> Result<Reply, Error> {
    let Request {
        url,
        headers,
        form,
        timeout,
        limits,
    } = request;
    let (host, path) = (host(&url), shown_path(&url));
    let builder = match form {
        None => client.get(url),
        Some(fields) => client.post(url).form(
            &fields
                .iter()
                .map(|(name, value)| (name, value.expose_secret()))
                .collect::<Vec<_>>(),
        ),
    };
    let failed = |error: reqwest::Error, midway: bool| failure(error, &host, timeout, midway);
    let mut response = builder
        .headers(headers)
        .timeout(timeout)
        .send()
        .await
        .map_err(|error| failed(error, false))?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    let read = match reader {
        Some(reader) if status == 200 => {
            net::read(&mut response, limits, |piece| reader.take(piece)).await
        }
        _ => {
            // Of what went wrong the beginning tells.
            let most = if status == 200 {
                limits.bytes
            } else {
                MOST_OF_AN_ERROR
            };
            net::read(&mut response, limits, |piece| {
                body.extend_from_slice(&piece[..piece.len().min(most - body.len())]);
                if body.len() < most || status == 200 {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
            .await
        }
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        // The status says enough.
        Err(Cut::TooSlow { .. }) if status >= 300 && status != 404 => body.len(),
        Err(Cut::TooLarge) => {
            return Err(Error::TooLarge {
                path,
                limit_bytes: limits.bytes,
            });
        }
        Err(Cut::TooSlow { bytes, window }) => {
            return Err(Error::TooSlow {
                host,
                bytes,
                window,
            });
        }
        Err(Cut::Broken(error)) => return Err(failed(error, true)),
    };
    Ok(Reply {
        status,
        headers,
        body,
        bytes: bytes as u64,
    })
}

/// Host and port, the only part of an address that is ever shown. A path as it may be shown: a part
/// of it that looks like a key is left out, since people paste those into addresses.
pub(super) fn shown_path(url: &Url) -> String {
    let is_key = |part: &str| {
        part.len() >= 12
            && part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    url.path()
        .split('/')
        .map(|part| if is_key(part) { "..." } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

pub(super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or("(no host)");
    url.port()
        .map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn failure(error: reqwest::Error, host: &str, limit: Duration, midway: bool) -> Error {
    let host = host.to_owned();
    let tls = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return Error::Untrusted {
            host,
            detail: tls.to_string(),
        };
    }
    if error.is_connect() {
        Error::Unreachable {
            host,
            detail: innermost(error),
        }
    } else if error.is_timeout() {
        Error::Timeout { host, limit }
    } else {
        Error::Interrupted {
            host,
            midway,
            detail: innermost(error),
        }
    }
}

/// The innermost cause, without the address.
fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    causes(&error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The causes, outermost first. An I/O error's own source skips the error that it wraps, so that
/// one is opened by hand.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn std::error::Error + 'static))
            .or_else(|| error.source())
    })
}

#[cfg(test)]
pub(in crate::classy) mod script;
