//! What the engine asks of the source.

use crate::classy;
use crate::domain::{Item, Page, Query, Record};
use std::future::Future;

/// A feed that can be read page by page, and record by record.
pub trait Source<R: Record>: Sync {
    /// One page of a query, from 1. A page past the end is empty.
    fn page(&self, query: Query, page: u32, per_page: u32) -> impl Future<Output = Result<Page<R>, classy::Error>> + Send;

    /// One record; `None` when the source says that it does not exist.
    fn one(&self, id: i64) -> impl Future<Output = Result<Option<Item<R>>, classy::Error>> + Send;

    /// How many requests may be under way at once.
    fn concurrency(&self) -> usize;
}

impl<R: classy::Wire> Source<R> for classy::Client {
    async fn page(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, classy::Error> {
        self.page(query, page, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Option<Item<R>>, classy::Error> {
        self.one(id).await
    }

    fn concurrency(&self) -> usize {
        self.max_concurrency()
    }
}
