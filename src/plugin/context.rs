//! What a plugin is given to work with: the moment, its memory, the mirror, the ledger, and how
//! much harm it may do.

mod images;
mod mirror;
mod places;
mod suppressions;

use super::overlay::Overlay;
use super::{Budget, PluginError};
use crate::domain::{Address, Profile, Time};
use crate::store::{DeliveryRow, Error, Fence, PluginKey, Sending, TenantStore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
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
    overlay: Arc<Mutex<Overlay>>,
    /// In a preview: what would have been written for other places, by place.
    elsewhere: Arc<Mutex<BTreeMap<String, Arc<Mutex<Overlay>>>>>,
    suspended: AtomicBool,
    is_first_push: bool,
}

/// Told of each step, so that a delivery that stands still is seen.
pub type Pulse = Arc<dyn Fn() + Send + Sync>;

impl std::fmt::Debug for PluginContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginContext")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl PluginContext {
    pub(super) fn new(
        store: TenantStore,
        fence: Option<Fence>,
        key: PluginKey,
        now: Time,
        stop: CancellationToken,
    ) -> PluginContext {
        PluginContext {
            store,
            fence,
            key,
            now,
            stop,
            budget: Budget::unlimited(),
            pulse: Arc::new(|| {}),
            overlay: Arc::default(),
            elsewhere: Arc::default(),
            suspended: AtomicBool::new(false),
            is_first_push: false,
        }
    }

    pub(super) fn with_budget(mut self, budget: Budget) -> PluginContext {
        self.budget = budget;
        self
    }

    pub(super) fn with_first_push(mut self, is_first: bool) -> PluginContext {
        self.is_first_push = is_first;
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

    /// Whether the place was not pushed into before.
    pub const fn is_first_push(&self) -> bool {
        self.is_first_push
    }

    /// Cancelled when the work is to end at the next good moment.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// # Errors
    /// [`PluginError::Stopped`] when the work is to end.
    pub fn go_on(&self) -> Result<(), PluginError> {
        if self.stop.is_cancelled() {
            Err(PluginError::Stopped)
        } else {
            Ok(())
        }
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
        let text = serde_json::to_string(state).map_err(|error| {
            PluginError::Unexpected(format!("a state that is no JSON: {error}"))
        })?;
        let Some(fence) = &self.fence else {
            self.overlay().state = Some(text);
            return Ok(());
        };
        let mut kept = self.store.plugin_state(&self.key).await?;
        kept.state = Some(text);
        Ok(self.store.set_plugin_state(fence, &self.key, &kept).await?)
    }

    /// Has these people looked at in this delivery, since the other side changed.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn make_due(&self, supporters: &[i64]) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => {
                self.store
                    .make_due(fence, &self.key, supporters, self.now)
                    .await?
            }
            // As it is written only of people whom the ledger knows; everybody else is due anyway.
            None => {
                let known = self.store.deliveries(&self.key, supporters).await?;
                self.overlay().due.extend(known.into_keys());
            }
        }
        Ok(())
    }

    /// Who is due though nothing changed here, the lowest `limit` ids after one.
    pub(super) async fn due_after(&self, after: i64, limit: u64) -> Result<Vec<i64>, Error> {
        let everybody_is = self.overlay().everybody_due;
        let stored = if everybody_is {
            self.store.delivered_after(&self.key, after, limit).await?
        } else {
            self.store
                .due_after(&self.key, after, self.now, limit)
                .await?
        };
        let mut ids: BTreeSet<i64> = stored.into_iter().collect();
        ids.extend(self.overlay().due.iter().filter(|id| **id > after));
        Ok(ids
            .into_iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect())
    }

    /// What the ledger says of these people.
    pub async fn ledger(
        &self,
        supporters: &[i64],
    ) -> Result<BTreeMap<i64, DeliveryRow>, PluginError> {
        let mut rows = self.store.deliveries(&self.key, supporters).await?;
        self.lay_undone_over(&mut rows);
        Ok(rows)
    }

    /// People by id, as they are now.
    pub async fn profiles(&self, supporters: &[i64]) -> Result<Vec<Profile>, PluginError> {
        Ok(self.store.profiles(supporters).await?)
    }

    /// The next `limit` people after a place in the change feed, as they are now.
    pub async fn people_after(
        &self,
        change_seq: i64,
        limit: u64,
    ) -> Result<Vec<Profile>, PluginError> {
        Ok(self.store.changed_after(change_seq, limit).await?)
    }

    /// Everybody who has one of these addresses, as they are now.
    pub async fn profiles_at(
        &self,
        addresses: &BTreeSet<Address>,
    ) -> Result<Vec<Profile>, PluginError> {
        let ids = self.store.holders(addresses).await?;
        Ok(self.store.profiles(&ids).await?)
    }

    /// Right before a send: checks the lease, writes down who is about to be sent and the harm
    /// taken from the budget for them, and answers with these people as they are at this moment.
    /// Whoever is not consented among them any more must not be sent as a subscriber.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn begin_sending(&self, sending: &[Sending]) -> Result<Vec<Profile>, PluginError> {
        self.mark();
        let Some(fence) = &self.fence else {
            return Err(PluginError::Unexpected(
                "a preview was about to send".to_owned(),
            ));
        };
        let people: BTreeSet<i64> = sending.iter().map(|one| one.supporter_id).collect();
        self.store
            .begin_sending(
                fence,
                &self.key,
                sending,
                &self.budget.settle(&people, self.now),
            )
            .await?;
        Ok(self
            .store
            .profiles(&people.into_iter().collect::<Vec<_>>())
            .await?)
    }

    /// Nothing was done to these people though it was written down: what was counted for it counts
    /// no more, and what a person allowed holds for another while.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn give_back(&self, people: &BTreeSet<i64>) -> Result<(), PluginError> {
        if people.is_empty() {
            return Ok(());
        }
        let harms = self.budget.give_back(people);
        if let Some(fence) = &self.fence {
            self.store
                .give_back(fence, &self.key, people, &harms, self.now)
                .await?;
        }
        Ok(())
    }

    /// Something happened that must never happen: the plugin is suspended, for every process, until
    /// a person has looked. What undoes it may still be sent.
    pub async fn suspend(&self, reason: &str) -> Result<(), PluginError> {
        self.suspended.store(true, Ordering::Relaxed);
        Ok(self
            .store
            .suspend_plugin(&self.key, reason, self.now)
            .await?)
    }

    /// Whether that was said in this delivery: nobody is sent any more.
    pub fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Relaxed)
    }

    fn overlay(&self) -> std::sync::MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
