//! Repairs: a range that a person asks for, or the last months of transactions, read again and stored; the checkpoint stays where
//! it is.

use super::sweep::Checkpoint;
use super::{Error, Run, Sink, Source};
use crate::domain::{Entity, Query, Record, RunEnd, Time};
use crate::store::Batch;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Everything that changed since; of transactions also what was bought since, for changes that moved no time of change.
    pub(super) async fn repair(&mut self, from: Time) -> Result<RunEnd, Error> {
        if self.walk_by_key(from, Checkpoint::Untouched).await? == RunEnd::Stopped {
            return Ok(RunEnd::Stopped);
        }
        if R::ENTITY == Entity::Transactions { self.recent(from).await } else { Ok(RunEnd::Complete) }
    }

    /// What was bought since, by rising id.
    pub(super) async fn recent(&mut self, from: Time) -> Result<RunEnd, Error> {
        for number in 1.. {
            if self.stop.is_cancelled() {
                return Ok(RunEnd::Stopped);
            }
            let page = self.fetch(Query::PurchasedSince(from), number, self.settings.per_page).await?;
            let last = page.items.len() < self.settings.per_page as usize;
            self.commit(Batch::of(page.items)).await?;
            if last {
                break;
            }
        }
        Ok(RunEnd::Complete)
    }
}
