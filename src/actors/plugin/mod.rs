//! One enabled plugin of one organization: what its deliveries do, and when the next one is due.

pub(super) mod messages;
mod work;

pub(super) use work::Outlet;

use super::Shared;
use super::worker::{Job, RunLife, Worker};
use crate::clock;
use crate::domain::{Fault, FaultKind, Time};
use crate::entities::Entity;
use crate::net::Backoff;
use crate::schedule::{jittered, spread};
use crate::status::{Activity, PluginStatus};
use crate::supervision::{ExitGuard, KillSwitch, failpoint};
use actix::{AsyncContext, Context, Handler, WeakRecipient};
use futures_util::future::BoxFuture;
use messages::{Deliver, PluginEnded, Revive, Wake};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use work::{DeliveryRun, Worked};

/// How soon a failed delivery is tried again.
const BACKOFF: Backoff = Backoff {
    base: Duration::from_secs(20),
    cap: Duration::from_secs(900),
};

/// Within what time of the start the first delivery begins.
const FIRST: Duration = Duration::from_secs(20);

/// How often one looks whether a run of supporters saved something.
const LOOK: Duration = Duration::from_secs(15);

/// So long a call that is under way may take when the delivery is to end: somebody waits for that.
/// What was sent and not answered is in the ledger as `sending`, and the next delivery looks what
/// became of it.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// The actor of a plugin.
pub(super) type Plugin = Worker<DeliveryJob>;

/// What it does.
pub(super) struct DeliveryJob {
    outlet: Arc<Outlet>,
    card: watch::Sender<PluginStatus>,
    generation: u64,
    /// Tells the delivery in hand that somebody's consent may have changed.
    hurry: Arc<Notify>,
    has_delivered: bool,
    failures: u32,
    /// The last delivery failed in a way that only a person can mend.
    needs_a_person: bool,
    /// It brings nobody in until a person has looked, or mended its configuration; opt-outs still go
    /// out.
    passes_refusals_only: bool,
    /// What the run of supporters in hand had changed when it was last looked at.
    seen: Option<(Time, u64)>,
}

impl Plugin {
    pub(super) fn of_outlet(
        exit_guard: ExitGuard,
        outlet: Arc<Outlet>,
        owner: WeakRecipient<PluginEnded>,
        scheduled: bool,
    ) -> Plugin {
        let card = outlet
            .shared
            .board
            .plugin(outlet.store.classy_id(), &outlet.plugin);
        let job = DeliveryJob {
            outlet,
            card,
            generation: exit_guard.generation(),
            hurry: Arc::default(),
            has_delivered: false,
            failures: 0,
            needs_a_person: false,
            passes_refusals_only: false,
            seen: None,
        };
        Worker::new(exit_guard, job, owner, scheduled)
    }

    fn wake(&mut self, Wake { is_urgent }: Wake, context: &mut Context<Self>) {
        if !self.scheduled {
            return;
        }
        if self.is_running() {
            self.order((), None, context);
            if is_urgent {
                self.job.hurry.notify_one();
            }
        } else if self.job.may_wake(is_urgent) {
            self.order((), None, context);
        }
    }

    /// A long run of supporters saves consent as it goes: it is not waited for its end.
    fn look_at_supporters(&mut self, context: &mut Context<Self>) {
        if self.job.supporters_changed() {
            self.wake(Wake { is_urgent: true }, context);
        }
    }
}

impl Job for DeliveryJob {
    type Task = ();
    type Outcome = Worked;
    type Report = PluginEnded;

