//! What every step of a page transaction works with: the transaction, whose feed it writes, and the
//! moment that its rows are stamped with.

use crate::clock;
use crate::domain::Time;
use crate::entities::Entity;
use crate::store::dialect::Dialect;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore, tuple};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, TryGetableMany, Value};
use std::sync::OnceLock;

/// Documents up to this size fit whatever a server is set to, and cost no question.
const SMALL_DOCUMENT: usize = 16 * 1024;

/// What a statement has besides its document, at most.
const AROUND_DOCUMENT: usize = 8 * 1024;

/// The transaction that writes one batch of one feed.
pub(super) struct PageTx<'a> {
    pub(super) tx: &'a DatabaseTransaction,
    pub(super) dialect: Dialect,
    pub(super) organization_id: i64,
    pub(super) entity: Entity,
    pub(super) now: Time,
    /// How large a statement may be, once it was asked for.
    limit: OnceLock<i64>,
}

impl<'a> PageTx<'a> {
    pub(super) fn new(tx: &'a DatabaseTransaction, store: &TenantStore, entity: Entity) -> Self {
        PageTx {
            tx,
            dialect: store.dialect(),
            organization_id: store.organization_id,
            entity,
            now: clock::now(),
            limit: OnceLock::new(),
        }
    }

    /// Carries out a statement, and answers how many rows it met. `doing` says in an error what it
    /// was for.
    pub(super) async fn execute(
        &self,
        doing: &'static str,
        text: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, Error> {
        let done = self.tx.execute_raw(sql(self.dialect, text, values)).await;
        done.map(|done| done.rows_affected())
            .map_err(|error| Error::query(doing, error))
    }

    /// Asks for rows.
    pub(super) async fn query<R: FromQueryResult>(
        &self,
        doing: &'static str,
        text: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<R>, Error> {
        R::find_by_statement(sql(self.dialect, text, values))
            .all(self.tx)
            .await
            .map_err(|error| Error::query(doing, error))
    }

    /// Asks for rows that are tuples of their columns, or their only column.
    pub(super) async fn tuples<T: TryGetableMany>(
        &self,
        doing: &'static str,
        text: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Error> {
        tuple::all(self.tx, sql(self.dialect, text, values))
            .await
            .map_err(|error| Error::query(doing, error))
    }

    /// Takes the next `count` numbers of the organization's change feed, one for each changed
    /// supporter, and returns the first. They rise in the order in which transactions are
    /// committed, since the organization's row stays locked until then.
    pub(super) async fn reserve_change_seqs(&self, count: usize) -> Result<i64, Error> {
        let count = count as i64;
        let failed = |error| Error::query("counting changes", error);
        let id = || self.organization_id.into();
        let text = "UPDATE organizations SET change_seq = change_seq + $1 WHERE id = $2";
        self.execute("counting changes", text, [count.into(), id()])
            .await?;
        let text = "SELECT change_seq FROM organizations WHERE id = $1";
        let last: i64 = tuple::one(self.tx, sql(self.dialect, text, [id()]))
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        Ok(last - count + 1)
    }

    /// What the values of a statement may occupy, in bytes, as far as a server limits it.
    pub(super) async fn largest_statement(&self) -> Result<usize, Error> {
        let Some(limit) = self.limit().await? else {
            return Ok(usize::MAX);
        };
        Ok(usize::try_from(limit)
            .unwrap_or(0)
            .saturating_sub(AROUND_DOCUMENT))
    }

    /// Refuses a statement with values of so many bytes if the connection does not take it. MySQL
    /// and MariaDB end the connection in the middle of a larger one, which looks like a server that
    /// went away; so it is not sent.
    pub(super) async fn require_packet(&self, bytes: usize) -> Result<(), Error> {
        if bytes <= SMALL_DOCUMENT {
            return Ok(());
        }
        let Some(limit) = self.limit().await? else {
            return Ok(());
        };
        let bytes = bytes + AROUND_DOCUMENT;
        if i64::try_from(bytes).is_ok_and(|bytes| bytes <= limit) {
            Ok(())
        } else {
            Err(Error::TooLarge { bytes, limit })
        }
    }

    /// How large a statement with its values may be, where that is limited.
    async fn limit(&self) -> Result<Option<i64>, Error> {
        let Some(question) = self.dialect.statement_limit() else {
            return Ok(None);
        };
        if let Some(limit) = self.limit.get() {
            return Ok(Some(*limit));
        }
        let limit = tuple::one(self.tx, sql(self.dialect, &question, []))
            .await
            .map_err(|error| Error::query("asking for max_allowed_packet", error))?
            .ok_or(Error::NoOrganization)?;
        Ok(Some(*self.limit.get_or_init(|| limit)))
    }
}
