//! What a delivery would do, without doing any of it.

use super::budget::count;
use super::delivery::people_were_read;
use super::pending::Pending;
use super::seen::{Seen, reader};
use super::survey::Survey;
use super::undo;
use super::{Finding, GuardSettings, Plugin, PluginError};
use crate::domain::{CheckResult, Forecast, Harms, Held, Time, plan_id};
use crate::store::TenantStore;
use std::collections::BTreeSet;

/// What would be done.
#[derive(Debug, Default)]
pub struct Preview {
    /// The feeds have not been read once yet, so nothing would be sent.
    pub waits: bool,
    /// The place that it is about.
    pub destination: String,
    /// Each person who is due, with what would be done.
    pub people: Vec<Seen>,
    /// The other side as a whole.
    pub forecast: Forecast,
    /// The place was not pushed into yet, or the plugin comes from another one: that waits for a
    /// person's word.
    pub asks_first: bool,
    /// Nothing of it is done before a person has looked, since then and for this reason.
    pub suspended: Option<(Time, String)>,
}

impl Preview {
    /// What waits for a person's word.
    pub fn held(&self) -> Vec<Held> {
        let of = |seen: &Seen| {
            let supporter_id = seen.person.supporter_id;
            seen.held
                .iter()
                .map(|guarded_change| Held {
                    supporter_id,
                    guarded_change: *guarded_change,
                })
                .collect::<Vec<_>>()
        };
        self.people.iter().flat_map(of).collect()
    }

    /// How much of it, by kind.
    pub fn holds(&self) -> Harms {
        count(self.people.iter().flat_map(|seen| &seen.held))
    }

    /// The name of the plan that is held.
    pub fn plan(&self) -> String {
        plan_id(&self.destination, &self.held())
    }
}

/// Asks a fresh plugin what it would do for everybody who is due, and the guard what it would say
/// to that. Nothing is written anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn preview(
    store: &TenantStore,
    name: &str,
    plugin: &mut (dyn Plugin + 'static),
    guard: &GuardSettings,
    now: Time,
) -> Result<Preview, PluginError> {
    let mut preview = Preview {
        waits: !people_were_read(store).await?,
        destination: plugin.destination().to_owned(),
        ..Preview::default()
    };
    if preview.waits {
        return Ok(preview);
    }
    let ctx = reader(store, name, plugin.destination(), now);
    plugin.initialize(&ctx).await?;
    plugin.refresh(&ctx).await?;
    let undone = undo::ordered(&ctx, plugin, guard).await?;
    let mut survey = Survey::begin(&ctx).await?;
    let (mut pending, mut met) = (
        Pending::begin(&ctx, plugin.batch_size()).await?,
        BTreeSet::new(),
    );
    while let Some(batch) = pending.next(&ctx).await? {
        for planned in plugin.preview(&ctx, &batch.people).await? {
            let person = batch
                .people
                .iter()
                .find(|person| person.supporter_id == planned.supporter_id);
            if let (Some(person), true) = (person, met.insert(planned.supporter_id)) {
                survey.count(&planned);
                preview.people.push(Seen {
                    person: person.clone(),
                    planned,
                    held: Vec::new(),
                    later: false,
                });
            }
        }
    }
    let ruling = survey.rule(plugin, &ctx, guard).await?;
    for seen in &mut preview.people {
        (seen.held, seen.later) = ruling
            .budget
            .ask_all(seen.person.supporter_id, &seen.planned.guarded_changes);
    }
    preview.people.extend(undone);
    (preview.forecast, preview.asks_first) = (survey.forecast, ruling.push.asks());
    preview.suspended = store.guard_state(ctx.key()).await?.suspended;
    Ok(preview)
}

/// Asks a fresh plugin who is on the other side, against the consent known here. Nothing is written
/// anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn audit(
    store: &TenantStore,
    name: &str,
    plugin: &mut (dyn Plugin + 'static),
    now: Time,
) -> Result<Vec<Finding>, PluginError> {
    let ctx = reader(store, name, plugin.destination(), now);
    plugin.initialize(&ctx).await?;
    plugin.audit(&ctx).await
}

/// Asks a fresh plugin which contacts look like ours and are not known as such; `None` of one
/// without contacts. Nothing is written anywhere.
///
/// # Errors
/// What keeps the plugin from working.
pub async fn adoptable(
    store: &TenantStore,
    name: &str,
    plugin: &mut (dyn Plugin + 'static),
    now: Time,
) -> Result<Option<Vec<Finding>>, PluginError> {
    let ctx = reader(store, name, plugin.destination(), now);
    plugin.initialize(&ctx).await?;
    plugin.adoptable(&ctx).await
}

/// Whether a fresh plugin's other side answers and accepts us. Sends nothing.
pub async fn check(
    store: &TenantStore,
    name: &str,
    plugin: &mut (dyn Plugin + 'static),
    now: Time,
) -> CheckResult {
    let ctx = reader(store, name, plugin.destination(), now);
    match plugin.initialize(&ctx).await {
        Ok(()) => plugin.health_check(&ctx).await,
        Err(error) => CheckResult::failing(error.to_string()),
    }
}