    const AT_END: &'static str = "plugin::ended";
    const AT_TIMER: &'static str = "plugin::due";
    const ENDS_WITHIN: Option<(Duration, &'static str)> = Some((
        ENDS_WITHIN,
        "the other side did not answer before this process had to stop",
    ));

    fn shared(&self) -> &Arc<Shared> {
        &self.outlet.shared
    }

    fn kill(&self) -> &KillSwitch {
        &self.outlet.kill
    }

    fn started(worker: &mut Plugin, context: &mut Context<Plugin>) {
        let generation = worker.job.generation;
        worker
            .job
            .card
            .send_modify(|status| (status.generation, status.since) = (generation, None));
        if worker.scheduled {
            context.run_interval(LOOK, Plugin::look_at_supporters);
        }
    }

    fn run(&mut self, (): &(), life: RunLife) -> BoxFuture<'static, Worked> {
        self.hurry = Arc::default();
        self.has_delivered = true;
        let generation = self.generation;
        self.card.send_modify(|status| {
            (status.generation, status.since) = (generation, Some(clock::now()))
        });
        Box::pin(work::work(
            Arc::clone(&self.outlet),
            DeliveryRun {
                life,
                hurry: Arc::clone(&self.hurry),
            },
        ))
    }

    fn broken(&self, kind: FaultKind, cause: String) -> Worked {
        work::broken(
            &self.outlet.plugin,
            Fault {
                kind,
                text: format!("the delivery {cause}"),
                hint: None,
            },
        )
    }

    fn conclude(&mut self, worked: Worked, tickets: Vec<u64>, _: bool) -> PluginEnded {
        (self.needs_a_person, self.passes_refusals_only) =
            (worked.needs_a_person, worked.passes_refusals_only);
        match &worked.report.error {
            None => self.failures = 0,
            Some(error) => {
                self.failures = self.failures.saturating_add(1);
                let (organization, plugin) = (self.outlet.store.classy_id(), &self.outlet.plugin);
                tracing::error!(
                    organization,
                    plugin,
                    error,
                    failures = self.failures,
                    "a delivery failed"
                );
            }
        }
        let report = Arc::new(worked.report);
        let last = Arc::clone(&report);
        self.card.send_modify(|status| {
            status.since = None;
            status.runs += 1;
            (status.last, status.ended_at) = (Some(last), Some(clock::now()));
        });
        PluginEnded { report, tickets }
    }

    fn both((): (), (): ()) {}

    /// One that failed is not begun by every change: its timer knows when.
    fn goes_on(&self) -> bool {
        self.failures == 0
    }

    fn due(&mut self, running: Option<&()>) -> Option<(Duration, ())> {
        if running.is_some() {
            return None;
        }
        let every = self.outlet.shared.plan().plugins_every;
        let wait = match self.failures {
            _ if !self.has_delivered => {
                spread((self.outlet.store.classy_id(), &self.outlet.plugin), FIRST)
            }
            1.. if !self.needs_a_person => BACKOFF.wait(self.failures).min(every),
            _ => jittered(every),
        };
        Some((wait, ()))
    }
}

impl DeliveryJob {
    const fn may_wake(&self, is_urgent: bool) -> bool {
        self.failures == 0 || (is_urgent && (!self.needs_a_person || self.passes_refusals_only))
    }

    /// Whether the run of supporters in hand saved something since the last look.
    fn supporters_changed(&mut self) -> bool {
        let card = self
            .outlet
            .shared
            .board
            .feed(self.outlet.store.classy_id(), Entity::Supporters);
        let now = match &card.borrow().activity {
            Activity::Running(run) => Some((run.since, run.changed)),
            _ => None,
        };
        let before = self
            .seen
            .filter(|(since, _)| now.is_some_and(|(run, _)| run == *since))
            .map_or(0, |(_, changed)| changed);
        self.seen = now;
        now.is_some_and(|(_, changed)| changed > before)
    }

    fn is_stuck(&self) -> bool {
        self.failures > 0
            || self
                .card
                .borrow()
                .last
                .as_ref()
                .is_some_and(|last| last.trouble.is_some())
    }
}

impl Handler<Wake> for Plugin {
    type Result = ();

    fn handle(&mut self, wake: Wake, context: &mut Context<Self>) {
        failpoint::here("plugin::wake");
        self.wake(wake, context);
    }
}

impl Handler<Deliver> for Plugin {
    type Result = ();

    fn handle(&mut self, Deliver { ticket }: Deliver, context: &mut Context<Self>) {
        failpoint::here("plugin::deliver");
        self.order((), Some(ticket), context);
    }
}

impl Handler<Revive> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Revive, context: &mut Context<Self>) {
        if self.scheduled && !self.is_running() && self.job.is_stuck() {
            self.order((), None, context);
        }
    }
}
