//! The style sheet and the script, compiled in.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

/// They change with the program only; a minute keeps a new version from looking like the old one.
const KEEP: &str = "max-age=60";

pub(crate) async fn style() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/css; charset=utf-8"),
            (CACHE_CONTROL, KEEP),
        ],
        include_str!("style.css"),
    )
}

pub(crate) async fn script() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (CACHE_CONTROL, KEEP),
        ],
        include_str!("live.js"),
    )
}
