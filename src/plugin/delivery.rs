//! One delivery: everybody who is due is handed to the plugin, and its verdicts go into the ledger,
//! batch by batch.
//!
//! Everything pending is counted before the first of it is sent, so that a large harm is held as a
//! whole.

use super::delivery_order::{Delivery, context};
use super::guard::Push;
use super::opt_outs::{pass_by_what_is_known, pass_newer, pass_refusals_on, with_opt_outs};
use super::pending::{Batch, Pending};
use super::survey::Survey;
use super::{Plugin, PluginContext, PluginError, undo};
use crate::domain::{Fate, Forecast, Harms, Verdict};
use crate::entities::Entity;
use crate::store::{self, TenantStore};
use std::collections::BTreeSet;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    /// The feeds have not been read once yet, so nothing was sent: tags of people whose gifts are
    /// not there would be wrong.
    pub waits: bool,
    /// Told to stop before everybody was handled.
    pub is_partial: bool,
    /// People by what became of them.
    pub delivered: u64,
    /// Not to be delivered.
    pub skipped: u64,
    /// Put off.
    pub deferred: u64,
    /// Waiting for approval, these and those of earlier deliveries.
    pub held: u64,
    /// What waits, by kind.
    pub holds: Harms,
    /// What the first push would do, when it waits.
    pub forecast: Option<Forecast>,
    /// Refused by the other side.
    pub rejected: u64,
    /// What keeps people waiting on the other side.
    pub trouble: Option<String>,
}

impl Delivered {
    /// Goes on counting after another part of the same delivery.
    pub fn add(&mut self, next: &Delivered) {
        let Delivered {
            waits,
            is_partial,
            delivered,
            skipped,
            deferred,
            held,
            holds,
            forecast,
            rejected,
            ref trouble,
        } = *next;
        (self.waits, self.is_partial) = (waits, is_partial);
        self.trouble.clone_from(trouble);
        (self.held, self.holds, self.forecast) = (held, holds, forecast);
        self.delivered += delivered;
        self.skipped += skipped;
        self.deferred += deferred;
        self.rejected += rejected;
    }

    fn count(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict.fate {
                Fate::Delivered => self.delivered += 1,
                Fate::Skipped(_) => self.skipped += 1,
                Fate::Deferred { .. } | Fate::Unheard(_) => self.deferred += 1,
                Fate::Held(_) => {}
                Fate::Rejected(_) => self.rejected += 1,
            }
        }
    }
}

