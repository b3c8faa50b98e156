//! One writer an organization: a row with holder, fencing number and expiry by the database's own clock.
//!
//! A holder that lost its lease may still believe in it. So every page transaction begins by locking the row and
//! comparing the number: whoever was replaced cannot write.

use super::statement::{for_update, now, sql};
use super::{Error, TenantStore};
use crate::domain::Time;
use sea_orm::{ConnectionTrait, DbBackend, Value};
use std::time::Duration;

/// Who holds a lease that was given back.
pub(super) const NOBODY: &str = "";

/// The right to write one organization's rows, as long as its number is the lease's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    holder: String,
    epoch: i64,
}

impl Fence {
    /// The fencing number: rises each time the lease changes hands.
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    pub(super) const fn of(holder: String, epoch: i64) -> Fence {
        Fence { holder, epoch }
    }

    /// That the lease `l` is still this one, as a condition with three parameters from `$first` on.
    pub(super) fn condition(&self, first: usize) -> String {
        format!("l.organization_id = ${first} AND l.holder = ${} AND l.epoch = ${}", first + 1, first + 2)
    }

    /// The parameters of [`Fence::condition`].
    pub(super) fn values(&self, organization_id: i64) -> [Value; 3] {
        [organization_id.into(), self.holder.as_str().into(), self.epoch.into()]
    }
}

/// The first statement of every transaction that writes what an organization owns.
pub(super) async fn check<C: ConnectionTrait>(tx: &C, backend: DbBackend, organization_id: i64, fence: &Fence) -> Result<(), Error> {
    let failed = |error| Error::query("checking the lease", error);
    let text = format!("SELECT epoch, holder FROM leases WHERE organization_id = $1{}", for_update(backend));
    let row = tx.query_one_raw(sql(backend, &text, [organization_id.into()])).await.map_err(failed)?;
    let row = row.ok_or(Error::FenceLost)?;
    let epoch: i64 = row.try_get("", "epoch").map_err(failed)?;
    let holder: String = row.try_get("", "holder").map_err(failed)?;
    if epoch == fence.epoch && holder == fence.holder { Ok(()) } else { Err(Error::FenceLost) }
}

pub(super) async fn database_now<C: ConnectionTrait>(connection: &C, backend: DbBackend) -> Result<Time, Error> {
    let failed = |error| Error::query("reading the database's clock", error);
    let text = format!("SELECT {} AS now_at", now(backend));
    let row = connection.query_one_raw(sql(backend, &text, [])).await.map_err(failed)?.ok_or(Error::NoOrganization)?;
    row.try_get("", "now_at").map_err(failed)
}

pub(super) fn after(at: Time, ttl: Duration) -> Time {
    at + chrono::TimeDelta::from_std(ttl).unwrap_or(chrono::TimeDelta::MAX)
}

impl TenantStore {
    /// Takes the lease: when it is free, expired, or held by the same holder (a dead predecessor on this host under this
    /// pid file, whose lock the caller has). Each taking raises the number.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] while another holder's lease runs.
    pub async fn acquire(&self, holder: &str, ttl: Duration) -> Result<Fence, Error> {
        let failed = |error| Error::query("taking the lease", error);
        let backend = self.backend();
        let tx = self.store.begin_write().await?;
        let now = database_now(&tx, backend).await?;
        let text = format!("SELECT holder, epoch, expires_at FROM leases WHERE organization_id = $1{}", for_update(backend));
        let epoch = match tx.query_one_raw(sql(backend, &text, [self.organization_id.into()])).await.map_err(failed)? {
            None => {
                let text = "INSERT INTO leases (organization_id, holder, epoch, expires_at) VALUES ($1, $2, $3, $4)";
                let values = [self.organization_id.into(), holder.into(), 1_i64.into(), after(now, ttl).into()];
                tx.execute_raw(sql(backend, text, values)).await.map_err(failed)?;
                1
            }
            Some(row) => {
                let held_by: String = row.try_get("", "holder").map_err(failed)?;
                let expires_at: Time = row.try_get("", "expires_at").map_err(failed)?;
                if held_by != holder && expires_at > now {
                    return Err(Error::LeaseHeld { holder: held_by, expires_at });
                }
                let epoch = row.try_get::<i64>("", "epoch").map_err(failed)? + 1;
                let text = "UPDATE leases SET holder = $1, epoch = $2, expires_at = $3 WHERE organization_id = $4";
                let values = [holder.into(), epoch.into(), after(now, ttl).into(), self.organization_id.into()];
                tx.execute_raw(sql(backend, text, values)).await.map_err(failed)?;
                epoch
            }
        };
        tx.commit().await.map_err(Error::commit)?;
        Ok(Fence { holder: holder.to_owned(), epoch })
    }

    /// Keeps the lease for another `ttl`.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when it changed hands.
    pub async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), Error> {
        let now = database_now(self.connection(), self.backend()).await?;
        self.change(fence, &fence.holder, after(now, ttl)).await
    }

    /// Gives the lease back, so that the next holder need not wait.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when it changed hands already.
    pub async fn release(&self, fence: &Fence) -> Result<(), Error> {
        let now = database_now(self.connection(), self.backend()).await?;
        self.change(fence, NOBODY, now).await
    }

    async fn change(&self, fence: &Fence, holder: &str, at: Time) -> Result<(), Error> {
        let text = "UPDATE leases SET expires_at = $1, holder = $2 WHERE organization_id = $3 AND holder = $4 AND epoch = $5";
        let values = [at.into(), holder.into()].into_iter().chain(fence.values(self.organization_id));
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await
            .map_err(|error| Error::query("renewing the lease", error))?;
        if done.rows_affected() == 0 { Err(Error::FenceLost) } else { Ok(()) }
    }
}
