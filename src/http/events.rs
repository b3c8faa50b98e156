//! `/api/v1/events`: what changes, as it changes, as server-sent events. Once a second the board is
//! compared with what was told last, once for all streams: each of them hears how it stands first,
//! and then what changes. A reader that is too slow is dropped, and asks again.
//!
//! `event: feed` is one feed as in `/api/v1/status`, with its organization's `classy_id`;
//! `event: organization` tells condition and verdict; `event: health` the verdict of the whole and
//! the number of open alerts; `event: more` that a large fleet is not told whole, and where it is.

use super::cache::Made;
use super::fleet::Fleet;
use super::site::{Refusal, Site};
use super::teller::standing;
use crate::domain::FaultKind;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Streams at once on a listener.
const MOST: usize = 64;
/// A stream on which nothing was told for so long is kept alive by a comment.
const QUIET: Duration = Duration::from_secs(15);
/// A stream that is open.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn events(State(site): State<Site>) -> Result<Response, Refusal> {
    let place = Place(Arc::clone(&site.streams));
    if place.0.fetch_add(1, Ordering::Relaxed) >= MOST {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            FaultKind::Busy,
            format!("{MOST} streams of events are open already"),
        ));
    }
    let (teller, sources) = (site.teller.clone(), Arc::clone(site.sources()));
    let broke = |_| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            FaultKind::Bug,
            "listening broke",
        )
    };
    let joined = site
        .sources()
        .runtime
        .spawn_blocking(move || teller.join(&sources))
        .await;
    let receiver = joined.map_err(broke)?;
    let first = site
        .made("events", |site| Made {
            kind: "text/event-stream",
            ..Made::json(snapshot(site))
        })
        .await;
    let first = axum::body::to_bytes(first.into_body(), usize::MAX)
        .await
        .unwrap_or_default();
    let steps = stream::unfold(
        (receiver, Some(first), place),
        |(mut receiver, first, place)| async move {
            let part = match first {
                Some(first) => first,
                None => match timeout(QUIET, receiver.recv()).await {
                    Ok(Ok(part)) => part,
                    // It is too far behind, or the process ends.
                    Ok(Err(_)) => return None,
                    Err(_) => Bytes::from_static(b":\n\n"),
                },
            };
            Some((Ok::<_, Infallible>(part), (receiver, None, place)))
        },
    );
    // nginx would keep events back.
    let headers = [
        (CONTENT_TYPE.as_str(), "text/event-stream"),
        ("x-accel-buffering", "no"),
    ];
    Ok((headers, Body::from_stream(steps)).into_response())
}

/// How everything stands.
fn snapshot(site: &Site) -> String {
    let sources = site.sources();
    let health = sources.health();
    standing(&Fleet {
        board: &sources.board,
        health: &health,
    })
}
