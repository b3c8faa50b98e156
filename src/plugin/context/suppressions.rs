//! Who left: whom a plugin must not bring in again, in whatever destination.

use super::PluginContext;
use crate::domain::Why;
use crate::plugin::PluginError;
use crate::store::{Leaving, Suppressed};
use std::collections::BTreeSet;

impl PluginContext {
    /// Which of these addresses (by the other side's ids) and supporters left, in whatever
    /// destination of this plugin.
    pub async fn suppressed(
        &self,
        remote_ids: &[String],
        supporters: &[i64],
    ) -> Result<Suppressed, PluginError> {
        let mut found = self
            .store
            .suppressed(&self.key, remote_ids, supporters)
            .await?;
        let overlay = self.overlay();
        found
            .addresses
            .retain(|id, _| !overlay.lifted.0.contains(id));
        found
            .supporters
            .retain(|id, _| !overlay.lifted.1.contains(id));
        for Leaving {
            remote_id,
            supporter_id,
            why,
        } in &overlay.leavings
        {
            if remote_ids.contains(remote_id) {
                let why = why.clone().beside(found.addresses.get(remote_id), true);
                found.addresses.insert(remote_id.clone(), why);
            }
            if let Some(supporter_id) = supporter_id.filter(|id| supporters.contains(id)) {
                let by = found.supporters.entry(supporter_id).or_default();
                by.insert(
                    remote_id.clone(),
                    why.clone().beside(by.get(remote_id), false),
                );
            }
        }
        Ok(found)
    }

    /// Those of these addresses by which somebody left and came back since.
    ///
    /// # Errors
    /// Database errors.
    pub async fn came_back(&self, remote_ids: &[String]) -> Result<BTreeSet<String>, PluginError> {
        Ok(self.store.came_back(&self.key, remote_ids).await?)
    }

    /// Remembers who left.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn suppress(&self, leavings: &[Leaving]) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => {
                self.store
                    .suppress(fence, &self.key, leavings, self.now)
                    .await?
            }
            None => self.overlay().leavings.extend_from_slice(leavings),
        }
        Ok(())
    }

    /// Ends the suppression of addresses and people whom the other side shows there again by their
    /// own doing.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn lift_suppressions(
        &self,
        remote_ids: &BTreeSet<String>,
        supporters: &BTreeSet<i64>,
    ) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => {
                self.store
                    .lift_suppressions(fence, &self.key, remote_ids, supporters, self.now)
                    .await?
            }
            None => {
                let mut overlay = self.overlay();
                overlay.leavings.retain(|one| {
                    !remote_ids.contains(&one.remote_id)
                        && !one.supporter_id.is_some_and(|id| supporters.contains(&id))
                });
                overlay.lifted.0.extend(remote_ids.iter().cloned());
                overlay.lifted.1.extend(supporters);
            }
        }
        Ok(())
    }

    /// Of leavings that are over, those of these supporters that were for one reason are for another
    /// one from now on. Nothing is written by whoever only looks.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn explain_leavings(
        &self,
        supporters: &BTreeSet<i64>,
        was: &Why,
        is: &Why,
    ) -> Result<(), PluginError> {
        if let Some(fence) = &self.fence {
            self.store
                .explain_leavings(fence, &self.key, supporters, was, is)
                .await?;
        }
        Ok(())
    }
}
