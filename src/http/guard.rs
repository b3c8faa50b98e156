//! Who may do what, before anything is done, and headers that keep pages to themselves.

use super::access::{Caller, bearer, has_session, has_token, is_same_origin, too_many};
use super::guesses::LONGEST_OF_PROGRAM;
use super::site::{Peer, Refusal, Site, Way};
use super::{local, pages};
use crate::domain::FaultKind;
use axum::extract::{Extension, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Finds out who asks.
pub(super) async fn identify(
    State(site): State<Site>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let by_socket = site.way == Way::Socket;
    let with_token = by_socket || has_token(&site, headers);
    let in_session = has_session(&site, headers);
    let settings = site.sources().settings();
    // Where there is a token, a proxy may stand before this port for others than this machine.
    let is_open = settings.token.is_none() || settings.open_on_loopback;
    let is_known = with_token || in_session;
    let caller = Caller {
        is_known,
        may_read: is_known || (is_open && local::is_local(peer.address, &request)),
        // A browser's session counts only for what its own pages send.
        may_order: with_token || (in_session && is_same_origin(headers)),
        is_wrong: !with_token && bearer(headers).is_some_and(|shown| !shown.trim().is_empty()),
        peer: peer.address,
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Lets those read who may.
pub(super) async fn reading(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if caller.may_read {
        return next.run(request).await;
    }
    let asked = Asked::of(&request);
    drop(request);
    refuse(site, caller, asked).await
}

/// Lets those order who may.
pub(super) async fn ordering(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if caller.may_order {
        let cache = site.cache.clone();
        let response = next.run(request).await;
        cache.forget();
        return response;
    }
    let asked = Asked::of(&request);
    drop(request);
    refuse(site, caller, asked).await
}

/// Whether whoever asks is a browser that wants a page.
pub(super) fn wants_page(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|value| value.contains("text/html"))
    };
    method == Method::GET && headers.get("accept").is_some_and(accepts)
}

/// What is left of a request that is refused.
struct Asked {
    wants_page: bool,
    path: String,
}

impl Asked {
    fn of(request: &Request) -> Asked {
        Asked {
            wants_page: wants_page(request.method(), request.headers()),
            path: request.uri().path().to_owned(),
        }
    }
}

async fn refuse(site: Site, caller: Caller, asked: Asked) -> Response {
    let has_token = site.sources().settings().token.is_some();
    if has_token
        && caller.is_wrong
        && !site
            .guesses
            .wait(caller.peer, &asked.path, LONGEST_OF_PROGRAM)
            .await
    {
        return too_many();
    }
    if asked.wants_page {
        return if has_token {
            Redirect::to("/login").into_response()
        } else {
            pages::login::closed(&site, caller)
        };
    }
    let hint = if has_token {
        "send `Authorization: Bearer ...` with the value of http.token, or use the control socket"
    } else {
        "set http.token, or CLASSY_SYNC_HTTP_TOKEN; or ask from this machine without a proxy, or by the control socket"
    };
    let refusal = Refusal::new(
        StatusCode::UNAUTHORIZED,
        FaultKind::Credentials,
        "this needs the token",
    )
    .hint(Some(hint.to_owned()));
    ([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

/// Keeps pages to themselves: nothing from elsewhere is loaded, nobody frames them, nothing is
/// kept.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    // A page's forms need to say where they come from, or the browser would hide their origin, too.
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = HeaderValue::from_static(if is_page {
        "same-origin"
    } else {
        "no-referrer"
    });
    response.headers_mut().insert(REFERRER_POLICY, policy);
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
