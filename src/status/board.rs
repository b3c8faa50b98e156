//! What is going on, for whoever wants to see it: written by the actors and their runs, read
//! without asking anybody.

#[cfg(test)]
use super::report::{FeedReport, PluginReport};
use super::serving::{Condition, FeedStatus, OrganizationStatus, PluginStatus};
use crate::classy::Client;
use crate::clock;
use crate::entities::Entity;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

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
