//! What a plugin writes down of contacts before it changes them, beside what goes with the word
//! that they are about to be sent.

use super::PluginContext;
use crate::domain::{Address, Image, Taking};
use crate::plugin::PluginError;
use crate::store::DeliveryRow;
use std::collections::{BTreeMap, BTreeSet};

impl PluginContext {
    /// Those of these addresses that a supporter has.
    pub async fn held_addresses(
        &self,
        addresses: &BTreeSet<Address>,
    ) -> Result<BTreeSet<Address>, PluginError> {
        Ok(self.store.held_addresses(addresses).await?)
    }

    /// Right before a send: what is sent differs from what
    /// [`begin_sending`](PluginContext::begin_sending) wrote down a moment ago.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn save_images(&self, images: &[Image]) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) if !images.is_empty() => {
                Ok(self.store.save_images(fence, &self.key, images).await?)
            }
            _ => Ok(()),
        }
    }

    /// In a preview: what the ledger would say of those whom an undo came to.
    pub(in crate::plugin) fn foresee_undone(&self, takings: &[Taking]) {
        let marked = takings.iter().filter(|one| one.outcome.keeps_as_it_is());
        self.overlay()
            .undone
            .extend(marked.map(|one| (one.supporter_id, one.mark)));
    }

    pub(super) fn lay_undone_over(&self, rows: &mut BTreeMap<i64, DeliveryRow>) {
        for (supporter_id, mark) in &self.overlay().undone {
            if let Some(row) = rows.get_mut(supporter_id) {
                (row.undone_mark, row.fingerprint) = (Some(*mark), None);
            }
        }
    }
}
