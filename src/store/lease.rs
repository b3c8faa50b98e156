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
use super::{Error, TenantStore};
use crate::domain::Time;
use crate::entities::lease::{ActiveModel, Column, Entity};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Value};
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
        let tx = self.store.begin_write().await?;
        let now = now_in(&tx, self.dialect()).await?;
        let ours = || Entity::update_many().filter(Column::OrganizationId.eq(self.organization_id));
        // SQLite, which knows no lock of a row, has one writer and needs none.
        let row = Entity::find_by_id(self.organization_id)
            .lock_exclusive()
            .one(&tx)
            .await
            .map_err(failed)?;
        let epoch = match row {
            None => {
                let row = ActiveModel {
                    organization_id: Set(self.organization_id),
                    holder: Set(holder.to_owned()),
                    epoch: Set(1),
                    expires_at: Set(after(now, ttl)),
                    ..Default::default()
                };
                Entity::insert(row)
                    .exec_without_returning(&tx)
                    .await
                    .map_err(failed)?;
                1
            }
            Some(row) if row.holder != holder && row.holder != NOBODY && row.expires_at > now => {
                let expires_at = row.expires_at.min(after(now, ttl));
                let bounded = ActiveModel {
                    expires_at: Set(expires_at),
                    ..Default::default()
                };
                ours().set(bounded).exec(&tx).await.map_err(failed)?;
                tx.commit().await.map_err(Error::commit)?;
                return Err(Error::LeaseHeld {
                    holder: row.holder,
                    expires_at,
                });
            }
            Some(row) => {
                let epoch = row.epoch + 1;
                let taken = ActiveModel {
                    holder: Set(holder.to_owned()),
                    epoch: Set(epoch),
                    expires_at: Set(after(now, ttl)),
                    ..Default::default()
                };
                ours().set(taken).exec(&tx).await.map_err(failed)?;
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
        let change = ActiveModel {
            expires_at: Set(at),
            holder: Set(holder.to_owned()),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(change)
            .filter(Column::OrganizationId.eq(self.organization_id))
            .filter(Column::Holder.eq(fence.holder.as_str()))
            .filter(Column::Epoch.eq(fence.epoch))
            .exec(self.connection())
            .await
            .map_err(|error| Error::query("renewing the lease", error))?;
        if done.rows_affected == 0 {
            Err(Error::FenceLost)
        } else {
            Ok(())
        }
    }
}
