//! The style sheet, the script and the icon, compiled in.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

/// They change with the program only; a minute keeps a new version from looking like the old one.
const KEEP: &str = "max-age=60";

pub(in super::super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

pub(in super::super) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("live.js"))
}

pub(in super::super) async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("icon.svg"))
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, KEEP)], body)
}
