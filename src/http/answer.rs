//! How an order is answered: programs get JSON, forms are sent back to their page.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, REFERER};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

/// Whether one of our own pages' forms sent it.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    })
}

/// Back to the page that the form was on; only its path is believed.
pub(super) fn back(headers: &HeaderMap) -> Response {
    let page = headers
        .get(REFERER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| url::Url::parse(value).ok());
    let path = page.map_or_else(|| "/".to_owned(), |page| page.path().to_owned());
    Redirect::to(if path.starts_with("//") { "/" } else { &path }).into_response()
}

/// What was done: JSON for a program, the page that it came from for a form.
pub(super) fn answer(headers: &HeaderMap, body: Value) -> Response {
    if is_form(headers) {
        back(headers)
    } else {
        Json(body).into_response()
    }
}
