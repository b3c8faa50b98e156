//! What changes on the board, found once for all streams of events.

use super::fleet::{Fleet, feed_json};
use super::sources::Sources;
use crate::status::Activity;
use axum::body::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::sleep;

/// How often one looks.
const EVERY: Duration = Duration::from_secs(1);
/// Events of one look; the others are told at the next.
const AT_ONCE: usize = 400;
/// Looks that a reader may be behind.
const BEHIND: usize = 8;

/// Digests of what was told last, by whom it is about.
#[derive(Debug, Default)]
struct Told(HashMap<(&'static str, i64, &'static str), u64>);

/// Tells all streams what changes. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    /// Absent while nobody listens.
    told: Arc<Mutex<Option<Told>>>,
    listeners: broadcast::Sender<Bytes>,
}

impl Default for Teller {
    fn default() -> Self {
        Teller {
            told: Arc::default(),
            listeners: broadcast::Sender::new(BEHIND),
        }
    }
}

impl Teller {
    /// Looks, as long as somebody listens, for ever.
    pub(super) async fn publish(&self, sources: &Arc<Sources>) {
        loop {
            sleep(EVERY).await;
            let (teller, sources) = (self.clone(), Arc::clone(sources));
            if self.listeners.receiver_count() == 0 {
                *self.told.lock().unwrap_or_else(PoisonError::into_inner) = None;
                continue;
            }
            let told = sources
                .runtime
                .clone()
                .spawn_blocking(move || teller.publish_changes(&sources))
                .await;
            if let Err(error) = told {
                tracing::error!(%error, "looking for what changed broke");
            }
        }
    }

    fn publish_changes(&self, sources: &Sources) {
        let health = sources.health();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let events = told.get_or_insert_default().step(
            &Fleet {
                board: &sources.board,
                health: &health,
            },
            Events::default(),
            AT_ONCE,
        );
        if !events.text.is_empty() {
            // Nobody may be listening any more.
            let _ = self.listeners.send(events.text.into());
        }
    }

    /// Listens from now on. Whoever is the first makes sure that what changes from now on is told.
    pub(super) fn join(&self, sources: &Sources) -> broadcast::Receiver<Bytes> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.listeners.subscribe();
        if told.is_none() {
            let health = sources.health();
            let events = Events {
                is_silent: true,
                ..Events::default()
            };
            told.get_or_insert_default().step(
                &Fleet {
                    board: &sources.board,
                    health: &health,
                },
                events,
                usize::MAX,
            );
        }
        receiver
    }
}

/// How everything stands, as the first events of a stream.
pub(super) fn standing(fleet: &Fleet<'_>) -> String {
    let mut events = Told::default().step(fleet, Events::default(), AT_ONCE);
    if events.count == AT_ONCE {
        events.add(
            "more",
            &json!({ "organizations": fleet.board.ids().len(), "link": "/api/v1/organizations" }),
        );
    }
    events.text
}

/// Events as they are sent.
#[derive(Debug, Default)]
struct Events {
    text: String,
    count: usize,
    /// Only digests are wanted.
    is_silent: bool,
}

impl Events {
    fn add(&mut self, name: &str, data: &Value) {
        self.count += 1;
        // Writing into a text cannot fail; JSON has no line of its own.
        let _ = write!(self.text, "event: {name}\ndata: {data}\n\n");
    }
}

impl Told {
    /// What changed since the last step, so many events at most: the others are told at the next.
    fn step(&mut self, fleet: &Fleet<'_>, mut events: Events, most: usize) -> Events {
        let (verdict, alerts) = (fleet.health.verdict(), fleet.health.alerts.len());
        let whole = || json!({ "verdict": verdict.as_str(), "alerts": alerts });
        self.tell(
            &mut events,
            most,
            ("health", 0, ""),
            (verdict, alerts),
            whole,
        );
        for (organization, feeds) in fleet
            .board
            .ids()
            .into_iter()
            .filter_map(|id| fleet.board.one(id))
        {
            let id = organization.classy_id;
            let (condition, verdict) =
                (organization.condition.as_str(), fleet.health.verdict_of(id));
            let one =
                || json!({ "classy_id": id, "condition": condition, "verdict": verdict.as_str() });
            self.tell(
                &mut events,
                most,
                ("organization", id, ""),
                (condition, verdict),
                one,
            );
            for (entity, feed) in feeds {
                let (kind, done) = match feed.activity {
                    Activity::Idle => (0, 0),
                    Activity::Waiting => (1, 0),
                    Activity::Running(run) => (2, run.done),
                };
                let digest = (
                    kind,
                    done,
                    feed.generation,
                    feed.runs,
                    feed.failures,
                    feed.is_loaded,
                    feed.next_at,
                );
                self.tell(
                    &mut events,
                    most,
                    ("feed", id, entity.as_str()),
                    digest,
                    || {
                        let mut one = feed_json(entity, &feed);
                        one["classy_id"] = id.into();
                        one
                    },
                );
            }
        }
        events
    }

    /// Adds an event when its digest is another than before; only then it is written out.
    fn tell(
        &mut self,
        events: &mut Events,
        most: usize,
        key: (&'static str, i64, &'static str),
        digest: impl Hash,
        value: impl FnOnce() -> Value,
    ) {
        let mut hasher = DefaultHasher::new();
        digest.hash(&mut hasher);
        let digest = hasher.finish();
        if events.count < most && self.0.insert(key, digest) != Some(digest) && !events.is_silent {
            events.add(key.0, &value());
        }
    }
}
