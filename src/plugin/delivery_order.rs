//! What a delivery is given: whose people, where, and how much may be done unasked.

use super::context::Pulse;
use super::{GuardSettings, PluginContext};
use crate::domain::Time;
use crate::store::{Fence, PluginKey, TenantStore};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a delivery works with.
pub struct Delivery {
    /// The organization's store.
    pub store: TenantStore,
    /// The right to write it.
    pub fence: Fence,
    /// The plugin's name.
    pub plugin: String,
    /// The moment at which everything is looked at.
    pub now: Time,
    /// How much harm goes unasked.
    pub guard: GuardSettings,
    /// Cancelled when it is to end at the next batch.
    pub stop: CancellationToken,
    /// Told of each step.
    pub pulse: Pulse,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// The plugin's context for a delivery to a place.
pub(super) fn context(delivery: &Delivery, destination: &str) -> PluginContext {
    let key = PluginKey {
        plugin: delivery.plugin.clone(),
        destination: destination.to_owned(),
    };
    PluginContext::new(
        delivery.store.clone(),
        Some(delivery.fence.clone()),
        key,
        delivery.now,
        delivery.stop.clone(),
    )
    .with_pulse(Arc::clone(&delivery.pulse))
}
