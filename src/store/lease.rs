//! One writer an organization: a row with holder, fencing number and expiry by the database's own
//! clock.
//!
//! A holder that lost its lease may still believe in it. So every transaction of a holder begins by
//! writing the row under its number (see `fenced`): whoever was replaced cannot write.
//!
//! A lease of nobody is free, whatever its expiry. An expiry further away than a lease's length was
//! written while the clock was ahead (nobody writes a later one than now and that length), and
//! counts as that length from the moment it is met.

use super::connect::now_in;
use super::statement::{for_update, sql};
use super::{Error, TenantStore};
use crate::domain::Time;
use sea_orm::{ConnectionTrait, Value};
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

    /// What the lease's row must say, by its columns: organization, holder, number.
    pub(super) fn values(&self, organization_id: i64) -> [Value; 3] {
        [
            organization_id.into(),
            self.holder.as_str().into(),
            self.epoch.into(),
        ]
    }
}

pub(super) fn after(at: Time, ttl: Duration) -> Time {
    at + chrono::TimeDelta::from_std(ttl).unwrap_or(chrono::TimeDelta::MAX)
}

impl TenantStore {
    /// Takes the lease: when it is free, expired, or held by the same holder, which is one life of
    /// a process. Each taking raises the number.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] while another holder's lease runs.
    pub async fn acquire(&self, holder: &str, ttl: Duration) -> Result<Fence, Error> {
        let failed = |error| Error::query("taking the lease", error);
        let backend = self.backend();
        let tx = self.store.begin_write().await?;
        let now = now_in(&tx, backend).await?;
        let text = format!(
            "SELECT holder, epoch, expires_at FROM leases WHERE organization_id = $1{}",
            for_update(backend)
        );
        let epoch = match tx
            .query_one_raw(sql(backend, &text, [self.organization_id.into()]))
            .await
            .map_err(failed)?
        {
            None => {
                let text = "INSERT INTO leases (organization_id, holder, epoch, expires_at) VALUES ($1, $2, $3, $4)";
                let values = [
                    self.organization_id.into(),
                    holder.into(),
                    1_i64.into(),
                    after(now, ttl).into(),
                ];
                tx.execute_raw(sql(backend, text, values))
                    .await
                    .map_err(failed)?;
                1
            }
            Some(row) => {
                let held_by: String = row.try_get("", "holder").map_err(failed)?;
                let expires_at: Time = row.try_get("", "expires_at").map_err(failed)?;
                if held_by != holder && held_by != NOBODY && expires_at > now {
                    let expires_at = expires_at.min(after(now, ttl));
                    let text = "UPDATE leases SET expires_at = $1 WHERE organization_id = $2";
                    tx.execute_raw(sql(
                        backend,
                        text,
                        [expires_at.into(), self.organization_id.into()],
                    ))
                    .await
                    .map_err(failed)?;
                    tx.commit().await.map_err(Error::commit)?;
                    return Err(Error::LeaseHeld {
                        holder: held_by,
                        expires_at,
                    });
                }
                let epoch = row.try_get::<i64>("", "epoch").map_err(failed)? + 1;
                let text = "UPDATE leases SET holder = $1, epoch = $2, expires_at = $3 WHERE organization_id = $4";
                let values = [
                    holder.into(),
                    epoch.into(),
                    after(now, ttl).into(),
                    self.organization_id.into(),
                ];
                tx.execute_raw(sql(backend, text, values))
                    .await
                    .map_err(failed)?;
                epoch
            }
        };
        tx.commit().await.map_err(Error::commit)?;
        Ok(Fence {
            holder: holder.to_owned(),
            epoch,
        })
    }

    /// Keeps the lease for another `ttl`.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when it changed hands.
    pub async fn renew(&self, fence: &Fence, ttl: Duration) -> Result<(), Error> {
        let now = self.store.ping().await?;
        self.change(fence, &fence.holder, after(now, ttl)).await
    }

    /// Gives the lease back, so that the next holder need not wait.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when it changed hands already.
    pub async fn release(&self, fence: &Fence) -> Result<(), Error> {
        let now = self.store.ping().await?;
        self.change(fence, NOBODY, now).await
    }

    async fn change(&self, fence: &Fence, holder: &str, at: Time) -> Result<(), Error> {
        let text = "UPDATE leases SET expires_at = $1, holder = $2 WHERE organization_id = $3 AND holder = $4 AND epoch = $5";
        let values = [at.into(), holder.into()]
            .into_iter()
            .chain(fence.values(self.organization_id));
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await
            .map_err(|error| Error::query("renewing the lease", error))?;
        if done.rows_affected() == 0 {
            Err(Error::FenceLost)
        } else {
            Ok(())
        }
    }
}
