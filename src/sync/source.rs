//! What the engine asks of the source.

use crate::classy;
use crate::domain::{Answer, Clocks, Page, Query};
use crate::entities::Record;
use std::future::Future;

/// A feed that can be read page by page, and record by record.
pub trait Source<R: Record>: Sync {
    /// One page of a query, from 1. A page past the end is empty.
    fn page(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> impl Future<Output = Result<Page<R>, classy::Error>> + Send;

    /// The same of a part of a page that cannot be read as a whole: it may fail for good, and is
    /// not tried so often.
    fn part(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> impl Future<Output = Result<Page<R>, classy::Error>> + Send;

    /// One record; an error only for what concerns more than this record.
    fn one(&self, id: i64) -> impl Future<Output = Result<Answer<R>, classy::Error>> + Send;

    /// Whether it answers at all, and when: asked when a page failed that may have failed alone.
    fn answers(&self) -> impl Future<Output = Result<Clocks, classy::Error>> + Send;

    /// How many requests may be under way at once.
    fn concurrency(&self) -> usize;
}

impl<R: Record> Source<R> for classy::Client {
    async fn page(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, classy::Error> {
        self.page(query, page, per_page).await
    }

    async fn part(&self, query: Query, page: u32, per_page: u32) -> Result<Page<R>, classy::Error> {
        self.part(query, page, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Answer<R>, classy::Error> {
        self.one(id).await
    }

    async fn answers(&self) -> Result<Clocks, classy::Error> {
        self.answers().await
    }

    fn concurrency(&self) -> usize {
        self.max_concurrency()
    }
}
