//! Repairs: a range that a person asks for, or the last months of transactions, read again and
//! stored; the checkpoint stays where it is.

use super::key_walk::{Checkpoint, Swept};
use super::paging::Paging;
use super::unread::Unread;
use super::{Error, Run, Sink, Source};
use crate::domain::{Query, RunEnd, Time};
use crate::entities::Record;
use crate::store::Batch;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Everything that changed since; of transactions also what was bought since, for changes that
    /// moved no time of change.
    pub(super) async fn repair(&mut self, from: Time) -> Result<RunEnd, Error> {
        self.unread = Unread::default();
        if self.walk_by_key(from, 0, Checkpoint::Untouched).await? == Swept::Stopped {
            return Ok(RunEnd::Stopped);
        }
        if R::ABOUT.has_purchases {
            self.recent(from).await
        } else {
            Ok(self.read_all())
        }
    }

    /// What was bought since, by rising id.
    pub(super) async fn recent(&mut self, from: Time) -> Result<RunEnd, Error> {
        let mut paging = Paging::new(self.settings.per_page);
        for number in 1.. {
            if self.stop.is_cancelled() {
                return Ok(RunEnd::Stopped);
            }
            let page = self
                .fetch(Query::PurchasedSince(from), number, paging.per_page)
                .await?;
            let more =
                paging.has_more(&page, number) && !(page.items.is_empty() && page.unread == 0);
            self.commit(Batch::of(page.items)).await?;
            if !more {
                break;
            }
            paging.check::<R>()?;
        }
        Ok(self.read_all())
    }

    /// Nothing of a repair is kept but what it read: what it could not read is told.
    fn read_all(&mut self) -> RunEnd {
        if self.unread.rows == 0 {
            return RunEnd::Complete;
        }
        let Unread { rows, note } = self.unread.clone();
        self.note(format!("records that cannot be read: {rows} ({note})"));
        RunEnd::Incomplete
    }
}
