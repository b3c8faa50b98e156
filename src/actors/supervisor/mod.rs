//! The root: which organizations there are, which of them this process serves, and the health actor. Looks at the database at the
//! pace of the leases; everything that a person changes there (pause, resume, new credentials) is seen by that look.

mod fleet;
pub(super) mod messages;
mod slots;

use super::entity_sync::Known;
use super::health::{Health, Rest};
use super::organization::messages::{Nudge as OrganizationNudge, StartSync as OrganizationSync};
use super::{Condition, Shared};
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{Entity, Fault, FaultKind, Time};
use crate::kernel::run::{self, Ended};
use crate::kernel::{ChildDied, Nursery, Respawn};
use actix::{Actor, ActorContext, ArbiterHandle, AsyncContext, Context, Handler};
use fleet::{Found, Question};
use messages::{Configure, Look, Nudge, StartSync, StopAll};
use slots::{Going, Slot, may_run, standing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often the main thread shows that it has time.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// Who serves what, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// For months, beside others.
    Daemon,
    /// A command: feeds run on order only, and nothing is shared out.
    Command,
}

/// The actor at the root.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    mode: Mode,
    arbiter: ArbiterHandle,
    health: Option<Nursery<Health>>,
    organizations: BTreeMap<i64, Arc<Applied>>,
    slots: BTreeMap<i64, Slot>,
    /// Organizations that a person mended: they are tried at once.
    mended: BTreeSet<i64>,
    /// Orders for organizations that are not served yet; in a command all of them begin so.
    early: Vec<StartSync>,
    /// Rows that changed before this are known.
    since: Time,
    is_looking: bool,
    look_again: bool,
    /// Leases that are being given back.
    releasing: usize,
    stopping: Option<oneshot::Sender<()>>,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>, mode: Mode, arbiter: ArbiterHandle) -> Supervisor {
        Supervisor {
            shared,
            mode,
            arbiter,
            health: None,
            organizations: BTreeMap::new(),
            slots: BTreeMap::new(),
            mended: BTreeSet::new(),
            early: Vec::new(),
            since: Time::UNIX_EPOCH,
            is_looking: false,
            look_again: false,
            releasing: 0,
            stopping: None,
        }
    }

    /// Looks at the database now; if a look is going on, once more after it.
    fn look(&mut self, context: &mut Context<Self>) {
        if self.stopping.is_some() {
            return;
        }
        if std::mem::replace(&mut self.is_looking, true) {
            self.look_again = true;
            return;
        }
        let candidates = self.organizations.iter().filter(|(_, applied)| may_run(applied, self.mode)).map(|(id, _)| *id).collect();
        let question =
            Question { candidates, served: self.slots.keys().copied().collect(), since: self.since, alone: self.mode == Mode::Command };
        let work = fleet::look(Arc::clone(&self.shared), question);
        let runtime = self.shared.runtime.clone();
        run::spawn(context, self, &runtime, self.shared.kill.child(), work, |actor: &mut Self, ended, context| {
            actor.is_looking = false;
            match ended {
                Ended::Done(Ok(found)) => actor.found(found, context),
                Ended::Done(Err(error)) => {
                    tracing::error!(%error, "the leases could not be looked after");
                    let fault = Fault { kind: error.kind(), text: error.to_string(), hint: error.hint() };
                    actor.refuse_early(|_| Some(fault.clone()));
                }
                Ended::Panicked(text) => tracing::error!(panic = text, "the look at the leases panicked"),
                Ended::Cancelled(_) => {}
            }
            if std::mem::take(&mut actor.look_again) {
                actor.look(context);
            }
        });
    }

    fn found(&mut self, found: Found, context: &mut Context<Self>) {
        if self.stopping.is_some() {
            return;
        }
        self.since = found.at.unwrap_or(self.since);
        let lost: Vec<i64> = self.slots.keys().copied().filter(|id| !found.held.contains_key(id)).collect();
        for classy_id in lost {
            tracing::warn!(organization = classy_id, "the lease was lost: another process serves the organization now");
            self.fell(classy_id, Condition::Elsewhere, context);
        }
        for row in &found.changed {
            self.row_changed(row, context);
        }
        for classy_id in found.surplus {
            self.drain(classy_id, Going::Release, context);
        }
        let count = self.organizations.len();
        for classy_id in found.taken {
            let Some(fence) = found.held.get(&classy_id) else { continue };
            let mut known = found.known.get(&classy_id).cloned().unwrap_or_default();
            for entity in Entity::ALL {
                known.entry(entity).or_insert_with(Known::default).spread(&self.shared.plan(), classy_id, entity, count, clock::now());
            }
            self.serve(classy_id, fence.clone(), known, context);
        }
        for classy_id in found.elsewhere.keys() {
            self.tell(*classy_id, Condition::Elsewhere);
        }
        self.pass_on_early();
        let busy = |holder: &String| Fault {
            kind: FaultKind::Busy,
            text: format!("the organization is being synced by {holder}"),
            hint: Some("wait for it to end; a process that died is replaced when its lease ends".to_owned()),
        };
        self.refuse_early(|classy_id| found.elsewhere.get(&classy_id).map(busy));
    }

    /// A person or another process changed an organization's row.
    fn row_changed(&mut self, row: &crate::store::Organization, context: &mut Context<Self>) {
        let Some(applied) = self.organizations.get(&row.classy_id) else { return };
        let old = &applied.organization;
        let same = (&old.status, &old.credentials_encrypted) == (&row.status, &row.credentials_encrypted);
        if same && old.status_reason == row.status_reason {
            return;
        }
        let resealed = old.credentials_encrypted != row.credentials_encrypted;
        let mut applied = Applied::clone(applied);
        applied.organization = row.clone();
        if resealed && row.credentials_encrypted.is_some() {
            applied.problem = None;
        }
        let (classy_id, runs) = (row.classy_id, may_run(&applied, self.mode));
        if runs {
            self.mended.insert(classy_id);
        }
        self.organizations.insert(classy_id, Arc::new(applied));
        if !runs {
            self.drain(classy_id, Going::Release, context);
        } else if resealed {
            self.drain(classy_id, Going::Restart, context);
        }
        if !self.slots.contains_key(&classy_id) {
            self.tell_standing(classy_id);
            self.look_again = true;
        }
    }

    fn pass_on_early(&mut self) {
        for order in std::mem::take(&mut self.early) {
            self.pass_on(order);
        }
    }

    fn pass_on(&mut self, StartSync { classy_id, order, reply }: StartSync) {
        match self.slots.get(&classy_id).and_then(|slot| slot.nursery.child()) {
            Some(organization) => {
                let (done, report) = oneshot::channel();
                organization.do_send(OrganizationSync { order, reply: done });
                self.shared.runtime.spawn(async move {
                    let fell = || Fault {
                        kind: FaultKind::Busy,
                        text: "the organization was taken down before the sync ended".to_owned(),
                        hint: None,
                    };
                    reply.send(report.await.map_err(|_| fell())).ok()
                });
            }
            None => self.early.push(StartSync { classy_id, order, reply }),
        }
    }

    /// Answers the orders that cannot be carried out.
    fn refuse_early(&mut self, why: impl Fn(i64) -> Option<Fault>) {
        let mut left = Vec::new();
        for order in std::mem::take(&mut self.early) {
            match why(order.classy_id) {
                // Whoever hung up does not want to know.
                Some(fault) => drop(order.reply.send(Err(fault))),
                None => left.push(order),
            }
        }
        self.early = left;
    }

    fn stop_when_empty(&mut self, context: &mut Context<Self>) {
        if self.slots.is_empty()
            && self.releasing == 0
            && let Some(done) = self.stopping.take()
        {
            if let Some(health) = self.health.as_ref().and_then(Nursery::child) {
                health.do_send(Rest);
            }
            let _ = done.send(());
            context.stop();
        }
    }

    fn arm_look(&self, context: &mut Context<Self>) {
        context.run_later(self.shared.plan().lease / 3, |actor, context| {
            actor.look(context);
            actor.arm_look(context);
        });
    }

    fn beat(&self, context: &mut Context<Self>) {
        self.shared.roster.beat();
        context.run_later(BEAT, |actor, context| actor.beat(context));
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let (shared, arbiter) = (Arc::clone(&self.shared), self.arbiter.clone());
        let make = move |obituary| {
            let shared = Arc::clone(&shared);
            Health::start_in_arbiter(&arbiter, move |_| Health::new(obituary, shared))
        };
        let mut health = Nursery::new("health".into(), context.address().recipient().downgrade(), make);
        health.start();
        self.health = Some(health);
        self.beat(context);
        self.arm_look(context);
    }
}

