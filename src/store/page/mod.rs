//! The page transaction: rows, stubs, totals, change feed, audit, rejects and checkpoint, together
//! or not at all.
//!
//! | what | where |
//! |---|---|
//! | what every step works with | `tx` |
//! | the steps | `diff`, `parents`, `rows`, `audit`, `rejects`, `refusals`, `totals` (`supporter_totals`, `campaign_totals`, `total_rows`), `checkpoint` |
//! | the order of the steps, in one function | `commit::write_batch` |
//! | a batch that the database does not take as a whole | `parts` |

mod audit;
mod campaign_totals;
mod checkpoint;
mod commit;
mod diff;
mod parents;
mod parts;
mod refusals;
mod rejects;
mod rows;
mod supporter_totals;
mod total_rows;
mod totals;
mod tx;

use super::batch::{Batch, Committed};
use super::{Error, Fence, TenantStore};
use crate::entities::Record;

impl TenantStore {
    /// Writes a batch in one transaction, after checking that the fence still holds. A record that
    /// the database does not take is rejected, and the others are stored without it (see `parts`).
    ///
    /// The same content as stored is left untouched; whether an older version may replace a newer
    /// one says [`Batch::reading`].
    ///
    /// # Errors
    /// [`Error::FenceLost`] when another process took the organization over; database errors, after
    /// as many tries as make sense.
    pub async fn commit<R: Record>(
        &self,
        fence: &Fence,
        batch: &Batch<R>,
    ) -> Result<Committed, Error> {
        match commit::commit_whole(self, fence, batch).await {
            Err(error) if error.is_of_data() && !batch.items.is_empty() => {
                parts::commit_in_parts(self, fence, batch, error).await
            }
            whole => whole.map(|(committed, _)| committed),
        }
    }

    /// Brings the totals that are summed from this kind of record up to date, for the next
    /// supporters behind `after` (0 to begin with), in one transaction. Answers where to go on, or
    /// nothing when all are up to date. For the end of a first pass, whose batches leave totals
    /// out.
    ///
    /// # Errors
    /// As for [`TenantStore::commit`].
    pub async fn refresh_totals<R: Record>(
        &self,
        fence: &Fence,
        after: i64,
    ) -> Result<Option<i64>, Error> {
        commit::refresh_totals::<R>(self, fence, after).await
    }
}
