//! One delivery as the tree drives it: waits for its turn, and keeps the plugin for the next one as
//! long as all goes well.

use crate::actors::Shared;
use crate::actors::report::plugin_report;
use crate::actors::worker::RunLife;
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{Fault, Remedy};
use crate::integrations;
use crate::plugin::{Delivered, Delivery, Plugin, PluginError, Pulse, deliver};
use crate::schedule::Turn;
use crate::status::PluginReport;
use crate::store::{Fence, TenantStore};
use crate::supervision::{KillSwitch, Progress, Watched, failpoint};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// So long a delivery goes on though consent changed meanwhile: those who refused come first in the
/// next one.
const LEAST: Duration = Duration::from_secs(20);

/// A plugin's place and all it needs.
pub(in crate::actors) struct Outlet {
    pub(in crate::actors) shared: Arc<Shared>,
    pub(in crate::actors) applied: Arc<Applied>,
    pub(in crate::actors) store: TenantStore,
    pub(in crate::actors) fence: Fence,
    pub(in crate::actors) plugin: String,
    /// Falls with the organization.
    pub(in crate::actors) kill: KillSwitch,
    /// The plugin between two deliveries; none after one that failed or was cut off.
    pub(in crate::actors) ready: Mutex<Option<Box<dyn Plugin>>>,
}

/// One delivery as it is told what to do.
pub(super) struct DeliveryRun {
    pub(super) life: RunLife,
    /// Told when somebody's consent may have changed.
    pub(super) hurry: Arc<Notify>,
}

/// What came of it.
pub(in crate::actors) struct Worked {
    pub(super) report: PluginReport,
    /// It failed in a way that only a person can mend: no use in trying soon.
    pub(super) needs_a_person: bool,
    /// It is suspended, and opt-outs still go out.
    pub(super) passes_refusals_only: bool,
}

/// Delivers to the end.
pub(super) async fn work(outlet: Arc<Outlet>, run: DeliveryRun) -> Worked {
    let began = Instant::now();
    let mut total = Delivered::default();
    let result = loop {
        match turn(&outlet, &run).await {
            Ok(done) => {
                total.add(&done);
                if !done.is_partial || run.life.stop.is_cancelled() {
                    break Ok(total);
                }
            }
            Err(error) => break Err(error),
        }
    };
    let passes_refusals_only = matches!(
        result,
        Err(PluginError::Suspended { .. }
            | PluginError::Alarm(_)
            | PluginError::Configuration { .. })
    );
    let needs_a_person = matches!(
        result.as_ref().map_err(PluginError::remedy),
        Err(Remedy::Suspend)
    );
    let report = plugin_report(
        &outlet.plugin,
        result.map_err(|error| error.fault()),
        began.elapsed(),
    );
    Worked {
        report,
        needs_a_person,
        passes_refusals_only,
    }
}

/// Delivers until the end, or until others have waited for a turn's length; what was delivered is
/// in the ledger.
async fn turn(outlet: &Outlet, run: &DeliveryRun) -> Result<Delivered, PluginError> {
    let turn = Arc::new(Turn::begin(&outlet.shared.run_permits, outlet.store.classy_id()).await);
    let plan = outlet.shared.plan();
    let (progress, stop) = (Progress::new(), run.life.stop.child_token());
    let watched = Watched {
        progress: progress.clone(),
        kill: run.life.kill.clone(),
        patience: plan.patience,
    };
    outlet.shared.registry.watch(&run.life.name, Some(watched));
    failpoint::there("delivery::turn").await;
    let marked = Arc::clone(&turn);
    let pulse: Pulse = Arc::new(move || {
        progress.mark();
        marked.mark();
    });
    let one = one(outlet, stop.clone(), pulse);
    tokio::pin!(one);
    let result = loop {
        tokio::select! {
            biased;
            result = &mut one => break result,
            () = turn.is_over(plan.turn), if !stop.is_cancelled() => stop.cancel(),
            // While it waits for the other side it needs no permit; it ends at its next batch and
            // waits for its turn again.
            () = turn.gives_back() => stop.cancel(),
            // What is sent is settled, and it begins anew with those who refuse.
            () = hurried(&run.hurry), if !stop.is_cancelled() => stop.cancel(),
        }
    };
    outlet.shared.registry.watch(&run.life.name, None);
    result
}

/// Waits until consent may have changed, but not so short that nothing is done between two changes.
async fn hurried(hurry: &Notify) {
    let begun = Instant::now();
    hurry.notified().await;
    tokio::time::sleep_until(begun + LEAST).await;
}

/// Of a delivery that did not come to its end.
pub(super) fn broken(plugin: &str, fault: Fault) -> Worked {
    Worked {
        report: plugin_report(plugin, Err(fault), Duration::ZERO),
        needs_a_person: false,
        passes_refusals_only: false,
    }
}

async fn one(
    outlet: &Outlet,
    stop: CancellationToken,
    pulse: Pulse,
) -> Result<Delivered, PluginError> {
    let kept = outlet
        .ready
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let is_new = kept.is_none();
    let mut plugin = match kept {
        Some(plugin) => plugin,
        None => integrations::make(&outlet.shared.vault, &outlet.applied, &outlet.plugin)?,
    };
    let delivery = Delivery {
        store: outlet.store.clone(),
        fence: outlet.fence.clone(),
        plugin: outlet.plugin.clone(),
        now: clock::now(),
        guard: outlet.shared.plan().guard,
        stop,
        pulse,
    };
    let done = match deliver(&delivery, &mut *plugin, is_new).await {
        Err(PluginError::Stopped) => Delivered {
            is_partial: true,
            ..Delivered::default()
        },
        other => other?,
    };
    // One that only waited, or was stopped on its way, may not be set up.
    if !is_new || !(done.waits || done.is_partial) {
        *outlet.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(plugin);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn consent_that_changed_ends_a_long_delivery_soon_and_lets_a_short_one_be() {
        let (hurry, begun) = (Notify::new(), Instant::now());
        hurry.notify_one();
        hurried(&hurry).await;
        assert_eq!(
            begun.elapsed(),
            LEAST,
            "something is done between two changes"
        );
        let begun = Instant::now();
        let late = async {
            tokio::time::sleep(Duration::from_secs(300)).await;
            hurry.notify_one();
        };
        tokio::join!(hurried(&hurry), late);
        assert_eq!(begun.elapsed(), Duration::from_secs(300), "at once");
    }
}
