//! `/api/v1/openapi.json`: the interface described for programs.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(super) const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