/// Delivers to a plugin that was set up.
///
/// # Errors
/// What kept the plugin from working at all. What was delivered before stays delivered.
pub async fn deliver(
    delivery: &Delivery,
    plugin: &mut (dyn Plugin + 'static),
    is_new: bool,
) -> Result<Delivered, PluginError> {
    if !people_were_read(&delivery.store).await? {
        return Ok(Delivered {
            waits: true,
            ..Delivered::default()
        });
    }
    let ctx = context(delivery, plugin.destination());
    if let Some((since, reason)) = delivery.store.guard_state(ctx.key()).await?.suspended {
        return Err(
            match pass_refusals_on(delivery, ctx, plugin, is_new).await {
                Ok(()) => PluginError::Suspended { since, reason },
                Err(stop @ (PluginError::Stopped | PluginError::Store(_))) => stop,
                Err(error) => PluginError::Suspended {
                    since,
                    reason: format!("{reason}. Opt-outs could not be passed on: {error}"),
                },
            },
        );
    }
    let key = ctx.key().clone();
    let done = deliver_all(delivery, ctx, plugin, is_new).await;
    match &done {
        Err(PluginError::Alarm(reason)) => {
            delivery
                .store
                .suspend_plugin(&key, reason, delivery.now)
                .await?;
        }
        // What is wrong keeps others out. Whoever said no does not wait until it is mended.
        Err(error) if error.stops_opt_outs() => {}
        Err(_) => match pass_by_what_is_known(delivery, plugin).await {
            Err(stop @ (PluginError::Stopped | PluginError::Store(_))) => return Err(stop),
            Err(error) => tracing::warn!(
                plugin = delivery.plugin,
                error = error.to_string(),
                "opt-outs could not be passed on"
            ),
            Ok(()) => {}
        },
        Ok(_) => {}
    }
    done
}

async fn deliver_all(
    delivery: &Delivery,
    mut ctx: PluginContext,
    plugin: &mut (dyn Plugin + 'static),
    is_new: bool,
) -> Result<Delivered, PluginError> {
    if is_new {
        plugin.initialize(&ctx).await?;
        plugin.setup(&ctx).await?;
    }
    let plugin: &dyn Plugin = plugin;
    delivery.store.arrive(&delivery.fence, ctx.key()).await?;
    with_opt_outs(plugin.refresh(&ctx), || {
        pass_by_what_is_known(delivery, plugin)
    })
    .await?;
    if let Some(fault) = plugin.fault() {
        return Err(fault);
    }
    delivery.store.bound_guard(ctx.key(), delivery.now).await?;
    // Before anything is sent: what is taken back now is not sent again in the same delivery.
    undo::carry_out(&ctx, plugin, &delivery.guard, &delivery.fence).await?;
    let mut survey = survey(plugin, &ctx).await?;
    let ruling = survey.rule(plugin, &ctx, &delivery.guard).await?;
    ctx = ctx
        .with_budget(ruling.budget)
        .with_first_push(ruling.push != Push::Later);
    let mut done = Delivered::default();
    let mut pending = Pending::begin(&ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(&ctx).await? {
        if delivery.stop.is_cancelled() {
            (done.is_partial, done.trouble) = (true, plugin.trouble());
            return Ok(done);
        }
        let verdicts = with_opt_outs(process(plugin, &ctx, &batch), || {
            pass_newer(delivery, &ctx, plugin, pending.refused_to())
        })
        .await?;
        let addresses = batch.addresses();
        let row = store::Delivered {
            verdicts: &verdicts,
            addresses: &addresses,
            cursor: batch.cursor,
        };
        delivery
            .store
            .finish_deliveries(&delivery.fence, ctx.key(), &row)
            .await?;
        ctx.mark();
        let refused = verdicts
            .iter()
            .filter(|verdict| matches!(verdict.fate, Fate::Rejected(_)));
        ctx.give_back(&refused.map(|verdict| verdict.supporter_id).collect())
            .await?;
        done.count(&verdicts);
    }
    let is_made = match ruling.push {
        Push::Later | Push::Asks { is_allowed: false } => false,
        Push::Open | Push::Asks { is_allowed: true } => {
            ruling.was_carried_out || ctx.budget().entries() > 0
        }
    };
    if is_made {
        delivery
            .store
            .note_first_push(&delivery.fence, ctx.key(), delivery.now)
            .await?;
    }
    (done.held, done.holds) = delivery.store.count_holds(ctx.key()).await?;
    done.forecast = (ruling.push.asks() && !is_made && done.held > 0).then_some(survey.forecast);
    delivery
        .store
        .note_forecast(
            &delivery.fence,
            ctx.key(),
            done.forecast.map(|forecast| forecast.to_string()),
        )
        .await?;
    done.trouble = plugin.trouble();
    if let Some(trouble) = &done.trouble {
        tracing::warn!(
            plugin = delivery.plugin,
            trouble,
            "people wait for the other side"
        );
    }
    if done.held > 0 {
        tracing::warn!(
            plugin = delivery.plugin,
            people = done.held,
            "changes are held until a person approves them"
        );
    }
    Ok(done)
}

/// Whether each feed that tells of people completed one pass. Another list that cannot be read
/// holds up nobody's opt-out.
pub(super) async fn people_were_read(store: &TenantStore) -> Result<bool, store::Error> {
    for entity in Entity::ALL
        .into_iter()
        .filter(|entity| entity.about().tells_of_people)
    {
        if store.feed_state(entity).await?.first_pass_at.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Everything that is due, as it would be done.
async fn survey(plugin: &dyn Plugin, ctx: &PluginContext) -> Result<Survey, PluginError> {
    let mut survey = Survey::begin(ctx).await?;
    let mut pending = Pending::begin(ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(ctx).await? {
        ctx.go_on()?;
        ctx.mark();
        plugin
            .preview(ctx, &batch.people)
            .await?
            .iter()
            .for_each(|planned| survey.count(planned));
    }
    Ok(survey)
}

/// Hands a batch over. Whoever the plugin has no word for is tried again later, so that nobody is
/// lost.
async fn process(
    plugin: &dyn Plugin,
    ctx: &PluginContext,
    batch: &Batch,
) -> Result<Vec<Verdict>, PluginError> {
    let mut verdicts = plugin.process(ctx, &batch.people).await?;
    let known: BTreeSet<i64> = verdicts
        .iter()
        .map(|verdict| verdict.supporter_id)
        .collect();
    let forgotten = batch
        .people
        .iter()
        .filter(|person| !known.contains(&person.supporter_id));
    let fate = || Fate::Deferred {
        until: ctx.now() + chrono::TimeDelta::hours(1),
        reason: "the plugin had no word for them".to_owned(),
    };
    verdicts.extend(forgotten.map(|person| Verdict::of(person.supporter_id, fate())));
    Ok(verdicts)
}
