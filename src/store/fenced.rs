//! Transactions that write what an organization owns, and how often one is tried.
//!
//! Each begins with a *write* to the lease's row, and not only with a lock on it: in a cluster of
//! servers a lock stays within its server, while two transactions that wrote the same row are never
//! both committed. So whoever was replaced through another server cannot write, either, though the
//! row still looks as it did where it is.

use super::statement::sql;
use super::{Error, Fence, TenantStore};
use crate::domain::Remedy;
use crate::net::RetryPolicy;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use std::time::Duration;

/// Times that a transaction is tried when the database asks for it (deadlock, busy, serialization,
/// a cluster's certification).
const TRIES: u32 = 8;

/// The same of what may be the fault of a value as well, a key that is there already: nobody else
/// writes what an organization owns, so another look at the rows settles it. The batch is halved
/// after each of these.
const TRIES_OF_VALUES: u32 = 2;

/// When a transaction that failed is tried again, for [`retry`](crate::net::retry).
pub(super) struct TransactionTries {
    left: u32,
    repeats_lost_commit: bool,
}

impl TransactionTries {
    /// For what is the same when it is done twice: also done again after a COMMIT whose answer was
    /// lost.
    pub(super) const fn of_repeatable() -> TransactionTries {
        TransactionTries {
            left: TRIES,
            repeats_lost_commit: true,
        }
    }

    /// For what would count or note something twice: done again only if it was undone for certain.
    pub(super) const fn of_countable() -> TransactionTries {
        TransactionTries {
            left: TRIES,
            repeats_lost_commit: false,
        }
    }
}

impl RetryPolicy<Error> for TransactionTries {
    /// The pauses grow.
    fn next(&mut self, error: Error) -> Result<Duration, Error> {
        let may_repeat = match &error {
            Error::CommitLost { .. } => self.repeats_lost_commit,
            other => matches!(other.remedy(), Remedy::Retry { .. }),
        };
        let tried = TRIES - self.left + 1;
        let tries = match &error {
            Error::Query { of_data: true, .. } => TRIES_OF_VALUES,
            _ => TRIES,
        };
        if !may_repeat || tried >= tries {
            return Err(error);
        }
        self.left -= 1;
        tracing::debug!(tried, error = %error, "the transaction is tried again");
        Ok(Duration::from_millis(
            (10_u64 << tried) + u64::from(rand::random::<u8>()),
        ))
    }
}

impl TenantStore {
    /// Begins a transaction under the lease. The write to its row is also the lock for which all
    /// who write for the organization queue, so that none of them meets another half-way.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when another process took the organization over; database errors.
    pub(super) async fn begin_fenced(&self, fence: &Fence) -> Result<DatabaseTransaction, Error> {
        let tx = self.store.begin_write().await?;
        let text = "UPDATE leases SET fence_writes = fence_writes + 1 WHERE organization_id = $1 AND holder = $2 AND epoch = $3";
        let claimed = tx
            .execute_raw(sql(
                self.dialect(),
                text,
                fence.values(self.organization_id),
            ))
            .await;
        match claimed
            .map_err(|error| Error::query("checking the lease", error))?
            .rows_affected()
        {
            1 => Ok(tx),
            _ => Err(Error::FenceLost),
        }
    }
}
