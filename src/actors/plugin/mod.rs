//! One enabled plugin of one organization: a timer, at most one delivery, and one flag for "once more".

pub(super) mod messages;
mod work;

pub(super) use work::Outlet;

use super::PluginStatus;
use crate::clock;
use crate::domain::{Fault, FaultKind};
use crate::kernel::run::{self, Ended};
use crate::kernel::{Abandon, Kill, Obituary, mischief};
use crate::resilience::Backoff;
use crate::schedule::{jittered, spread};
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, SpawnHandle, WeakRecipient};
use messages::{Deliver, Drain, Fall, PluginEnded, Wake};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use work::{Job, Worked};

/// How soon a failed delivery is tried again.
const BACKOFF: Backoff = Backoff { base: Duration::from_secs(20), cap: Duration::from_secs(900) };

/// Within what time of the start the first delivery begins.
const FIRST: Duration = Duration::from_secs(20);

/// The actor of a plugin.
pub(super) struct Plugin {
    obituary: Obituary,
    outlet: Arc<Outlet>,
    owner: WeakRecipient<PluginEnded>,
    card: watch::Sender<PluginStatus>,
    /// Whether it keeps to a schedule; if not, it delivers on order only.
    scheduled: bool,
    draining: bool,
    current: Option<Current>,
    again: bool,
    /// Those who wait for the delivery that comes next.
    waiting: Vec<u64>,
    timer: Option<SpawnHandle>,
    failures: u32,
    runs: u64,
}

/// The delivery in hand.
struct Current {
    number: u64,
    stop: CancellationToken,
    kill: Kill,
    tickets: Vec<u64>,
}

impl Plugin {
    pub(super) fn new(obituary: Obituary, outlet: Arc<Outlet>, owner: WeakRecipient<PluginEnded>, scheduled: bool) -> Plugin {
        let card = outlet.shared.board.plugin(outlet.store.classy_id(), &outlet.plugin);
        Plugin {
            obituary,
            outlet,
            owner,
            card,
            scheduled,
            draining: false,
            current: None,
            again: false,
            waiting: Vec::new(),
            timer: None,
            failures: 0,
            runs: 0,
        }
    }

    fn begin(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        self.runs += 1;
        let (number, stop, kill) = (self.runs, CancellationToken::new(), self.outlet.kill.child());
        let job = Job { name: Arc::clone(self.obituary.name()), stop: stop.clone(), kill: kill.clone() };
        let work = work::work(Arc::clone(&self.outlet), job);
        run::spawn(context, self, &self.outlet.shared.runtime, kill.clone(), work, move |actor: &mut Self, ended, context| {
            actor.ended(number, ended, context);
        });
        self.current = Some(Current { number, stop, kill, tickets: std::mem::take(&mut self.waiting) });
        let generation = self.obituary.generation();
        self.card.send_modify(|status| (status.generation, status.since) = (generation, Some(clock::now())));
    }

    fn ended(&mut self, number: u64, ended: Ended<Worked>, context: &mut Context<Self>) {
        mischief::here("plugin::ended");
        let Some(current) = self.current.take_if(|current| current.number == number) else { return };
        let plugin = &self.outlet.plugin;
        let worked = match ended {
            Ended::Done(worked) => worked,
            Ended::Panicked(text) => {
                work::broken(plugin, Fault { kind: FaultKind::Bug, text: format!("the delivery panicked: {text}"), hint: None })
            }
            Ended::Cancelled(cause) => {
                work::broken(plugin, Fault { kind: FaultKind::Partial, text: format!("the delivery was ended: {cause}"), hint: None })
            }
        };
        self.outlet.shared.roster.watch(self.obituary.name(), None);
        match &worked.report.error {
            None => self.failures = 0,
            Some(error) => {
                self.failures = self.failures.saturating_add(1);
                tracing::error!(organization = self.outlet.store.classy_id(), plugin, error, failures = self.failures, "a delivery failed");
            }
        }
        let report = Arc::new(worked.report);
        let last = Arc::clone(&report);
        self.card.send_modify(|status| {
            status.since = None;
            status.runs += 1;
            (status.last, status.ended_at) = (Some(last), Some(clock::now()));
        });
        if let Some(owner) = self.owner.upgrade() {
            owner.do_send(PluginEnded { report, tickets: current.tickets });
        }
        if self.draining {
            context.stop();
        } else if !self.waiting.is_empty() || (std::mem::take(&mut self.again) && self.failures == 0) {
            self.begin(context);
        } else {
            let every = self.outlet.shared.plan().plugins_every;
            let wait = if self.failures > 0 && !worked.needs_a_person { BACKOFF.wait(self.failures).min(every) } else { jittered(every) };
            self.arm(wait, context);
        }
    }

    fn arm(&mut self, wait: Duration, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        if self.scheduled && !self.draining {
            self.timer = Some(context.run_later(wait, |actor, context| {
                actor.timer = None;
                if actor.current.is_none() {
                    actor.begin(context);
                }
            }));
        }
    }
}

impl Actor for Plugin {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let generation = self.obituary.generation();
        self.card.send_modify(|status| (status.generation, status.since) = (generation, None));
        self.arm(spread((self.outlet.store.classy_id(), &self.outlet.plugin), FIRST), context);
    }
}

impl Handler<Wake> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Wake, context: &mut Context<Self>) {
        mischief::here("plugin::wake");
        if !self.scheduled || self.draining {
            return;
        }
        match self.current {
            Some(_) => self.again = true,
            // One that fails is not woken up by every change: its timer knows when.
            None if self.failures == 0 => self.begin(context),
            None => {}
        }
    }
}

impl Handler<Deliver> for Plugin {
    type Result = ();

    fn handle(&mut self, Deliver { ticket }: Deliver, context: &mut Context<Self>) {
        mischief::here("plugin::deliver");
        if self.draining {
            return;
        }
        self.waiting.push(ticket);
        if self.current.is_none() {
            self.begin(context);
        }
    }
}

impl Handler<Drain> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Drain, context: &mut Context<Self>) {
        self.draining = true;
        self.again = false;
        match &self.current {
            Some(current) => current.stop.cancel(),
            None => context.stop(),
        }
    }
}

impl Handler<Fall> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Fall, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Handler<Abandon> for Plugin {
    type Result = ();

    /// The delivery was cancelled and did not end: it holds a thread, and is left behind. What it sent is in the ledger as `sending`.
    fn handle(&mut self, _: Abandon, context: &mut Context<Self>) {
        if let Some(current) = &self.current {
            let (number, cause) = (current.number, current.kill.cause().unwrap_or("frozen").to_owned());
            self.ended(number, Ended::Cancelled(cause), context);
        }
    }
}
