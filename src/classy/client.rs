//! One organization's Classy: pages of records, single records, and how much was asked.

use super::address::Address;
use super::classify::Fault;
use super::contact::Heard;
use super::error::Error;
use super::pipeline::{RequestPipeline, Whole};
use super::retry_policy::RetryProfile;
use super::settings::Settings;
use super::take::{TakeList, TakeOne};
use super::transport::{Reply, Transport, shown_path};
use super::wire::{OrganizationInfo, organization};
use crate::clock;
use crate::domain::{Answer, Clocks, Doubt, Page, Query, Time, Trouble};
use crate::entities::{Campaign, Entity, Record};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use url::Url;

/// One organization's Classy. Clones share token, pace, breaker and counts.
#[derive(Clone)]
pub struct Client {
    pipeline: Arc<RequestPipeline>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Who is asked: name and port.
    pub host: String,
    /// Nothing is sent for so long, after failures in a row.
    pub open_for: Option<Duration>,
    /// The credentials were refused.
    pub refused: bool,
    /// How long the token at hand lives; absent when there is none.
    pub token_for: Option<Duration>,
    /// By how many milliseconds the source's clock is ahead of ours; absent before its first
    /// answer.
    pub ahead_ms: Option<i64>,
    /// Why nothing comes at all; absent when the last answer was as it should be.
    pub trouble: Option<Trouble>,
    /// Somebody waits, and nothing was answered for so long.
    pub silent_for: Option<Duration>,
    /// Why somebody waits before asking again.
    pub waits_for: Option<Trouble>,
    /// How it goes with each list, in the order of [`Entity::ALL`].
    pub lists: [Heard; Entity::ALL.len()],
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

impl Pulse {
    /// How it goes with one list.
    pub fn heard(&self, list: Entity) -> &Heard {
        &self.lists[super::contact::place(list)]
    }
}

impl Client {
    /// Sets up the access; sends nothing.
    ///
    /// # Errors
    /// [`Error::Settings`] for an address that secrets must not go to, or a header that cannot be
    /// sent.
    pub fn new(transport: &Transport, settings: Settings) -> Result<Client, Error> {
        let address = Address::new(&settings.base_url, settings.classy_id)?;
        Ok(Client {
            pipeline: Arc::new(RequestPipeline::new(
                transport,
                settings,
                address.organization(),
            )?),
            address: Arc::new(address),
        })
    }

