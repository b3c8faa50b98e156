//! All children and their runs, by name. It outlives whoever watches, so that a watcher is reborn
//! knowing.

use super::{Cause, KillSwitch, Progress};
use actix::{Message, WeakRecipient};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Begin the next life of a child.
#[derive(Debug, Clone)]
pub struct Respawn {
    /// The child, by its name.
    pub name: Arc<str>,
}

impl Message for Respawn {
    type Result = ();
}

/// Let go of a child's run: it was cancelled and did not end.
#[derive(Debug, Clone)]
pub struct Abandon {
    /// The child's name.
    pub name: Arc<str>,
}

impl Message for Abandon {
    type Result = ();
}

/// Where a child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It lives.
    Alive,
    /// It is gone and waits for its next life.
    Dead(Cause),
}

/// A run that somebody should watch.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its pulse.
    pub progress: Progress,
    /// Ends it.
    pub kill: KillSwitch,
    /// So long without a step, and it counts as frozen.
    pub patience: Duration,
}

/// What is known of a child.
#[derive(Debug, Clone)]
pub struct Child {
    /// Which of its lives this is.
    pub generation: u64,
    /// Where it stands.
    pub life: Life,
    /// Its run, while there is one.
    pub run: Option<Watched>,
    /// Whom to tell to begin the next life.
    pub owner: WeakRecipient<Respawn>,
    /// Whom to tell to let a frozen run go.
    pub keeper: Option<WeakRecipient<Abandon>>,
}

#[derive(Debug)]
struct Inner {
    children: BTreeMap<Arc<str>, Child>,
    /// When the main thread last had time.
    beat: Instant,
    /// When the thread that watches last had time.
    watch_beat: Instant,
    /// When each child died, as long as it counts.
    deaths: BTreeMap<Arc<str>, VecDeque<Instant>>,
}

/// Removes a name and all below it (`name/...`), by looking at these only: when a process ends,
/// each of its children does this.
fn remove_tree<V>(map: &mut BTreeMap<Arc<str>, V>, name: &str) {
    map.remove(name);
    let below = format!("{name}/");
    let from = (Bound::Included(below.as_str()), Bound::Unbounded);
    let found: Vec<Arc<str>> = map
        .range::<str, _>(from)
        .map(|(child, _)| child)
        .take_while(|child| child.starts_with(&below))
        .map(Arc::clone)
        .collect();
    for child in found {
        map.remove(&child);
    }
}

/// How long a death counts.
const DEATHS_COUNT: Duration = Duration::from_secs(600);

/// Shared by all.
#[derive(Debug, Clone)]
pub struct ActorRegistry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    /// Somebody died.
    death: Notify,
}

impl Default for ActorRegistry {
    fn default() -> Self {
        let now = Instant::now();
        let inner = Mutex::new(Inner {
            children: BTreeMap::new(),
            beat: now,
            watch_beat: now,
            deaths: BTreeMap::new(),
        });
        ActorRegistry(Arc::new(Shared {
            inner,
            death: Notify::new(),
        }))
    }
}

impl ActorRegistry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A life begins.
    pub fn born(
        &self,
        name: &Arc<str>,
        generation: u64,
        owner: WeakRecipient<Respawn>,
        keeper: Option<WeakRecipient<Abandon>>,
    ) {
        self.lock().children.insert(
            Arc::clone(name),
            Child {
                generation,
                life: Life::Alive,
                run: None,
                owner,
                keeper,
            },
        );
    }

    /// A life ended; another is to come.
    pub fn dead(&self, name: &str, cause: Cause) {
        let mut inner = self.lock();
        if let Some(child) = inner.children.get_mut(name) {
            child.life = Life::Dead(cause);
            child.run = None;
        }
        let deaths = inner.deaths.entry(name.into()).or_default();
        deaths.push_back(Instant::now());
        deaths.retain(|at| at.elapsed() < DEATHS_COUNT);
        drop(inner);
        self.0.death.notify_one();
    }

    /// Waits until somebody dies; a death that nobody waited for is not forgotten.
    pub async fn death(&self) {
        self.0.death.notified().await;
    }

    /// The child and all below it (`name/...`) are no more.
    pub fn gone(&self, name: &str) {
        let mut inner = self.lock();
        remove_tree(&mut inner.children, name);
        remove_tree(&mut inner.deaths, name);
    }

    /// The child's run, or that it has none.
    pub fn watch(&self, name: &str, run: Option<Watched>) {
        if let Some(child) = self.lock().children.get_mut(name) {
            child.run = run;
        }
    }

    /// Everybody, as of now.
    pub fn children(&self) -> Vec<(Arc<str>, Child)> {
        self.lock()
            .children
            .iter()
            .map(|(name, child)| (Arc::clone(name), child.clone()))
            .collect()
    }

    /// How often each child died in the last ten minutes; those that did not are left out.
    pub fn deaths(&self) -> HashMap<Arc<str>, u32> {
        let inner = self.lock();
        let count = |at: &VecDeque<Instant>| {
            u32::try_from(at.iter().filter(|at| at.elapsed() < DEATHS_COUNT).count())
                .unwrap_or(u32::MAX)
        };
        inner
            .deaths
            .iter()
            .map(|(name, at)| (Arc::clone(name), count(at)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The thread that watches has time.
    pub fn watch_beat(&self) {
        self.lock().watch_beat = Instant::now();
    }

    /// How long ago the thread that watches last had time.
    pub fn watch_lateness(&self) -> Duration {
        self.lock().watch_beat.elapsed()
    }

    /// The main thread has time.
    pub fn beat(&self) {
        self.lock().beat = Instant::now();
    }

    /// How long ago the main thread last had time.
    pub fn lateness(&self) -> Duration {
        self.lock().beat.elapsed()
    }
}
