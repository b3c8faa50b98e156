//! One delivery as the tree drives it: waits for its turn, and keeps the plugin for the next one as long as all goes well.

use crate::actors::{PluginReport, Shared};
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{Fault, Remedy};
use crate::integrations;
use crate::kernel::{Kill, Progress, Watched, mischief};
use crate::plugin::{Delivered, Delivery, Plugin, PluginError, Pulse, deliver};
use crate::store::{Fence, TenantStore};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A plugin's place and all it needs.
pub(in crate::actors) struct Outlet {
    pub(in crate::actors) shared: Arc<Shared>,
    pub(in crate::actors) applied: Arc<Applied>,
    pub(in crate::actors) store: TenantStore,
    pub(in crate::actors) fence: Fence,
    pub(in crate::actors) plugin: String,
    /// Falls with the organization.
    pub(in crate::actors) kill: Kill,
    /// The plugin between two deliveries; none after one that failed or was cut off.
    pub(in crate::actors) ready: Mutex<Option<Box<dyn Plugin>>>,
}

/// What a delivery is told.
pub(super) struct Job {
    pub(super) name: Arc<str>,
    /// Ends it at its next batch.
    pub(super) stop: CancellationToken,
    /// Ends it at once.
    pub(super) kill: Kill,
}

/// What came of it.
pub(super) struct Worked {
    pub(super) report: PluginReport,
    /// It failed in a way that only a person can mend: no use in trying soon.
    pub(super) needs_a_person: bool,
}

/// Does the job to its end.
pub(super) async fn work(outlet: Arc<Outlet>, job: Job) -> Worked {
    let began = Instant::now();
    let mut total = Delivered::default();
    let result = loop {
        match turn(&outlet, &job).await {
            Ok(done) => {
                total.add(&done);
                if !done.is_partial || job.stop.is_cancelled() {
                    break Ok(total);
                }
            }
            Err(error) => break Err(error),
        }
    };
    let needs_a_person = matches!(result.as_ref().map_err(PluginError::remedy), Err(Remedy::Suspend));
    let report = PluginReport::of(&outlet.plugin, result.map_err(|error| error.fault()), began.elapsed());
    Worked { report, needs_a_person }
}

/// Delivers until the end, or until others have waited for a turn's length; what was delivered is in the ledger.
async fn turn(outlet: &Outlet, job: &Job) -> Result<Delivered, PluginError> {
    let permit = outlet.shared.dealer.permit(outlet.store.classy_id()).await;
    let plan = outlet.shared.plan();
    let (progress, stop) = (Progress::new(), job.stop.child_token());
    let watched = Watched { progress: progress.clone(), kill: job.kill.clone(), patience: plan.patience };
    outlet.shared.roster.watch(&job.name, Some(watched));
    mischief::there("delivery::turn").await;
    let one = one(outlet, stop.clone(), Arc::new(move || progress.mark()));
    tokio::pin!(one);
    let result = tokio::select! {
        biased;
        result = &mut one => result,
        () = permit.is_wanted_after(plan.turn) => {
            stop.cancel();
            one.await
        }
    };
    outlet.shared.roster.watch(&job.name, None);
    result
}

/// Of a delivery that did not come to its end.
pub(super) fn broken(plugin: &str, fault: Fault) -> Worked {
    Worked { report: PluginReport::of(plugin, Err(fault), std::time::Duration::ZERO), needs_a_person: false }
}

async fn one(outlet: &Outlet, stop: CancellationToken, pulse: Pulse) -> Result<Delivered, PluginError> {
    let kept = outlet.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        Err(PluginError::Stopped) => Delivered { is_partial: true, ..Delivered::default() },
        other => other?,
    };
    // One that only waited, or was stopped on its way, may not be set up.
    if !is_new || !(done.waits || done.is_partial) {
        *outlet.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(plugin);
    }
    Ok(done)
}
