//! What goes for every request: heads of a sane size, a place for it, and one shape for every
//! answer that is not what was asked for, whether a handler, the router or an extractor refused.

use super::access::Caller;
use super::guard;
use super::pages;
use super::site::{Peer, Refusal, Site};
use crate::domain::FaultKind;
use axum::body::to_bytes;
use axum::extract::{Extension, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Bytes of a request's target at most.
const LONGEST_TARGET: usize = 4 * 1_024;
/// Bytes of all its headers at most.
const LARGEST_HEADERS: usize = 16 * 1_024;
/// Bytes of a sentence that the router or an extractor says.
const SENTENCE: usize = 1_024;
/// What is answered even when all places are at work.
const ALWAYS: [&str; 2] = ["/livez", "/readyz"];

/// Refuses heads that are too large, and those for whom there is no place.
pub(super) async fn admit(
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let length = |headers: &HeaderMap| -> usize {
        headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum()
    };
    let refusal = |status, text: String| Refusal::new(status, FaultKind::Configuration, text);
    if request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len())
        > LONGEST_TARGET
    {
        return refusal(
            StatusCode::URI_TOO_LONG,
            format!("a path with its query has at most {LONGEST_TARGET} bytes"),
        )
        .into_response();
    }
    if length(request.headers()) > LARGEST_HEADERS {
        let text = format!("all headers together have at most {LARGEST_HEADERS} bytes");
        return refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text).into_response();
    }
    // A proxy before us may go by the one and we by the other.
    if request.headers().get_all(HOST).iter().count() > 1 {
        let text = "a request has one Host header".to_owned();
        return refusal(StatusCode::BAD_REQUEST, text).into_response();
    }
    if peer.is_spare && !ALWAYS.contains(&request.uri().path()) {
        let text = "too many requests are at work; ask again in a moment";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Busy, text);
        return ([(RETRY_AFTER, "2")], refusal).into_response();
    }
    next.run(request).await
}

/// Gives every refusal its shape: a page for a browser, else JSON.
pub(super) async fn shape(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let wants_page = guard::wants_page(&method, request.headers());
    let mut response = next.run(request).await;
    if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    let status = response.status();
    // Pages and JSON are a handler's own words: a refusal in its shape already, or a verdict that
    // is told with 503.
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || has_kind(&response, "text/html") || has_kind(&response, "application/json") {
        return response;
    }
    let allow = response.headers().get(ALLOW).cloned();
    let said = to_bytes(response.into_body(), SENTENCE)
        .await
        .unwrap_or_default();
    let refusal = refusal(
        status,
        &method,
        &uri,
        allow.as_ref(),
        String::from_utf8_lossy(&said).trim(),
    );
    let mut shaped = if wants_page {
        (status, pages::refused(&site, caller, &refusal.text)).into_response()
    } else {
        refusal.into_response()
    };
    if let Some(allow) = allow {
        shaped.headers_mut().insert(ALLOW, allow);
    }
    shaped
}

fn has_kind(response: &Response, kind: &str) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|known| known.as_bytes().starts_with(kind.as_bytes()))
}

fn refusal(
    status: StatusCode,
    method: &Method,
    uri: &Uri,
    allow: Option<&HeaderValue>,
    said: &str,
) -> Refusal {
    let (text, hint) = match status {
        StatusCode::NOT_FOUND if said.is_empty() => {
            let path = uri.path().trim_end_matches('/');
            let without = (uri.path().ends_with('/') && !path.is_empty())
                .then(|| format!("did you mean {path}?"));
            (
                "there is nothing here".to_owned(),
                without.unwrap_or_else(|| "/api/v1/openapi.json lists what there is".to_owned()),
            )
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = allow
                .and_then(|allow| allow.to_str().ok())
                .filter(|allowed| !allowed.is_empty());
            (
                format!("{method} is nothing for this path"),
                allowed.map_or_else(
                    || "/api/v1/openapi.json lists what each path takes".to_owned(),
                    |allowed| format!("it takes {allowed}"),
                ),
            )
        }
        _ if said.is_empty() => (
            status
                .canonical_reason()
                .unwrap_or("refused")
                .to_lowercase(),
            String::new(),
        ),
        _ => (said.to_owned(), String::new()),
    };
    let kind = match status {
        StatusCode::NOT_FOUND => FaultKind::Partial,
        StatusCode::UNAUTHORIZED => FaultKind::Credentials,
        _ if status.is_server_error() => FaultKind::Bug,
        _ => FaultKind::Configuration,
    };
    Refusal::new(status, kind, text).hint((!hint.is_empty()).then_some(hint))
}
