//! A plugin's other places, such as the audiences of before, and what concerns a place as a whole.

use super::PluginContext;
use crate::domain::{Address, Member, Time};
use crate::plugin::PluginError;
use crate::store::{FormerAddress, PluginKey};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

impl PluginContext {
    /// The same for another place of this plugin, such as an audience of before. Harm is not
    /// counted there.
    pub fn at(&self, destination: &str) -> PluginContext {
        let key = PluginKey {
            plugin: self.key.plugin.clone(),
            destination: destination.to_owned(),
        };
        let overlay = Arc::clone(
            self.elsewhere
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(destination.to_owned())
                .or_default(),
        );
        let there = PluginContext::new(
            self.store.clone(),
            self.fence.clone(),
            key,
            self.now,
            self.stop.clone(),
        );
        PluginContext {
            overlay,
            ..there.with_pulse(Arc::clone(&self.pulse))
        }
    }

    /// The other places into which this plugin subscribed somebody who is there still, as far as
    /// known.
    pub async fn earlier_destinations(&self) -> Result<Vec<String>, PluginError> {
        Ok(self.store.earlier_destinations(&self.key).await?)
    }

    /// Whether this place is still to be pushed into for the first time.
    pub async fn awaits_first_push(&self) -> Result<bool, PluginError> {
        Ok(self
            .store
            .guard_state(&self.key)
            .await?
            .first_push_at
            .is_none())
    }

    /// Additions at those places of which nobody heard what became of them: the place, who, and the
    /// address that was sent.
    pub async fn unheard_additions(&self) -> Result<Vec<(String, i64, Address)>, PluginError> {
        Ok(self.store.unheard_additions(&self.key).await?)
    }

    /// Additions at this place of which nobody heard what became of them: the moment of their call,
    /// who, and the address that was sent.
    pub async fn unheard_here(&self) -> Result<Vec<(Time, i64, Address)>, PluginError> {
        Ok(self.store.unheard_here(&self.key).await?)
    }

    /// Contacts that are in, carry tags of ours, and belong to nobody, by the traces of their
    /// names.
    pub async fn nobodys_members(&self, names: &BTreeSet<i64>) -> Result<Vec<Member>, PluginError> {
        let is_meant = |member: &Member| {
            member.supporter_id.is_none()
                && !member.subscribed_by_us
                && ["subscribed", "pending"].contains(&member.remote_status.as_str())
                && !member.managed_tags.is_empty()
                && member.name_hash.is_some_and(|name| names.contains(&name))
        };
        Ok(self.lay_over(
            self.store.nobodys_members(&self.key, names).await?,
            is_meant,
        ))
    }

    /// Addresses that people had until a moment after this one, the earliest first; `of`: only of
    /// these supporters.
    pub async fn former_addresses(
        &self,
        since: Time,
        of: Option<&[i64]>,
    ) -> Result<Vec<FormerAddress>, PluginError> {
        Ok(self.store.former_addresses(since, of).await?)
    }

    /// When a delivery last had a word on each of these people, at this place or at one before.
    pub async fn looked_at(&self, supporters: &[i64]) -> Result<BTreeMap<i64, Time>, PluginError> {
        let mut looked_at = self.store.looked_at(&self.key.plugin, supporters).await?;
        for row in self
            .store
            .deliveries(&self.key, supporters)
            .await?
            .into_values()
        {
            let at = looked_at.entry(row.supporter_id).or_insert(row.updated_at);
            *at = row.updated_at.max(*at);
        }
        Ok(looked_at)
    }

    /// What the plugin remembered of the place to which it delivered before this one, if it was
    /// another.
    ///
    /// # Errors
    /// Database errors. What cannot be read any more (of another version) counts as nothing.
    pub async fn state_of_before<T: DeserializeOwned>(&self) -> Result<Option<T>, PluginError> {
        let before = self.store.place_of_before(&self.key).await?;
        Ok(before.and_then(|(_, state)| serde_json::from_str(&state?).ok()))
    }

    /// Has everybody in the ledger looked at in this delivery, since what is to be sent changed.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn make_everybody_due(&self) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => {
                self.store
                    .make_everybody_due(fence, &self.key, self.now)
                    .await?
            }
            None => self.overlay().everybody_due = true,
        }
        Ok(())
    }

    /// Looking found something that people did on the other side at a moment: a webhook should have
    /// told of it.
    pub async fn note_found(&self, happened_at: Time) -> Result<(), PluginError> {
        if self.is_preview() {
            return Ok(());
        }
        Ok(self.store.note_found(&self.key, happened_at).await?)
    }

    /// Contacts, by the other side's ids, that a person said are ours and that were not taken over
    /// yet; `None`: nobody said anything.
    pub async fn adoptions(&self) -> Result<Option<Vec<String>>, PluginError> {
        Ok(self.store.adoptions(&self.key).await?)
    }

    /// They were taken over, or nobody was to be. A preview leaves that open.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn close_adoptions(&self, remote_ids: &[String]) -> Result<(), PluginError> {
        if let Some(fence) = &self.fence {
            self.store
                .close_adoptions(fence, &self.key, remote_ids)
                .await?;
        }
        Ok(())
    }

    /// How many contacts are in and carry tags of ours, and do not count as ours, as the mirror has
    /// them.
    pub async fn count_carrying(&self, field: &str) -> Result<u64, PluginError> {
        Ok(self.store.count_carrying(&self.key, field).await?)
    }

    /// Notes something in the audit trail, as `PLUGIN.WHAT`. A preview notes nothing.
    pub async fn note(&self, what: &str, detail: serde_json::Value) -> Result<(), PluginError> {
        if self.fence.is_some() {
            self.store.note_of_plugin(&self.key, what, detail).await?;
        }
        Ok(())
    }
}
