//! What is going on, for whoever wants to see it: written by the actors and their runs, read
//! without asking anybody.

use super::report::{FeedReport, PluginReport};
use crate::classy::Client;
use crate::clock;
use crate::domain::{Mode, Time, Trouble};
use crate::entities::Entity;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Why an organization is or is not served by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Served.
    Serving,
    /// Its runs are ending.
    Draining,
    /// Another process serves it, or nobody does yet.
    Elsewhere,
    /// A person paused it, or its file was removed.
    Paused(String),
    /// A person must mend something first.
    Suspended(String),
    /// It cannot be begun.
    Broken(String),
    /// No process has served it for a while, though it should be.
    Unserved(String),
}

impl Condition {
    /// Its word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Condition::Serving => "serving",
            Condition::Draining => "draining",
            Condition::Elsewhere => "elsewhere",
            Condition::Paused(_) => "paused",
            Condition::Suspended(_) => "suspended",
            Condition::Broken(_) => "broken",
            Condition::Unserved(_) => "unserved",
        }
    }

    /// Why it is not served, where a person decided that or must do something.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Condition::Paused(reason)
            | Condition::Suspended(reason)
            | Condition::Broken(reason)
            | Condition::Unserved(reason) => Some(reason),
            Condition::Serving | Condition::Draining | Condition::Elsewhere => None,
        }
    }
}

/// One organization.
#[derive(Debug, Clone)]
pub struct OrganizationStatus {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Whether it is served.
    pub condition: Condition,
    /// Since when.
    pub since: Time,
    /// Which of its actor's lives this is.
    pub generation: u64,
}

/// What a feed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// It waits for its turn.
    Waiting,
    /// It reads.
    Running(RunStatus),
}

/// A run in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStatus {
    /// What kind.
    pub mode: Mode,
    /// Since when.
    pub since: Time,
    /// Records read so far.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
    /// Records that differed, and are saved.
    pub changed: u64,
}

/// What a feed's runs did since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "the names of the metrics")]
pub struct Totals {
    pub complete: u64,
    pub stopped: u64,
    pub failed: u64,
    pub requests: u64,
    pub bytes: u64,
    pub seen: u64,
    pub inserted: u64,
    pub updated: u64,
    pub restored: u64,
    pub upgraded: u64,
    pub older: u64,
    pub rejected: u64,
    pub absent: u64,
    pub busy_ms: u64,
}

impl Totals {
    const ZERO: Totals = Totals {
        complete: 0,
        stopped: 0,
        failed: 0,
        requests: 0,
        bytes: 0,
        seen: 0,
        inserted: 0,
        updated: 0,
        restored: 0,
        upgraded: 0,
        older: 0,
        rejected: 0,
        absent: 0,
        busy_ms: 0,
    };

    /// Adds a run that ended.
    pub fn add(&mut self, report: &FeedReport) {
        match report.outcome.as_str() {
            "complete" | "incomplete" => self.complete += 1,
            "stopped" => self.stopped += 1,
            _ => self.failed += 1,
        }
        self.requests += report.requests;
        self.bytes += report.bytes;
        self.seen += report.seen;
        self.inserted += report.inserted;
        self.updated += report.updated;
        self.restored += report.restored;
        self.upgraded += report.upgraded;
        self.older += report.older;
        self.rejected += report.rejected;
        self.absent += report.absent;
        self.busy_ms += report.duration_ms;
    }
}

/// What the database knows of a feed's first import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStatus {
    /// Since when; none before it began.
    pub since: Option<Time>,
    /// Records that were committed.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
    /// The last moment at which it had not moved since this process looks, and how far it was then:
    /// from there its pace counts.
    pub from: (Time, u64),
}

/// One feed.
#[derive(Debug, Clone)]
pub struct FeedStatus {
    /// Which of its actor's lives this is.
    pub generation: u64,
    /// What it does.
    pub activity: Activity,
    /// When it is due next.
    pub next_at: Option<Time>,
    /// Runs that ended since the process began.
    pub runs: u64,
    /// When it was last up to date; absent when it never was.
    pub fresh_at: Option<Time>,
    /// It was read whole at least once.
    pub is_loaded: bool,
    /// What the database knows of its first import, until that is done.
    pub import: Option<ImportStatus>,
    /// Failures in a row.
    pub failures: u32,
    /// Why the last run failed, when that concerns more than this feed.
    pub trouble: Option<Trouble>,
    /// What is known to be lacking, in words.
    pub lacks: Option<Arc<str>>,
    /// What its runs did since the process began.
    pub totals: Totals,
    /// How the last of them ended.
    pub last: Option<Arc<FeedReport>>,
}

impl FeedStatus {
    const fn new() -> FeedStatus {
        FeedStatus {
            generation: 0,
            activity: Activity::Idle,
            next_at: None,
            runs: 0,
            fresh_at: None,
            is_loaded: false,
            import: None,
            failures: 0,
            trouble: None,
            lacks: None,
            totals: Totals::ZERO,
            last: None,
        }
    }
}

/// One plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginStatus {
    /// Which of its actor's lives this is.
    pub generation: u64,
    /// It delivers since then.
    pub since: Option<Time>,
    /// Deliveries that ended since the process began.
    pub runs: u64,
    /// How the last of them ended.
    pub last: Option<Arc<PluginReport>>,
    /// When the last delivery ended.
    pub ended_at: Option<Time>,
}

