//! What a plugin is given to work with: the moment, its memory, the mirror, the ledger, and how much harm it may do.

use super::{Budget, PluginError};
use crate::domain::{Address, Member, Profile, Time};
use crate::store::{DeliveryRow, Fence, Left, PluginKey, Sending, TenantStore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// A plugin's access to what is kept for it, within one organization.
///
/// In a preview nothing is written: what the plugin saves stays in memory and is read from there.
pub struct PluginContext {
    store: TenantStore,
    fence: Option<Fence>,
    key: PluginKey,
    now: Time,
    stop: CancellationToken,
    budget: Budget,
    pulse: Pulse,
    overlay: Mutex<Overlay>,
}

/// Told of each step, so that a delivery that stands still is seen.
pub type Pulse = Arc<dyn Fn() + Send + Sync>;

/// What a preview would have written.
#[derive(Default)]
struct Overlay {
    state: Option<String>,
    members: BTreeMap<String, Option<Member>>,
}

impl std::fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginContext").field("key", &self.key).finish_non_exhaustive()
    }
}

impl PluginContext {
    pub(super) fn new(store: TenantStore, fence: Option<Fence>, key: PluginKey, now: Time, stop: CancellationToken) -> PluginContext {
        PluginContext { store, fence, key, now, stop, budget: Budget::unlimited(), pulse: Arc::new(|| {}), overlay: Mutex::default() }
    }

    pub(super) fn with_budget(mut self, budget: Budget) -> PluginContext {
        self.budget = budget;
        self
    }

    pub(super) fn with_pulse(mut self, pulse: Pulse) -> PluginContext {
        self.pulse = pulse;
        self
    }

    /// A step was made.
    pub fn mark(&self) {
        (self.pulse)();
    }

    pub(super) const fn store(&self) -> &TenantStore {
        &self.store
    }

    pub(super) const fn key(&self) -> &PluginKey {
        &self.key
    }

    /// Classy's id of the organization.
    pub const fn classy_id(&self) -> i64 {
        self.store.classy_id()
    }

    /// The moment at which this delivery looks at everything.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Nothing may be written anywhere.
    pub const fn is_preview(&self) -> bool {
        self.fence.is_none()
    }

    /// How much harm may be done.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Cancelled when the work is to end at the next good moment.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// # Errors
    /// [`PluginError::Stopped`] when the work is to end.
    pub fn go_on(&self) -> Result<(), PluginError> {
        if self.stop.is_cancelled() { Err(PluginError::Stopped) } else { Ok(()) }
    }

    /// What the plugin remembered last.
    ///
    /// # Errors
    /// Database errors. What cannot be read any more (of another version) counts as nothing.
    pub async fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, PluginError> {
        let overlay = self.overlay().state.clone();
        let text = match overlay {
            Some(text) => Some(text),
            None => self.store.plugin_state(&self.key).await?.state,
        };
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Remembers.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn save_state<T: Serialize + Sync>(&self, state: &T) -> Result<(), PluginError> {
        let text = serde_json::to_string(state).map_err(|error| PluginError::Unexpected(format!("a state that is no JSON: {error}")))?;
        let Some(fence) = &self.fence else {
            self.overlay().state = Some(text);
            return Ok(());
        };
        let mut kept = self.store.plugin_state(&self.key).await?;
        kept.state = Some(text);
        Ok(self.store.set_plugin_state(fence, &self.key, &kept).await?)
    }

    /// The contacts that were delivered for these supporters.
    ///
    /// # Errors
    /// Database errors.
    pub async fn members_of(&self, supporters: &[i64]) -> Result<Vec<Member>, PluginError> {
        let stored = self.store.members_of(&self.key, supporters).await?;
        let wanted: BTreeSet<i64> = supporters.iter().copied().collect();
        Ok(self.lay_over(stored, |member| member.supporter_id.is_some_and(|id| wanted.contains(&id))))
    }

    /// The contacts with these ids of the other side.
    ///
    /// # Errors
    /// Database errors.
    pub async fn members(&self, remote_ids: &[String]) -> Result<Vec<Member>, PluginError> {
        let stored = self.store.members(&self.key, remote_ids).await?;
        let wanted: BTreeSet<&String> = remote_ids.iter().collect();
        Ok(self.lay_over(stored, |member| wanted.contains(&member.remote_id)))
    }

    /// The contacts that the other side calls by these names, whatever their addresses.
    ///
    /// # Errors
    /// Database errors.
    pub async fn members_of_contacts(&self, contact_ids: &[String]) -> Result<Vec<Member>, PluginError> {
        let stored = self.store.members_of_contacts(&self.key, contact_ids).await?;
        let wanted: BTreeSet<&String> = contact_ids.iter().collect();
        Ok(self.lay_over(stored, |member| member.contact_id.as_ref().is_some_and(|id| wanted.contains(id))))
    }

    /// The next `limit` contacts after an id of the other side. Does not know what a preview would have written.
    ///
    /// # Errors
    /// Database errors.
    pub async fn members_after(&self, after: &str, limit: u64) -> Result<Vec<Member>, PluginError> {
        Ok(self.store.members_after(&self.key, after, limit).await?)
    }

    fn lay_over(&self, stored: Vec<Member>, wanted: impl Fn(&Member) -> bool) -> Vec<Member> {
        let overlay = self.overlay();
        let untouched = stored.into_iter().filter(|member| !overlay.members.contains_key(&member.remote_id));
        untouched.chain(overlay.members.values().flatten().filter(|member| wanted(member)).cloned()).collect()
    }

    /// Writes contacts into the mirror, and into the audit trail who left.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn save_members(&self, members: &[Member], left: &[Left]) -> Result<(), PluginError> {
        self.mark();
        match &self.fence {
            Some(fence) => self.store.save_members(fence, &self.key, members, left).await?,
            None => self.overlay().members.extend(members.iter().map(|member| (member.remote_id.clone(), Some(member.clone())))),
        }
        Ok(())
    }