impl Handler<Configure> for Supervisor {
    type Result = ();

    fn handle(&mut self, Configure { organizations }: Configure, context: &mut Context<Self>) {
        let new: BTreeMap<i64, Arc<Applied>> =
            organizations.into_iter().map(|applied| (applied.organization.classy_id, Arc::new(applied))).collect();
        let old = std::mem::replace(&mut self.organizations, new);
        let ids: BTreeSet<i64> = old.keys().chain(self.organizations.keys()).copied().collect();
        for classy_id in ids {
            let now = self.organizations.get(&classy_id);
            let runs = now.is_some_and(|applied| may_run(applied, self.mode));
            let same = old.get(&classy_id).zip(now).is_some_and(|(old, now)| old.is_same(now));
            match (self.slots.contains_key(&classy_id), runs) {
                (true, false) => self.drain(classy_id, Going::Release, context),
                (true, true) if !same => self.drain(classy_id, Going::Restart, context),
                (true, true) => {}
                (false, _) => self.tell_standing(classy_id),
            }
        }
        self.look(context);
    }
}

impl Handler<StartSync> for Supervisor {
    type Result = ();

    fn handle(&mut self, order: StartSync, _: &mut Context<Self>) {
        let refusal = match self.organizations.get(&order.classy_id) {
            None => Some((FaultKind::Partial, format!("there is no organization {} here", order.classy_id))),
            Some(applied) if !may_run(applied, self.mode) => {
                let condition = standing(applied);
                let reason = condition.reason().unwrap_or_default().to_owned();
                Some((FaultKind::Partial, format!("organization {} is {}: {reason}", order.classy_id, condition.as_str())))
            }
            Some(_) if self.stopping.is_some() => Some((FaultKind::Busy, "the process is stopping".to_owned())),
            Some(_) => None,
        };
        match refusal {
            Some((kind, text)) => drop(order.reply.send(Err(Fault { kind, text, hint: None }))),
            None => self.pass_on(order),
        }
    }
}

