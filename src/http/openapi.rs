//! `/api/v1/openapi.json`: the interface described for programs.

use crate::entities::Entity;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::sync::LazyLock;

/// What stands for the names of all feeds.
const FEEDS: &str = "\"{FEEDS}\"";

/// The description, with the feeds that there are.
pub(super) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let feeds = Entity::ALL.map(|entity| format!("\"{}\"", entity.as_str()));
    include_str!("openapi.json").replace(FEEDS, &feeds.join(", "))
});

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
