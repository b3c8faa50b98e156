//! `/api/v1/events`: what changes, as it changes, as server-sent events. Each stream compares the board with what it told last, once a
//! second: a slow reader misses steps, never the end, and costs nobody else anything.
//!
//! `event: feed` is one feed as in `/api/v1/status`, with its organization's `classy_id`; `event: organization` tells condition and verdict;
//! `event: health` the verdict of the whole and the number of open alerts.

use super::site::{Refusal, Site};
use super::status::feed_json;
use crate::actors::Activity;
use crate::domain::FaultKind;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Streams at once on a listener.
const MOST: usize = 64;
/// How often a stream looks.
const EVERY: Duration = Duration::from_secs(1);

/// A stream that is open.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a stream told last: digests, by whom it is about.
struct Told {
    site: Site,
    digests: HashMap<(&'static str, i64, &'static str), u64>,
    is_first: bool,
    _place: Place,
}

pub(super) async fn events(State(site): State<Site>) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let place = Place(Arc::clone(&site.streams));
    if place.0.fetch_add(1, Ordering::Relaxed) >= MOST {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Busy, format!("{MOST} streams of events are open already")));
    }
    let told = Told { site, digests: HashMap::new(), is_first: true, _place: place };
    let steps = stream::unfold(told, |mut told| async move {
        if !std::mem::take(&mut told.is_first) {
            tokio::time::sleep(EVERY).await;
        }
        let events = told.step();
        Some((stream::iter(events.into_iter().map(Ok)), told))
    });
    Ok(Sse::new(steps.flatten()).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

impl Told {
    /// What changed since the last step.
    fn step(&mut self) -> Vec<Event> {
        let shared = Arc::clone(self.site.shared());
        let health = shared.health();
        let mut events = Vec::new();
        let (verdict, alerts) = (health.verdict(), health.alerts.len());
        self.tell(&mut events, ("health", 0, ""), (verdict, alerts), || json!({ "verdict": verdict.as_str(), "alerts": alerts }));
        for (organization, feeds) in shared.board.all() {
            let (id, condition, verdict) =
                (organization.classy_id, organization.condition.as_str(), health.verdict_of(organization.classy_id));
            let one = || json!({ "classy_id": id, "condition": condition, "verdict": verdict.as_str() });
            self.tell(&mut events, ("organization", id, ""), (condition, verdict), one);
            for (entity, feed) in feeds {
                let (kind, done) = match feed.activity {
                    Activity::Idle => (0, 0),
                    Activity::Waiting => (1, 0),
                    Activity::Running(run) => (2, run.done),
                };
                let digest = (kind, done, feed.generation, feed.runs, feed.failures, feed.is_loaded, feed.next_at);
                self.tell(&mut events, ("feed", id, entity.as_str()), digest, || {
                    let mut one = feed_json(entity, &feed);
                    one["classy_id"] = id.into();
                    one
                });
            }
        }
        events
    }

    /// Adds an event when its digest is another than before; only then it is written out.
    fn tell(&mut self, events: &mut Vec<Event>, key: (&'static str, i64, &'static str), digest: impl Hash, value: impl FnOnce() -> Value) {
        let mut hasher = DefaultHasher::new();
        digest.hash(&mut hasher);
        let digest = hasher.finish();
        if self.digests.insert(key, digest) != Some(digest) {
            events.push(Event::default().event(key.0).data(value().to_string()));
        }
    }
}