impl Handler<Nudge> for Supervisor {
    type Result = ();

    fn handle(&mut self, Nudge { classy_id, entities }: Nudge, _: &mut Context<Self>) {
        if let Some(organization) = self.slots.get(&classy_id).and_then(|slot| slot.nursery.child()) {
            organization.do_send(OrganizationNudge { entities });
        }
    }
}

impl Handler<Look> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Look, context: &mut Context<Self>) {
        self.look(context);
    }
}

impl Handler<ChildDied> for Supervisor {
    type Result = ();

    fn handle(&mut self, death: ChildDied, context: &mut Context<Self>) {
        if let Some(health) = self.health.as_mut().filter(|health| health.name() == &death.name) {
            if health.died(&death).is_some() && self.stopping.is_none() {
                tracing::error!(generation = death.generation, cause = ?death.cause, "the health actor died and is remade at once");
                health.start();
            }
            return;
        }
        let found = self.slots.iter_mut().find_map(|(id, slot)| slot.nursery.died(&death).map(|cause| (*id, cause, slot.going)));
        let Some((classy_id, cause, going)) = found else { return };
        match going {
            None => {
                self.shared.roster.dead(&death.name, cause);
            }
            Some(going) => {
                self.drained(classy_id, context);
                if going == Going::Restart && self.stopping.is_none() {
                    self.begin(classy_id, context);
                }
            }
        }
        self.stop_when_empty(context);
    }
}

impl Handler<Respawn> for Supervisor {
    type Result = ();

    fn handle(&mut self, respawn: Respawn, context: &mut Context<Self>) {
        let classy_id = self.slots.iter().find(|(_, slot)| slot.nursery.name() == &respawn.name).map(|(id, _)| *id);
        if let Some(classy_id) = classy_id.filter(|_| self.stopping.is_none()) {
            self.begin(classy_id, context);
        }
    }
}

impl Handler<StopAll> for Supervisor {
    type Result = ();

    fn handle(&mut self, StopAll { done }: StopAll, context: &mut Context<Self>) {
        self.stopping = Some(done);
        self.refuse_early(|_| Some(Fault { kind: FaultKind::Busy, text: "the process is stopping".to_owned(), hint: None }));
        let ids: Vec<i64> = self.slots.keys().copied().collect();
        for classy_id in ids {
            self.drain(classy_id, Going::Release, context);
        }
        self.stop_when_empty(context);
    }
}
