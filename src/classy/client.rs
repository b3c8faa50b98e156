//! One organization's Classy: pages of records, single records, and how much was asked.

use super::address::Address;
use super::classify::{Fault, from_gateway};
use super::error::Error;
use super::ladder::Effort;
use super::lane::Lane;
use super::settings::Settings;
use super::transport::{Reply, Transport};
use super::wire::{List, OrganizationInfo, Wire, list, organization, single};
use crate::domain::{Campaign, Entity, Item, Page, Query, Time};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use url::Url;

/// One organization's Classy. Clones share token, pace, breaker and counts.
#[derive(Clone)]
pub struct Client {
    lane: Arc<Lane>,
    address: Arc<Address>,
}

/// What has been asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Token requests, retries included.
    pub token_requests: u64,
    /// Data requests, retries included.
    pub data_requests: u64,
    /// Data requests that repeated an earlier one.
    pub retries: u64,
    /// Decoded bytes of data replies.
    pub bytes: u64,
    /// Milliseconds spent waiting for the answers of data requests.
    pub spent_ms: u64,
}

/// How the access is, without asking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Nothing is sent for so long, after failures in a row.
    pub open_for: Option<Duration>,
    /// The credentials were refused.
    pub refused: bool,
    /// How long the token at hand lives; absent when there is none.
    pub token_for: Option<Duration>,
    /// By how many milliseconds the source's clock is ahead of ours; absent before its first answer.
    pub ahead_ms: Option<i64>,
    /// What was asked so far.
    pub stats: Stats,
}

/// What a first look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Campaigns of the organization.
    pub campaigns: u64,
    /// The source's own clock.
    pub date: Option<Time>,
}

impl Client {
    /// Sets up the access; sends nothing.
    ///
    /// # Errors
    /// [`Error::Settings`] for an address that secrets must not go to, or a header that cannot be sent.
    pub fn new(transport: &Transport, settings: Settings) -> Result<Client, Error> {
        let address = Address::new(&settings.base_url, settings.classy_id)?;
        Ok(Client { lane: Arc::new(Lane::new(transport, settings)?), address: Arc::new(address) })
    }

    /// One page of a list, pages counted from 1. A page past the end is empty, however the source answers for it.
    ///
    /// An empty page that its own `total` contradicts is asked for once more; a 404 past the first page is believed only after
    /// the first page confirmed by its `total` that the list ends before (contract 4).
    ///
    /// # Errors
    /// Whatever is left after the retries; [`Error::NotFound`] when the list itself does not exist.
    pub async fn page<R: Wire>(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, Error> {
        let url = self.address.list(R::ENTITY, query, page, per_page);
        let before = u64::from(page.saturating_sub(1)) * u64::from(per_page);
        let contradicts = |found: &Option<Page<R>>| found.as_ref().is_some_and(|page| page.items.is_empty() && page.total > before);
        let mut found = self.list(&url, Effort::Full).await?;
        if contradicts(&found) {
            found = self.list(&url, Effort::Full).await?;
        }
        match found {
            Some(found) => Ok(found),
            None if page <= 1 => Err(Error::NotFound { path: url.path().to_owned() }),
            None => {
                let first = self.address.list(R::ENTITY, query, 1, 1);
                let missing = || Error::NotFound { path: url.path().to_owned() };
                let Page { total, date, bytes, .. } = self.list::<R>(&first, Effort::Full).await?.ok_or_else(missing)?;
                if total > before {
                    let what = "a 404 before the end of the list".to_owned();
                    return Err(Error::Protocol { path: url.path().to_owned(), what });
                }
                Ok(Page { items: Vec::new(), total, date, bytes })
            }
        }
    }

    /// One record by its id; absent when the source has none (404).
    ///
    /// # Errors
    /// Whatever is left after the retries. A 404 of the gateway is an error, not an absence.
    pub async fn one<R: Wire>(&self, id: i64) -> Result<Option<Item<R>>, Error> {
        let url = self.address.single(R::ENTITY, id);
        let classy_id = self.lane.settings.classy_id;
        self.lane
            .get(&url, Effort::Full, |reply| match reply.status {
                404 if from_gateway(reply) => Err(Fault::protocol(&url, "a 404 of the gateway, not of the API")),
                404 => Ok(None),
                _ => single(&reply.body, id, classy_id).map(Some).map_err(|what| Fault::protocol(&url, what)),
            })
            .await
    }

    /// The organization itself; absent where the source does not offer it (contract 3.2).
    ///
    /// # Errors
    /// Whatever is left after the retries.
    pub async fn organization(&self) -> Result<Option<OrganizationInfo>, Error> {
        let url = self.address.organization();
        let classy_id = self.lane.settings.classy_id;
        self.lane
            .get(&url, Effort::Brief, |reply| match reply.status {
                404 => Ok(None),
                _ => organization(&reply.body, classy_id).map(Some).map_err(|what| Fault::protocol(&url, what)),
            })
            .await
    }

    /// Tries the credentials: a token and one small list. Gives up early, for somebody waits for it.
    ///
    /// # Errors
    /// The first thing that is in the way.
    pub async fn probe(&self) -> Result<Probe, Error> {
        let url = self.address.list(Entity::Campaigns, Query::All, 1, 1);
        let page: Option<Page<Campaign>> = self.list(&url, Effort::Brief).await?;
        let page = page.ok_or_else(|| Error::NotFound { path: url.path().to_owned() })?;
        Ok(Probe { campaigns: page.total, date: page.date })
    }

    /// What has been asked so far.
    pub fn stats(&self) -> Stats {
        Stats {
            token_requests: self.lane.tokens.requests(),
            data_requests: self.lane.requests.load(Ordering::Relaxed),
            retries: self.lane.repeated.load(Ordering::Relaxed),
            bytes: self.lane.bytes.load(Ordering::Relaxed),
            spent_ms: self.lane.spent_ms.load(Ordering::Relaxed),
        }
    }

    /// How the access is now.
    pub fn pulse(&self) -> Pulse {
        let (refused, token_for) = self.lane.tokens.pulse();
        let ahead = self.lane.skew_ms.load(Ordering::Relaxed);
        Pulse {
            open_for: self.lane.breaker.open_for(),
            refused,
            token_for,
            ahead_ms: (ahead != i64::MIN).then_some(ahead),
            stats: self.stats(),
        }
    }

    /// Data requests that may be under way at the same time.
    pub fn max_concurrency(&self) -> usize {
        self.lane.settings.max_concurrency.max(1)
    }

    /// A page, or nothing for a 404.
    async fn list<R: Wire>(&self, url: &Url, effort: Effort) -> Result<Option<Page<R>>, Error> {
        let classy_id = self.lane.settings.classy_id;
        let read = |reply: &Reply| {
            if reply.status == 404 {
                return Ok(None);
            }
            let List { items, total } = list(&reply.body, classy_id).map_err(|what| Fault::protocol(url, what))?;
            Ok(Some(Page { items, total, date: reply.date(), bytes: reply.body.len() as u64 }))
        };
        self.lane.get(url, effort, read).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.lane.settings).finish_non_exhaustive()
    }
}
