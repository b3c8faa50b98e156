//! How much of the process a run may use. Between the engine and its neighbours stand two limits
//! that it knows nothing of: a permit guards what is done with the database, but not the waiting
//! for the source; and a page is asked for only when there is room for it.

use super::{FencedStore, Sink, Source};
use crate::classy::{self, Client};
use crate::domain::{Answer, Clocks, FeedState, Item, Page, Query, Time};
use crate::entities::Record;
use crate::schedule::{ByteBudget, Hold, Turn};
use crate::store::{self, Batch, Committed, Fingerprint};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What a page is taken to occupy before the first came.
const USUAL_PAGE: usize = 128 * 1024;
/// A batch is committed from this size on, however few pages it is made of.
const FULL_BATCH: usize = 6 * 1024 * 1024;

/// The limits of a run.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Its turn.
    pub turn: &'a Turn,
    /// The budget that all runs share.
    pub bytes: &'a ByteBudget,
    /// It ends for good: no answer is waited for any more. What is being written is written.
    pub leave: &'a CancellationToken,
}

/// A client and a store within the limits.
pub(super) struct Bounded<'a> {
    client: &'a Client,
    sink: &'a FencedStore,
    bounds: Bounds<'a>,
    /// What the next page will probably occupy.
    next: AtomicUsize,
    ahead: Mutex<Ahead>,
}

/// Pages that came and were not made into rows yet.
#[derive(Default)]
struct Ahead {
    /// Of a walk by rising id, each with its first id.
    pages: Vec<(i64, Hold)>,
    /// The last page of another query; the one before it is committed by then.
    other: Option<Hold>,
}

impl<'a> Bounded<'a> {
    pub(super) fn new(
        client: &'a Client,
        sink: &'a FencedStore,
        bounds: Bounds<'a>,
    ) -> Bounded<'a> {
        Bounded {
            client,
            sink,
            bounds,
            next: AtomicUsize::new(USUAL_PAGE),
            ahead: Mutex::default(),
        }
    }

    /// An answer, unless the run is told to end before it came: a source that answers a byte a
    /// second holds nobody up who wants to stop. What was committed stays, and the next run asks
    /// again.
    async fn waited_for<T>(
        &self,
        asked: impl Future<Output = Result<T, classy::Error>>,
    ) -> Result<T, classy::Error> {
        tokio::select! {
            biased;
            () = self.bounds.leave.cancelled() => Err(classy::Error::LetGo),
            answer = asked => {
                self.bounds.turn.mark();
                answer
            }
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pages are ordered by the first id that they show.
fn first_id<R: crate::entities::Record>(items: &[Item<R>]) -> i64 {
    items.iter().find_map(Item::id).unwrap_or(0)
}

impl<R: Record> Source<R> for Bounded<'_> {
    async fn page(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, classy::Error> {
        let asked = async {
            let hold = self
                .bounds
                .bytes
                .take(
                    self.sink.store().classy_id(),
                    self.next.load(Ordering::Relaxed),
                )
                .await;
            Ok((hold, self.client.page::<R>(query, page, per_page).await?))
        };
        let (mut hold, answer) = self.waited_for(asked).await?;
        let bytes = answer.items.iter().map(Item::bytes).sum();
        hold.resize(bytes);
        self.next
            .store(bytes.max(USUAL_PAGE / 4), Ordering::Relaxed);
        let mut ahead = self.ahead();
        match query {
            Query::All => ahead.pages.push((first_id(&answer.items), hold)),
            _ => ahead.other = Some(hold),
        }
        Ok(answer)
    }

    async fn part(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, classy::Error> {
        // A tenth of a page, or one row: what it occupies is counted with the page that is made of
        // its parts.
        self.waited_for(self.client.part(query, page, per_page))
            .await
    }

    async fn one(&self, id: i64) -> Result<Answer<R>, classy::Error> {
        self.waited_for(self.client.one(id)).await
    }

    async fn answers(&self) -> Result<Clocks, classy::Error> {
        self.waited_for(self.client.answers()).await
    }

    fn concurrency(&self) -> usize {
        self.client.max_concurrency()
    }
}

impl<R: Record> Sink<R> for Bounded<'_> {
    async fn load(&self) -> Result<FeedState, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::load(self.sink).await
    }

    fn fingerprints(&self, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        let mut fingerprints = Sink::<R>::fingerprints(self.sink, items);
        let bytes = items.iter().map(Item::bytes).sum::<usize>();
        let hold = Arc::new(self.bounds.bytes.hold(bytes));
        fingerprints
            .iter_mut()
            .flatten()
            .for_each(|text| text.keep(Arc::clone(&hold)));
        let first = first_id(items);
        self.ahead().pages.retain(|(page, _)| *page > first);
        fingerprints
    }

    fn is_due(&self, fingerprints: &[Option<Fingerprint>]) -> bool {
        fingerprints
            .iter()
            .flatten()
            .map(Fingerprint::bytes)
            .sum::<usize>()
            >= FULL_BATCH
            || self.bounds.bytes.is_short()
    }

    async fn commit(&self, batch: Batch<R>) -> Result<Committed, store::Error> {
        let _working = self.bounds.turn.work().await;
        self.sink.commit(batch).await
    }

    async fn refresh_totals(&self, after: i64) -> Result<Option<i64>, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::refresh_totals(self.sink, after).await
    }

    async fn ids_between(
        &self,
        after: i64,
        upto: i64,
        limit: u64,
    ) -> Result<Vec<i64>, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::ids_between(self.sink, after, upto, limit).await
    }

    async fn max_id(&self) -> Result<i64, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::max_id(self.sink).await
    }

    async fn count(&self) -> Result<u64, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::count(self.sink).await
    }

    async fn count_since(&self, from: Time) -> Result<u64, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::count_since(self.sink, from).await
    }

    async fn suspects(&self) -> Result<Vec<i64>, store::Error> {
        let _working = self.bounds.turn.work().await;
        Sink::<R>::suspects(self.sink).await
    }
}