    /// Takes contacts out of the mirror.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn forget_members(&self, remote_ids: &[String]) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => self.store.forget_members(fence, &self.key, remote_ids).await?,
            None => self.overlay().members.extend(remote_ids.iter().map(|id| (id.clone(), None))),
        }
        Ok(())
    }

    /// Has these people looked at in this delivery, since the other side changed.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn make_due(&self, supporters: &[i64]) -> Result<(), PluginError> {
        if let Some(fence) = &self.fence {
            self.store.make_due(fence, &self.key, supporters, self.now).await?;
        }
        Ok(())
    }

    /// What the ledger says of these people.
    ///
    /// # Errors
    /// Database errors.
    pub async fn ledger(&self, supporters: &[i64]) -> Result<BTreeMap<i64, DeliveryRow>, PluginError> {
        Ok(self.store.deliveries(&self.key, supporters).await?)
    }

    /// People by id, as they are now.
    ///
    /// # Errors
    /// Database errors.
    pub async fn profiles(&self, supporters: &[i64]) -> Result<Vec<Profile>, PluginError> {
        Ok(self.store.profiles(supporters).await?)
    }

    /// The next `limit` people after a place in the change feed, as they are now.
    ///
    /// # Errors
    /// Database errors.
    pub async fn people_after(&self, change_seq: i64, limit: u64) -> Result<Vec<Profile>, PluginError> {
        Ok(self.store.changed_after(change_seq, limit).await?)
    }

    /// Everybody who has one of these addresses, as they are now.
    ///
    /// # Errors
    /// Database errors.
    pub async fn profiles_at(&self, addresses: &BTreeSet<Address>) -> Result<Vec<Profile>, PluginError> {
        let ids = self.store.holders(addresses).await?;
        Ok(self.store.profiles(&ids).await?)
    }

    /// Right before a send: checks the lease, writes down who is about to be sent and the harm taken from the budget since the last
    /// send, and answers with these people as they are at this moment. Whoever is not consented among them any more must not be sent as a
    /// subscriber.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn begin_sending(&self, sending: &[Sending]) -> Result<Vec<Profile>, PluginError> {
        self.mark();
        let Some(fence) = &self.fence else {
            return Err(PluginError::Unexpected("a preview was about to send".to_owned()));
        };
        self.store.begin_sending(fence, &self.key, sending, &self.budget.settle()).await?;
        let ids: Vec<i64> = sending.iter().map(|one| one.supporter_id).collect();
        Ok(self.store.profiles(&ids).await?)
    }

    fn overlay(&self) -> std::sync::MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