    /// One page of a list, pages counted from 1. A page past the end is empty, however the source
    /// answers for it.
    ///
    /// An empty page that its own `total` contradicts is asked for once more; a 404 past the first
    /// page is believed only after the first page confirmed by its `total` that the list ends
    /// before (contract 4).
    ///
    /// # Errors
    /// Whatever is left after the retries; [`Error::NotFound`] when the list itself does not exist.
    pub async fn page<R: Record>(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> Result<Page<R>, Error> {
        let url = self.address.list(R::ENTITY, query, page, per_page);
        let before = u64::from(page.saturating_sub(1)) * u64::from(per_page);
        let contradicts = |found: &Option<Page<R>>| {
            found
                .as_ref()
                .is_some_and(|page| page.items.is_empty() && page.total > before)
        };
        let mut found = self.list(&url, per_page, RetryProfile::Full).await?;
        if contradicts(&found) {
            found = self.list(&url, per_page, RetryProfile::Full).await?;
        }
        match found {
            Some(found) => Ok(found),
            None if page <= 1 => Err(Error::NotFound {
                path: shown_path(&url),
            }),
            None => {
                let first = self.address.list(R::ENTITY, query, 1, 1);
                let missing = || Error::NotFound {
                    path: shown_path(&url),
                };
                let Page {
                    total,
                    clocks,
                    bytes,
                    ..
                } = self
                    .list::<R>(&first, 1, RetryProfile::Full)
                    .await?
                    .ok_or_else(missing)?;
                if total > before {
                    let what = "a 404 before the end of the list".to_owned();
                    return Err(Error::Protocol {
                        path: shown_path(&url),
                        what,
                    });
                }
                Ok(Page {
                    total,
                    bytes,
                    ..Page::empty(clocks)
                })
            }
        }
    }

    /// A part of a page that could not be read as a whole: tried less often, and without a word to
    /// the breaker.
    ///
    /// # Errors
    /// As for a page; a 404 is an empty part, since whoever asks has met the list.
    pub async fn part<R: Record>(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> Result<Page<R>, Error> {
        let url = self.address.list(R::ENTITY, query, page, per_page);
        let found = self.list(&url, per_page, RetryProfile::Part).await?;
        Ok(found.unwrap_or_else(|| {
            Page::empty(Clocks {
                theirs: None,
                ours: clock::now(),
            })
        }))
    }

    /// One record by its id.
    ///
    /// # Errors
    /// What concerns more than this record: no credentials, no rate, no network, or a source that
    /// answers nothing else, either.
    pub async fn one<R: Record>(&self, id: i64) -> Result<Answer<R>, Error> {
        let doubt = |wait: Duration| Answer::Undecided(Doubt::Wait(wait.as_secs()));
        if let Some(wait) = self.pipeline.singles.closed_for() {
            return Ok(doubt(wait));
        }
        let mut asked = self.single(id).await;
        if matches!(
            asked,
            Err(Error::RateLimited { .. } | Error::EdgeBlocked { .. })
        ) {
            // Is it this record, or everything? The list would be kept from us, too; and if it only
            // was for a while, the record was.
            self.list::<R>(
                &self.address.list(R::ENTITY, Query::All, 1, 1),
                1,
                RetryProfile::Part,
            )
            .await?;
            asked = self.single(id).await;
        }
        let doubt = match asked {
            Ok(answer) => {
                self.pipeline.singles.answered();
                return Ok(answer);
            }
            Err(Error::RateLimited { after }) => {
                self.pipeline.singles.limited(after);
                return Ok(doubt(after));
            }
            Err(Error::EdgeBlocked { status, .. }) => Doubt::Status(status),
            Err(Error::Forbidden { .. }) => Doubt::Status(403),
            Err(Error::RefusedHere { .. }) => Doubt::Status(401),
            Err(Error::BadRequest { status, .. }) => Doubt::Status(status),
            Err(Error::Protocol { what, .. }) => Doubt::Unreadable(what),
            Err(Error::TooLarge { .. } | Error::TooManyRecords { .. }) => {
                Doubt::Unreadable("larger than what is read".to_owned())
            }
            Err(error) if error.may_be_of_one_request() => {
                // Is it this record, or everything?
                self.answers().await?;
                match error {
                    Error::Unavailable { status } => Doubt::Status(status),
                    Error::Redirect { .. } => {
                        Doubt::Unreadable("a redirect to elsewhere".to_owned())
                    }
                    _ => Doubt::NoAnswer,
                }
            }
            Err(error) => return Err(error),
        };
        Ok(Answer::Undecided(doubt))
    }

    async fn single<R: Record>(&self, id: i64) -> Result<Answer<R>, Error> {
        let url = self.address.single(R::ENTITY, id);
        let classy_id = self.pipeline.settings.classy_id;
        self.pipeline
            .get(&url, RetryProfile::Single, || {
                TakeOne::<R>::new(&url, id, classy_id)
            })
            .await
    }

    /// Asks whether the source answers at all, with the smallest question that there is, and when.
    /// That the organization itself is not offered, or not to us, is an answer, too.
    ///
    /// # Errors
    /// It does not, or not to us.
    pub async fn answers(&self) -> Result<Clocks, Error> {
        let url = self.address.organization();
        let asked = self
            .pipeline
            .get(&url, RetryProfile::Control, || {
                Whole(|reply: &Reply| Ok(reply.clocks()))
            })
            .await;
        match asked {
            Err(Error::Forbidden { .. } | Error::BadRequest { .. }) => Ok(Clocks {
                theirs: None,
                ours: clock::now(),
            }),
            other => other,
        }
    }

    /// The organization itself; absent where the source does not offer it (contract 3.2).
    ///
    /// # Errors
    /// Whatever is left after the retries.
    pub async fn organization(&self) -> Result<Option<OrganizationInfo>, Error> {
        let url = self.address.organization();
        let classy_id = self.pipeline.settings.classy_id;
        let read = |reply: &Reply| match reply.status {
            404 => Ok(None),
            _ => organization(&reply.body, classy_id)
                .map(Some)
                .map_err(|what| Fault::protocol(&url, what)),
        };
        self.pipeline
            .get(&url, RetryProfile::Brief, || Whole(read))
            .await
    }

    /// Tries the credentials: a token and one small list. Gives up early, for somebody waits for
    /// it.
    ///
    /// # Errors
    /// The first thing that is in the way.
    pub async fn probe(&self) -> Result<Probe, Error> {
        let url = self.address.list(Entity::Campaigns, Query::All, 1, 1);
        let page: Option<Page<Campaign>> = self.list(&url, 1, RetryProfile::Brief).await?;
        let page = page.ok_or_else(|| Error::NotFound {
            path: shown_path(&url),
        })?;
        Ok(Probe {
            campaigns: page.total,
            date: page.clocks.theirs,
        })
    }

    /// What has been asked so far.
    pub fn stats(&self) -> Stats {
        Stats {
            token_requests: self.pipeline.tokens.requests(),
            data_requests: self.pipeline.requests.load(Ordering::Relaxed),
            retries: self.pipeline.repeated.load(Ordering::Relaxed),
            bytes: self.pipeline.bytes.load(Ordering::Relaxed),
            spent_ms: self.pipeline.spent_ms.load(Ordering::Relaxed),
        }
    }

    /// How the access is now.
    pub fn pulse(&self) -> Pulse {
        let (refused, token_for) = self.pipeline.tokens.pulse();
        let Heard {
            trouble,
            silent_for,
            waits_for,
            waits: _,
        } = self.pipeline.contact.pulse();
        let ahead = self.pipeline.skew_ms.load(Ordering::Relaxed);
        Pulse {
            host: self.address.host(),
            open_for: self.pipeline.breaker.open_for(),
            refused,
            token_for,
            ahead_ms: (ahead != i64::MIN).then_some(ahead),
            trouble,
            silent_for,
            waits_for,
            lists: self.pipeline.contact.lists(),
            stats: self.stats(),
        }
    }

    /// Data requests that may be under way at the same time.
    pub fn max_concurrency(&self) -> usize {
        self.pipeline.settings.max_concurrency.max(1)
    }

    /// A page, or nothing for a 404.
    async fn list<R: Record>(
        &self,
        url: &Url,
        asked: u32,
        profile: RetryProfile,
    ) -> Result<Option<Page<R>>, Error> {
        let classy_id = self.pipeline.settings.classy_id;
        self.pipeline
            .get(url, profile, || TakeList::<R>::new(url, classy_id, asked))
            .await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.pipeline.settings)
            .finish_non_exhaustive()
    }
}
