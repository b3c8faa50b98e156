//! Answers as HTTP: status, headers, body.

use super::fault::Fault;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::io;
use std::time::{Duration, SystemTime};

/// An answer.
pub(super) type Reply = Response<Body>;

/// Marks an answer that is to be packed for whoever understands it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed;

pub(super) fn json(status: u16, body: String) -> Reply {
    respond(status, "application/json", body)
}

/// Bytes of no particular kind.
pub(super) fn bytes(status: u16, bytes: Vec<u8>) -> Reply {
    let mut reply = respond(status, "application/octet-stream", String::new());
    *reply.body_mut() = Body::from(bytes);
    reply
}

pub(super) fn page(status: u16, body: &str) -> Reply {
    respond(status, "text/html; charset=UTF-8", body.to_owned())
}

/// The edge's page for those it takes for robots (contract 2).
pub(super) fn blocked() -> Reply {
    let mut reply = page(
        403,
        "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
    );
    reply
        .headers_mut()
        .insert("cf-mitigated", HeaderValue::from_static("challenge"));
    reply
}

/// 429 (contract 7), or what is used in its stead. The text of the 503 is assumed.
pub(super) fn too_many(active: &[Fault], wait_s: u64, now: i64) -> Reply {
    let silent = active.contains(&Fault::NoRetryAfter);
    let mut reply = match (active.contains(&Fault::RateLimit503), silent) {
        (true, _) => json(
            503,
            json!({"error": "Temporarily unavailable or rate limit exceeded."}).to_string(),
        ),
        (false, true) => json(429, json!({"message": "Too Many Attempts."}).to_string()),
        (false, false) => json(
            429,
            json!({"message": "Too Many Attempts.", "retry_after": wait_s}).to_string(),
        ),
    };
    if !silent {
        put(&mut reply, header::RETRY_AFTER, &wait_s.to_string());
        put(
            &mut reply,
            HeaderName::from_static("x-ratelimit-reset"),
            &(now + wait_s as i64).to_string(),
        );
    }
    reply
}

/// Sets a header.
pub(super) fn put(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// The source's own clock in the answer's head. Without one there is an empty value: the server
/// would add its own.
pub(super) fn date(reply: &mut Reply, now: i64, active: &[Fault]) {
    let off = match () {
        () if active.contains(&Fault::ClockAhead) => 7_200,
        () if active.contains(&Fault::ClockBehind) => -20 * 365 * 86_400,
        () => 0,
    };
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs((now + off).max(0) as u64);
    let text = if active.contains(&Fault::NoDate) {
        String::new()
    } else {
        httpdate::fmt_http_date(at)
    };
    put(reply, header::DATE, &text);
}

/// The answer as a stream, so that nobody knows its length beforehand.
pub(super) fn packed(reply: Reply) -> Reply {
    let (mut head, body) = reply.into_parts();
    head.extensions.insert(Packed);
    Response::from_parts(head, Body::from_stream(body.into_data_stream()))
}

/// A body after whose beginning the connection ends.
pub(super) fn broken_off(begin: String) -> Body {
    let begin = stream::once(std::future::ready(Ok(Bytes::from(begin))));
    // Not before the beginning is on its way.
    let end = stream::once(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(begin.chain(end))
}

/// No body: the connection ends instead.
pub(super) fn cut_off() -> Body {
    Body::from_stream(stream::once(std::future::ready(Err::<Bytes, _>(
        io::Error::from(io::ErrorKind::ConnectionReset),
    ))))
}

fn respond(status: u16, kind: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}
