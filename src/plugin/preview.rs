//! What a delivery would do, without doing any of it.

use super::delivery::every_feed_was_read;
use super::pending::Pending;
use super::{Finding, Plugin, PluginContext, PluginError};
use crate::domain::{CheckResult, Harms, Planned, Profile, Time};
use crate::store::{PluginKey, TenantStore};
use tokio_util::sync::CancellationToken;

/// What would be done.
#[derive(Debug, Default)]
pub struct Preview {
    /// The feeds have not been read once yet, so nothing would be sent.
    pub waits: bool,
    /// Each person who is due, with what would be done.
    pub people: Vec<(Profile, Planned)>,
    /// The harm in all of it.
    pub harms: Harms,
}

/// Asks a fresh plugin what it would do for everybody who is due. Nothing is written anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn preview(store: &TenantStore, name: &str, plugin: &mut (dyn Plugin + 'static), now: Time) -> Result<Preview, PluginError> {
    let mut preview = Preview { waits: !every_feed_was_read(store).await?, ..Preview::default() };
    if preview.waits {
        return Ok(preview);
    }
    let ctx = reader(store, name, plugin.destination(), now);
    plugin.initialize(&ctx).await?;
    plugin.refresh(&ctx).await?;
    let mut pending = Pending::begin(&ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(&ctx).await? {
        for planned in plugin.preview(&ctx, &batch.people).await? {
            let person = batch.people.iter().find(|person| person.supporter_id == planned.supporter_id);
            let is_new =
                !preview.people.iter().rev().take(2 * plugin.batch_size()).any(|(known, _)| known.supporter_id == planned.supporter_id);
            if let (Some(person), true) = (person, is_new) {
                preview.harms.extend(&planned.harms);
                preview.people.push((person.clone(), planned));
            }
        }
    }
    Ok(preview)
}

/// Asks a fresh plugin who is on the other side, against the consent known here. Nothing is written anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn audit(store: &TenantStore, name: &str, plugin: &mut (dyn Plugin + 'static), now: Time) -> Result<Vec<Finding>, PluginError> {
    let ctx = reader(store, name, plugin.destination(), now);
    plugin.initialize(&ctx).await?;
    plugin.audit(&ctx).await
}

/// Whether a fresh plugin's other side answers and accepts us. Sends nothing.
pub async fn check(store: &TenantStore, name: &str, plugin: &mut (dyn Plugin + 'static), now: Time) -> CheckResult {
    let ctx = reader(store, name, plugin.destination(), now);
    match plugin.initialize(&ctx).await {
        Ok(()) => plugin.health_check(&ctx).await,
        Err(error) => CheckResult::failing(error.to_string()),
    }
}

fn reader(store: &TenantStore, name: &str, destination: &str, now: Time) -> PluginContext {
    let key = PluginKey { plugin: name.to_owned(), destination: destination.to_owned() };
    PluginContext::new(store.clone(), None, key, now, CancellationToken::new())
}
