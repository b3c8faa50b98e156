//! What is kept for plugins: who is due, what became of whom, the mirror of the other side, and how much harm was done or allowed.
//!
//! Every write is one transaction that begins with the check of the lease, as a page's does.

mod harm;
mod ledger;
mod members;
mod profiles;
mod state;

pub use harm::{HarmEntry, HarmTotals};
pub use ledger::{Delivered, DeliveryCount, DeliveryRow, Sending};
pub use members::Left;
pub use state::{PluginKey, PluginState};

use super::{Error, Fence, TenantStore, lease};
use sea_orm::DatabaseTransaction;

impl TenantStore {
    /// Begins a transaction under the lease. All that write for an organization queue at its lease's row, so none of them meets
    /// another one half-way.
    async fn begin_fenced(&self, fence: &Fence) -> Result<DatabaseTransaction, Error> {
        let tx = self.store.begin_write().await?;
        lease::check(&tx, self.backend(), self.organization_id, fence).await?;
        Ok(tx)
    }
}