/// An organization's place on the board.
#[derive(Debug, Clone)]
struct Card {
    organization: watch::Sender<OrganizationStatus>,
    feeds: [watch::Sender<FeedStatus>; Entity::COUNT],
    /// Its way to Classy, while it is served here.
    client: Option<Client>,
    plugins: BTreeMap<String, watch::Sender<PluginStatus>>,
}

/// All organizations of this process. Clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<i64, Card>>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Card>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells where an organization stands; makes its place when it has none.
    pub fn tell(&self, classy_id: i64, name: &str, generation: u64, condition: Condition) {
        let mut status = OrganizationStatus {
            classy_id,
            name: name.to_owned(),
            condition,
            since: clock::now(),
            generation,
        };
        let mut cards = self.lock();
        if let Some(card) = cards.get(&classy_id) {
            let before = card.organization.borrow().clone();
            if before.condition.as_str() == status.condition.as_str() {
                status.since = before.since;
            }
            card.organization.send_replace(status);
        } else {
            let feeds = Entity::ALL.map(|_| watch::Sender::new(FeedStatus::new()));
            let plugins = BTreeMap::new();
            cards.insert(
                classy_id,
                Card {
                    organization: watch::Sender::new(status),
                    feeds,
                    client: None,
                    plugins,
                },
            );
        }
    }

    /// Shows an organization's way to Classy, or that it has none here any more.
    pub fn connect(&self, classy_id: i64, client: Option<Client>) {
        if let Some(card) = self.lock().get_mut(&classy_id) {
            card.client = client;
        }
    }

    /// How each organization's way to Classy is.
    pub fn pulses(&self) -> BTreeMap<i64, crate::classy::Pulse> {
        let clients: Vec<(i64, Client)> = self
            .lock()
            .iter()
            .filter_map(|(id, card)| Some((*id, card.client.clone()?)))
            .collect();
        clients
            .into_iter()
            .map(|(id, client)| (id, client.pulse()))
            .collect()
    }

    /// Takes an organization off.
    pub fn remove(&self, classy_id: i64) {
        self.lock().remove(&classy_id);
    }

    /// Where a feed's actor and its runs write.
    pub fn feed(&self, classy_id: i64, entity: Entity) -> watch::Sender<FeedStatus> {
        let place = Entity::ALL.iter().position(|other| *other == entity);
        let card = self.lock().get(&classy_id).cloned();
        card.zip(place).map_or_else(
            || watch::Sender::new(FeedStatus::new()),
            |(card, place)| card.feeds[place].clone(),
        )
    }

    /// Where a plugin's actor writes; makes its place when it has none.
    pub fn plugin(&self, classy_id: i64, plugin: &str) -> watch::Sender<PluginStatus> {
        let mut cards = self.lock();
        let place = cards
            .get_mut(&classy_id)
            .map(|card| card.plugins.entry(plugin.to_owned()).or_default().clone());
        place.unwrap_or_default()
    }

    /// An organization's plugins, as of now.
    pub fn plugins(&self, classy_id: i64) -> Vec<(String, PluginStatus)> {
        let cards = self.lock();
        let plugins = cards.get(&classy_id).map(|card| card.plugins.iter());
        plugins
            .into_iter()
            .flatten()
            .map(|(name, status)| (name.clone(), status.borrow().clone()))
            .collect()
    }

    /// Everybody, as of now.
    pub fn all(&self) -> Vec<(OrganizationStatus, Vec<(Entity, FeedStatus)>)> {
        self.lock().values().map(Card::snapshot).collect()
    }

    /// All organizations, in order.
    pub fn ids(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    /// One organization, as of now.
    pub fn one(&self, classy_id: i64) -> Option<(OrganizationStatus, Vec<(Entity, FeedStatus)>)> {
        self.lock().get(&classy_id).map(Card::snapshot)
    }
}

impl Card {
    fn snapshot(&self) -> (OrganizationStatus, Vec<(Entity, FeedStatus)>) {
        let feeds = Entity::ALL
            .into_iter()
            .zip(&self.feeds)
            .map(|(entity, feed)| (entity, feed.borrow().clone()));
        (self.organization.borrow().clone(), feeds.collect())
    }
}

#[cfg(test)]
impl Board {
    /// So many organizations at work, with all that can be told of them.
    pub(crate) fn fleet(count: i64) -> Board {
        let board = Board::default();
        for id in 1..=count {
            board.tell(
                id,
                &format!("Friends of the {id}th River"),
                3,
                Condition::Serving,
            );
            for entity in Entity::ALL {
                let moment = || Some(clock::now().to_rfc3339());
                let last = FeedReport {
                    entity: entity.to_string(),
                    mode: "incremental".to_owned(),
                    outcome: "failed".to_owned(),
                    error: Some("Classy answered 503 after 5 tries: the service is unavailable for the moment".to_owned()),
                    hint: Some("nothing is to be done: it is tried again".to_owned()),
                    fault: Some("remote".to_owned()),
                    watermark: moment(),
                    reconciled_at: moment(),
                    ..FeedReport::default()
                };
                board.feed(id, entity).send_modify(|feed| {
                    (feed.fresh_at, feed.next_at) = (Some(clock::now()), Some(clock::now()));
                    (feed.is_loaded, feed.failures, feed.last) = (true, 2, Some(Arc::new(last)));
                    feed.totals.seen = 10;
                });
            }
            board
                .plugin(id, "mailchimp")
                .send_modify(|plugin| plugin.last = Some(Arc::new(PluginReport::default())));
        }
        board
    }
}
