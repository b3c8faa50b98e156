//! What the engine asks of the store.

use crate::domain::{FeedState, Item, Time};
use crate::entities::Record;
use crate::store::{self, Batch, Committed, Fence, Fingerprint, TenantStore};
use std::future::Future;

/// Where a feed is kept. Every write is one transaction that carries its checkpoint.
pub trait Sink<R: Record>: Sync {
    /// The checkpoint.
    fn load(&self) -> impl Future<Output = Result<FeedState, store::Error>> + Send;
    /// What can be made of records before their transaction; may be nothing.
    fn fingerprints(&self, _items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        Vec::new()
    }
    /// Whether what was made of records so far should be committed now, though more could go with
    /// it.
    fn is_due(&self, _texts: &[Option<Fingerprint>]) -> bool {
        false
    }
    /// One page transaction.
    fn commit(
        &self,
        batch: Batch<R>,
    ) -> impl Future<Output = Result<Committed, store::Error>> + Send;
    /// Brings totals up to date that the batches of a first pass left out; see
    /// [`TenantStore::refresh_totals`].
    fn refresh_totals(
        &self,
        after: i64,
    ) -> impl Future<Output = Result<Option<i64>, store::Error>> + Send;
    /// The lowest `limit` of the stored ids above `after` and up to `upto` that the source should
    /// show.
    fn ids_between(
        &self,
        after: i64,
        upto: i64,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<i64>, store::Error>> + Send;
    /// The largest of them, 0 when there is none.
    fn max_id(&self) -> impl Future<Output = Result<i64, store::Error>> + Send;
    /// How many there are.
    fn count(&self) -> impl Future<Output = Result<u64, store::Error>> + Send;
    /// How many of them changed at or after a moment.
    fn count_since(&self, from: Time) -> impl Future<Output = Result<u64, store::Error>> + Send;
    /// The suspects of the pass in progress.
    fn suspects(&self) -> impl Future<Output = Result<Vec<i64>, store::Error>> + Send;
}

/// One organization's store together with the right to write it.
#[derive(Debug, Clone)]
pub struct FencedStore {
    store: TenantStore,
    fence: Fence,
}

impl FencedStore {
    /// Joins a store and a fence of the same organization.
    pub const fn new(store: TenantStore, fence: Fence) -> Self {
        FencedStore { store, fence }
    }

    /// The store.
    pub const fn store(&self) -> &TenantStore {
        &self.store
    }

    /// The right to write it.
    pub const fn fence(&self) -> &Fence {
        &self.fence
    }
}

impl<R: Record> Sink<R> for FencedStore {
    async fn load(&self) -> Result<FeedState, store::Error> {
        self.store.feed_state(R::ENTITY).await
    }

    fn fingerprints(&self, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        self.store.fingerprints(items)
    }

    async fn commit(&self, batch: Batch<R>) -> Result<Committed, store::Error> {
        self.store.commit(&self.fence, &batch).await
    }

    async fn refresh_totals(&self, after: i64) -> Result<Option<i64>, store::Error> {
        self.store.refresh_totals::<R>(&self.fence, after).await
    }

    async fn ids_between(
        &self,
        after: i64,
        upto: i64,
        limit: u64,
    ) -> Result<Vec<i64>, store::Error> {
        self.store.ids_between::<R>(after, upto, limit).await
    }

    async fn max_id(&self) -> Result<i64, store::Error> {
        self.store.max_id(R::ENTITY).await
    }

    async fn count(&self) -> Result<u64, store::Error> {
        self.store.count(R::ENTITY).await
    }

    async fn count_since(&self, from: Time) -> Result<u64, store::Error> {
        self.store.count_since(R::ENTITY, from).await
    }

    async fn suspects(&self) -> Result<Vec<i64>, store::Error> {
        self.store.suspects(R::ENTITY).await
    }
}
