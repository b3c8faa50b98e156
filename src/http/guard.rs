//! Who may do what: the bearer token, the session of a browser that showed it, names that other sites may not use, and headers that keep
//! pages to themselves.

use super::site::{Site, Way};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// The name of a browser's session.
pub(super) const SESSION: &str = "classy_sync_session";
/// Seconds that a session lasts.
pub(super) const LASTS: i64 = 12 * 3_600;

/// Lets those read who may.
pub(super) async fn reading(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_open = match site.way {
        Way::Socket => true,
        Way::Loopback => is_local_name(headers, request.uri()),
        Way::Network => false,
    };
    if is_open || is_known(&site, headers) { next.run(request).await } else { refuse(&request) }
}

/// Lets those order who may. A browser's session counts only for what its own pages send.
pub(super) async fn ordering(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let may = site.way == Way::Socket || has_token(&site, headers) || (has_session(&site, headers) && is_same_origin(headers));
    if may { next.run(request).await } else { refuse(&request) }
}

/// Whether somebody showed the token, now or when the session began.
pub(super) fn is_known(site: &Site, headers: &HeaderMap) -> bool {
    site.way == Way::Socket || has_token(site, headers) || has_session(site, headers)
}

fn refuse(request: &Request) -> Response {
    let wants_page = request.headers().get("accept").and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    if wants_page && request.method() == Method::GET {
        return Redirect::to("/login").into_response();
    }
    let text = "this needs the token: `Authorization: Bearer ...` with the value of http.token, or the control socket\n";
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")], text).into_response()
}

fn has_token(site: &Site, headers: &HeaderMap) -> bool {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    shown.is_some_and(|shown| is_token(site, shown))
}

/// Compares in constant time, whatever the lengths. Without a configured token nothing is right.
pub(super) fn is_token(site: &Site, shown: &str) -> bool {
    let surroundings = site.shared().surroundings();
    let Some(token) = &surroundings.token else { return false };
    let [token, shown] = [token.expose_secret(), shown.trim()].map(|text| Sha256::digest(text.as_bytes()));
    token.as_slice().ct_eq(shown.as_slice()).into()
}

fn has_session(site: &Site, headers: &HeaderMap) -> bool {
    let surroundings = site.shared().surroundings();
    let Some(token) = &surroundings.token else { return false };
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let now = crate::clock::now().timestamp();
    cookies.filter_map(|cookie| cookie.trim().strip_prefix(SESSION)?.strip_prefix('=')).any(|session| is_session(token, session, now))
}

/// A session: when it ends, and proof that whoever made it had the token. A new token ends all of them.
pub(super) fn session(site: &Site, until: i64) -> Option<String> {
    site.shared().surroundings().token.as_ref().map(|token| format!("{until}.{}", proof(token, until)))
}

fn is_session(token: &SecretString, session: &str, now: i64) -> bool {
    let Some((until, shown)) = session.split_once('.') else { return false };
    let Ok(until) = until.parse::<i64>() else { return false };
    let is_right: bool = proof(token, until).as_bytes().ct_eq(shown.as_bytes()).into();
    is_right && now < until && until <= now + LASTS
}

fn proof(token: &SecretString, until: i64) -> String {
    let key = Sha256::digest(token.expose_secret().as_bytes());
    let mut mac = match Hmac::<Sha256>::new_from_slice(&key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("any length of key is taken"),
    };
    mac.update(format!("session until {until}").as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether the request names this machine. A page of another site whose name was made to point here names that site.
fn is_local_name(headers: &HeaderMap, uri: &Uri) -> bool {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).or_else(|| uri.host()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a form was sent by one of our own pages.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else { return false };
    origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
}

/// Keeps pages to themselves: nothing from elsewhere is loaded, nobody frames them, nothing is kept.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    const HEADERS: [(&str, &str); 6] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        let local = |host| is_local_name(&with(&[("host", host)]), &Uri::from_static("/"));
        assert!(["localhost:8460", "127.0.0.1:8460", "[::1]:8460", "LOCALHOST", "127.8.8.8"].into_iter().all(local));
        assert!(!["evil.example:8460", "localhost.evil.example", "10.0.0.1", "", "127.0.0.1.evil.example"].into_iter().any(local));
    }

    #[test]
    fn a_session_is_good_with_its_token_until_its_end() {
        let [token, other] = ["right", "wrong"].map(SecretString::from);
        let good = format!("1000.{}", proof(&token, 1_000));
        assert!(is_session(&token, &good, 999));
        assert!(!is_session(&token, &good, 1_000), "it is over");
        assert!(!is_session(&other, &good, 999), "the token was changed");
        assert!(!is_session(&token, &good.replace("1000.", "2000."), 999), "its end was changed");
        assert!(!is_session(&token, "", 0) && !is_session(&token, "1000.", 0));
    }

    #[test]
    fn a_form_counts_only_from_our_own_pages() {
        assert!(is_same_origin(&with(&[("origin", "http://localhost:8460"), ("host", "localhost:8460")])));
        assert!(!is_same_origin(&with(&[("origin", "http://evil.example"), ("host", "localhost:8460")])));
        assert!(!is_same_origin(&with(&[("origin", "null"), ("host", "localhost:8460")])));
        assert!(!is_same_origin(&with(&[("host", "localhost:8460")])));
    }
}
