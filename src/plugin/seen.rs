//! What looking ahead shows of a person, and the context for it: one that writes nothing.

use super::PluginContext;
use crate::domain::{GuardedChange, Planned, Profile, Time};
use crate::store::{PluginKey, TenantStore};
use tokio_util::sync::CancellationToken;

/// One person in a preview.
#[derive(Debug)]
pub struct Seen {
    /// The supporter, as plugins are given it.
    pub person: Profile,
    /// What would be done.
    pub planned: Planned,
    /// What of it waits for a person's word.
    pub held: Vec<GuardedChange>,
    /// All of it goes with a later portion.
    pub later: bool,
}

/// The context of somebody who only looks.
pub(super) fn reader(
    store: &TenantStore,
    name: &str,
    destination: &str,
    now: Time,
) -> PluginContext {
    let key = PluginKey {
        plugin: name.to_owned(),
        destination: destination.to_owned(),
    };
    PluginContext::new(store.clone(), None, key, now, CancellationToken::new())
}
