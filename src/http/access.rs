//! By what somebody is known: the bearer token, the session of a browser that showed it, and where
//! a form was sent from.

use super::sessions::Sum;
use super::site::{Refusal, Site};
use crate::domain::FaultKind;
use axum::http::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// The name of a browser's session.
pub(super) const SESSION: &str = "classy_sync_session";

/// Who asks, found out once for each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    /// By the control socket, with the token or in a session.
    pub(super) is_known: bool,
    /// Known, or local where reading is open to this machine.
    pub(super) may_read: bool,
    pub(super) may_order: bool,
    /// It showed a token, which is not the one.
    pub(super) is_wrong: bool,
    /// Where it came from; absent on the control socket.
    pub(super) peer: Option<IpAddr>,
}

/// Too many wrong tokens are waiting for their answers; this one learns nothing.
pub(super) fn too_many() -> Response {
    let refusal = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        FaultKind::Credentials,
        "too many wrong tokens at once",
    );
    ([(RETRY_AFTER, "5"), (CONNECTION, "close")], refusal).into_response()
}

/// The token that a request shows.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    // The scheme's name is written in whatever case (RFC 9110, 11.1).
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

pub(super) fn has_token(site: &Site, headers: &HeaderMap) -> bool {
    bearer(headers).is_some_and(|shown| is_token(site, shown))
}

/// The digest of the configured token.
fn token_sum(site: &Site) -> Option<Sum> {
    site.sources()
        .settings()
        .token
        .as_ref()
        .map(|token| Sha256::digest(token.expose_secret().as_bytes()).into())
}

/// Compares in constant time, whatever the lengths. Without a configured token nothing is right.
pub(super) fn is_token(site: &Site, shown: &str) -> bool {
    let Some(token) = token_sum(site) else {
        return false;
    };
    token
        .as_slice()
        .ct_eq(Sha256::digest(shown.trim().as_bytes()).as_slice())
        .into()
}

/// What a browser keeps of its sessions.
pub(super) fn session_ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    cookies.filter_map(|cookie| cookie.trim().strip_prefix(SESSION)?.strip_prefix('='))
}

pub(super) fn has_session(site: &Site, headers: &HeaderMap) -> bool {
    let Some(token) = token_sum(site) else {
        return false;
    };
    let now = crate::clock::now().timestamp();
    session_ids(headers).any(|id| site.sessions.is_open(id, &token, now))
}

/// Begins a session for whoever just showed the token; absent when there is none.
pub(super) fn begin_session(site: &Site) -> Option<String> {
    token_sum(site).map(|token| site.sessions.begin(token, crate::clock::now().timestamp()))
}

/// Whether a form was sent by one of our own pages.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else {
        return false;
    };
    origin
        .split_once("://")
        .is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_form_counts_only_from_our_own_pages() {
        assert!(is_same_origin(&with(&[
            ("origin", "http://localhost:8460"),
            ("host", "localhost:8460")
        ])));
        assert!(!is_same_origin(&with(&[
            ("origin", "http://evil.example"),
            ("host", "localhost:8460")
        ])));
        assert!(!is_same_origin(&with(&[
            ("origin", "null"),
            ("host", "localhost:8460")
        ])));
        assert!(!is_same_origin(&with(&[("host", "localhost:8460")])));
    }
}
