//! Watches all actors from a thread of its own: decides when a child that died is started again,
//! ends runs that are frozen, and counts failures. What it knows is in the registry, so it knows as
//! much after a restart of its own.

use super::Shared;
use crate::supervision::{
    Abandon, Child, ExitGuard, Life, Respawn, RestartTracker, Watched, failpoint,
};
use actix::fut::WrapFuture;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the main thread shows that it has time.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// How long a cancelled run may take to end before it is left behind.
const GRACE: Duration = Duration::from_secs(5);

/// Stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Rest;

/// The actor that watches.
pub(super) struct Health {
    _exit_guard: ExitGuard,
    shared: Arc<Shared>,
    restarts: RestartTracker,
    /// Children whose next life is ordered, with the life that ended.
    ordered: HashMap<Arc<str>, u64>,
    /// Runs that were cancelled, with the moment.
    cancelled: HashMap<Arc<str>, Instant>,
    is_late: bool,
}

impl Health {
    pub(super) fn new(exit_guard: ExitGuard, shared: Arc<Shared>) -> Health {
        let restarts = RestartTracker::new(shared.plan().restarts);
        Health {
            _exit_guard: exit_guard,
            shared,
            restarts,
            ordered: HashMap::new(),
            cancelled: HashMap::new(),
            is_late: false,
        }
    }

    fn check(&mut self, context: &mut Context<Self>) {
        failpoint::here("health::check");
        let children = self.shared.registry.children();
        for (name, child) in &children {
            match child.life {
                Life::Dead(cause) if self.ordered.get(name) != Some(&child.generation) => {
                    let decision = self.restarts.died(name);
                    let (after_ms, deaths) = (
                        u64::try_from(decision.after.as_millis()).unwrap_or(u64::MAX),
                        decision.deaths,
                    );
                    tracing::error!(child = %name, generation = child.generation, ?cause, deaths, after_ms, degraded = decision.degraded,
                        "an actor died; its next life is ordered");
                    self.ordered.insert(Arc::clone(name), child.generation);
                    let (owner, name) = (child.owner.clone(), Arc::clone(name));
                    context.run_later(decision.after, move |_, _| {
                        if let Some(owner) = owner.upgrade() {
                            owner.do_send(Respawn { name });
                        }
                    });
                }
                Life::Dead(_) => {}
                Life::Alive => self.check_progress(name, child),
            }
        }
        let known = |name: &Arc<str>| children.iter().any(|(other, _)| other == name);
        self.ordered.retain(|name, _| known(name));
        self.cancelled.retain(|name, _| known(name));
        self.listen();
    }

    /// Ends a child's run that has made no progress for too long.
    fn check_progress(&mut self, name: &Arc<str>, child: &Child) {
        let Some(Watched {
            progress,
            kill,
            patience,
        }) = &child.run
        else {
            self.cancelled.remove(name);
            return;
        };
        let idle = progress.idle();
        if idle <= *patience {
            return;
        }
        match self.cancelled.get(name) {
            None => {
                let idle_s = idle.as_secs();
                tracing::error!(child = %name, generation = child.generation, idle_s, "a run is frozen and is ended");
                kill.cancel(format!("no progress for {idle_s} s"));
                self.cancelled.insert(Arc::clone(name), Instant::now());
            }
            Some(since) if since.elapsed() >= GRACE => {
                tracing::error!(child = %name, generation = child.generation, "a frozen run did not end and is left behind");
                self.cancelled.remove(name);
                self.shared.registry.watch(name, None);
                if let Some(keeper) = child
                    .keeper
                    .as_ref()
                    .and_then(actix::WeakRecipient::upgrade)
                {
                    keeper.do_send(Abandon {
                        name: Arc::clone(name),
                    });
                }
            }
            Some(_) => {}
        }
    }

    /// Whether the main thread has time for its actors.
    fn listen(&mut self) {
        let late = self.shared.registry.lateness();
        let is_late = late > 3 * BEAT;
        if is_late && !self.is_late {
            tracing::error!(
                late_ms = u64::try_from(late.as_millis()).unwrap_or(u64::MAX),
                "the main thread is blocked"
            );
        } else if self.is_late && !is_late {
            tracing::info!("the main thread has time again");
        }
        self.is_late = is_late;
    }

    /// Looks at once when somebody dies.
    fn wait_for_death(&self, context: &mut Context<Self>) {
        let registry = self.shared.registry.clone();
        let death = async move { registry.death().await };
        context.spawn(death.into_actor(self).map(|(), actor, context| {
            actor.check(context);
            actor.wait_for_death(context);
        }));
    }

    /// Shows that this thread has time.
    fn beat(&self, context: &mut Context<Self>) {
        self.shared.registry.watch_beat();
        context.run_later(BEAT, |actor, context| actor.beat(context));
    }

    fn arm(&self, context: &mut Context<Self>) {
        context.run_later(self.shared.plan().look, |actor, context| {
            actor.check(context);
            actor.arm(context);
        });
    }
}

impl Actor for Health {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.check(context);
        self.arm(context);
        self.beat(context);
        self.wait_for_death(context);
    }
}

impl Handler<Rest> for Health {
    type Result = ();

    fn handle(&mut self, _: Rest, context: &mut Context<Self>) {
        context.stop();
    }
}
