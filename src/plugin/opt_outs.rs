//! Opt-outs that do not wait: while the plugin is suspended or its configuration is wrong, and beside
//! a look or a send that takes long.

use super::delivery_order::{Delivery, context};
use super::pending::Pending;
use super::survey::Survey;
use super::{Plugin, PluginContext, PluginError};
use crate::domain::Harm;
use crate::store;
use std::pin::pin;
use std::time::Duration;

/// So long one look or one send takes without opt-outs being passed on beside it, and so often they
/// are while it goes on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Does something that may take long, and passes opt-outs on beside it from some time on. One that
/// cannot be passed on is tried again, here or by the next delivery.
pub(super) async fn with_opt_outs<T, P>(work: impl Future<Output = T>, pass: impl Fn() -> P) -> T
where
    P: Future<Output = Result<(), PluginError>>,
{
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let mut passing = pin!(pass());
        let over = tokio::select! {
            done = &mut work => Some(done),
            passed = &mut passing => { tell(passed); None }
        };
        if let Some(done) = over {
            tell(passing.await);
            return done;
        }
    }
}

fn tell(passed: Result<(), PluginError>) {
    if let Err(error) = passed {
        tracing::warn!(
            error = error.to_string(),
            "opt-outs could not be passed on beside what takes long"
        );
    }
}

/// What is suspended brings nobody in and changes nobody. An opt-out takes somebody out, which is
/// what an alarm is about, and does not wait for a person to look; how many of them go unasked the
/// guard says as always.
pub(super) async fn pass_refusals_on(
    delivery: &Delivery,
    ctx: PluginContext,
    plugin: &mut (dyn Plugin + 'static),
    is_new: bool,
) -> Result<(), PluginError> {
    if is_new {
        plugin.initialize(&ctx).await?;
    }
    let plugin: &dyn Plugin = plugin;
    let looked = with_opt_outs(plugin.refresh(&ctx), || {
        pass_by_what_is_known(delivery, plugin)
    });
    match looked.await {
        Ok(()) => withdraw_all(delivery, ctx, plugin).await,
        Err(error) if error.stops_opt_outs() => Err(error),
        Err(error) => {
            tracing::warn!(
                plugin = delivery.plugin,
                error = error.to_string(),
                "opt-outs are passed on by what is known"
            );
            pass_by_what_is_known(delivery, plugin).await
        }
    }
}

/// Passes on who refuses while the other side is still being looked at, by what was known of it
/// before. At a place that nothing was sent to yet there is nobody to be taken off.
pub(super) async fn pass_by_what_is_known(
    delivery: &Delivery,
    plugin: &dyn Plugin,
) -> Result<(), PluginError> {
    let ctx = context(delivery, plugin.destination());
    if ctx.store().plugin_state(ctx.key()).await?.cursor == 0 {
        return Ok(());
    }
    withdraw_all(delivery, ctx, plugin).await
}

/// Everybody who is due and refuses.
async fn withdraw_all(
    delivery: &Delivery,
    ctx: PluginContext,
    plugin: &dyn Plugin,
) -> Result<(), PluginError> {
    delivery.store.bound_guard(ctx.key(), delivery.now).await?;
    let mut survey = Survey::begin(&ctx).await?;
    let mut pending = Pending::refusals(&ctx, plugin.batch_size()).await?;
    while let Some(batch) = pending.next(&ctx).await? {
        ctx.go_on()?;
        ctx.mark();
        for mut planned in plugin.preview(&ctx, &batch.people).await? {
            planned
                .guarded_changes
                .retain(|guarded_change| guarded_change.kind == Harm::Unsubscribe);
            planned.tags.clear();
            survey.count(&planned);
        }
    }
    let ruling = survey.rule(plugin, &ctx, &delivery.guard).await?;
    let ctx = ctx.with_budget(ruling.budget);
    let pending = Pending::refusals(&ctx, plugin.batch_size()).await?;
    withdraw(delivery, &ctx, plugin, pending).await
}

/// Passes on who refused since a delivery began, within its allowance.
pub(super) async fn pass_newer(
    delivery: &Delivery,
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    after: Option<i64>,
) -> Result<(), PluginError> {
    match after {
        Some(after) => {
            let pending = Pending::newer_refusals(after, plugin.batch_size());
            withdraw(delivery, ctx, plugin, pending).await
        }
        None => Ok(()),
    }
}

async fn withdraw(
    delivery: &Delivery,
    ctx: &PluginContext,
    plugin: &dyn Plugin,
    mut pending: Pending,
) -> Result<(), PluginError> {
    while let Some(batch) = pending.next(ctx).await? {
        ctx.go_on()?;
        let verdicts = plugin.withdraw(ctx, &batch.people).await?;
        let row = store::Delivered {
            verdicts: &verdicts,
            addresses: &batch.addresses(),
            cursor: None,
        };
        delivery
            .store
            .finish_deliveries(&delivery.fence, ctx.key(), &row)
            .await?;
        ctx.mark();
    }
    Ok(())
}
