//! One delivery: everybody who is due is handed to the plugin, and its verdicts go into the ledger, batch by batch.
//!
//! Everything pending is counted before the first of it is sent, so that a large harm is held as a whole.

use super::context::Pulse;
use super::pending::{Batch, Pending};
use super::{GuardSettings, Plugin, PluginContext, PluginError};
use crate::domain::{Entity, Fate, Harms, Time, Verdict};
use crate::store::{self, Fence, PluginKey, TenantStore};
use std::collections::BTreeSet;
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
        f.debug_struct("Delivery").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// The feeds have not been read once yet, so nothing was sent: tags of people whose gifts are not there would be wrong.
    pub waits: bool,
    /// Told to stop before everybody was handled.
    pub is_partial: bool,
    /// People by what became of them.
    pub delivered: u64,
    /// Not to be delivered.
    pub skipped: u64,
    /// Put off.
    pub deferred: u64,
    /// Waiting for approval.
    pub held: u64,
    /// Refused by the other side.
    pub rejected: u64,
}

impl Delivered {
    /// Goes on counting after another part of the same delivery.
    pub fn add(&mut self, next: &Delivered) {
        let Delivered { waits, is_partial, delivered, skipped, deferred, held, rejected } = *next;
        (self.waits, self.is_partial) = (waits, is_partial);
        self.delivered += delivered;
        self.skipped += skipped;
        self.deferred += deferred;
        self.held += held;
        self.rejected += rejected;
    }

    fn count(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict.fate {
                Fate::Delivered => self.delivered += 1,
                Fate::Skipped(_) => self.skipped += 1,
                Fate::Deferred { .. } => self.deferred += 1,
                Fate::Held(_) => self.held += 1,
                Fate::Rejected(_) => self.rejected += 1,
            }
        }
    }
}

/// Delivers to a plugin that was set up.
///
/// # Errors
/// What kept the plugin from working at all. What was delivered before stays delivered.
pub async fn deliver(delivery: &Delivery, plugin: &mut (dyn Plugin + 'static), is_new: bool) -> Result<Delivered, PluginError> {
    if !every_feed_was_read(&delivery.store).await? {
        return Ok(Delivered { waits: true, ..Delivered::default() });
    }
    let mut ctx = context(delivery, plugin.destination());
    if is_new {
        plugin.initialize(&ctx).await?;
        plugin.setup(&ctx).await?;
    }
    plugin.refresh(&ctx).await?;
    let harms = count_harm(plugin, &ctx).await?;
    let lately = delivery.store.harms(ctx.key(), delivery.now).await?;
    ctx = ctx.with_budget(delivery.guard.budget(plugin.audience(), &harms, &lately));
    let mut done = Delivered::default();
    let mut pending = Pending::begin(&ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(&ctx).await? {
        if delivery.stop.is_cancelled() {
            done.is_partial = true;
            return Ok(done);
        }
        let verdicts = process(plugin, &ctx, &batch).await?;
        let addresses = batch.addresses();
        let row = store::Delivered { verdicts: &verdicts, addresses: &addresses, cursor: batch.cursor };
        delivery.store.finish_deliveries(&delivery.fence, ctx.key(), &row).await?;
        ctx.mark();
        done.count(&verdicts);
    }
    if done.held > 0 {
        tracing::warn!(plugin = delivery.plugin, people = done.held, "changes are held until a person approves them");
    }
    Ok(done)
}

/// The plugin's context for a delivery to a place.
pub(super) fn context(delivery: &Delivery, destination: &str) -> PluginContext {
    let key = PluginKey { plugin: delivery.plugin.clone(), destination: destination.to_owned() };
    PluginContext::new(delivery.store.clone(), Some(delivery.fence.clone()), key, delivery.now, delivery.stop.clone())
        .with_pulse(Arc::clone(&delivery.pulse))
}

/// Whether each feed completed one pass.
pub(super) async fn every_feed_was_read(store: &TenantStore) -> Result<bool, store::Error> {
    for entity in Entity::ALL {
        if store.feed_state(entity).await?.first_pass_at.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn count_harm(plugin: &dyn Plugin, ctx: &PluginContext) -> Result<Harms, PluginError> {
    let mut harms = Harms::default();
    let mut counted: BTreeSet<i64> = BTreeSet::new();
    let mut pending = Pending::begin(ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(ctx).await? {
        ctx.go_on()?;
        ctx.mark();
        for planned in plugin.preview(ctx, &batch.people).await? {
            // Who shares an address with others may come several times.
            if !planned.harms.is_none() && counted.insert(planned.supporter_id) {
                harms.extend(&planned.harms);
            }
        }
    }
    Ok(harms)
}

/// Hands a batch over. Whoever the plugin has no word for is tried again later, so that nobody is lost.
async fn process(plugin: &dyn Plugin, ctx: &PluginContext, batch: &Batch) -> Result<Vec<Verdict>, PluginError> {
    let mut verdicts = plugin.process(ctx, &batch.people).await?;
    let known: BTreeSet<i64> = verdicts.iter().map(|verdict| verdict.supporter_id).collect();
    let forgotten = batch.people.iter().filter(|person| !known.contains(&person.supporter_id));
    let fate = || Fate::Deferred { until: ctx.now() + chrono::TimeDelta::hours(1), reason: "the plugin had no word for them".to_owned() };
    verdicts.extend(forgotten.map(|person| Verdict::of(person.supporter_id, fate())));
    Ok(verdicts)
}
