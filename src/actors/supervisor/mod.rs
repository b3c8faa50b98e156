//! The root: which organizations there are, which of them this process serves, and the health
//! actor. Looks at the database at the pace of the leases; everything that a person changes there
//! (pause, resume, new credentials) is seen by that look.

mod fleet;
pub(super) mod messages;
mod orders;
mod poll;
mod settled;
mod slot;
mod slots;
mod unserved;
mod watch;

use super::Shared;
use super::entity_sync::messages::Replan;
use super::health::{BEAT, Health, Rest};
use super::organization::messages::Nudge as OrganizationNudge;
use crate::clock::Looks;
use crate::credentials::Applied;
use crate::domain::{Fault, FaultKind, Time};
use crate::supervision::{ChildDied, ChildSlot, Respawn};
use actix::{Actor, ActorContext, ArbiterHandle, AsyncContext, Context, Handler};
use messages::{Configure, EarlyOrder, Nudge, SettleWaiter, StopAll};
pub(super) use slot::Mode;
use slot::{GRACE, Going, Slot, may_run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::oneshot;
use watch::UnservedWatch;

/// The actor at the root.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    mode: Mode,
    arbiter: ArbiterHandle,
    health: Option<ChildSlot<Health>>,
    organizations: BTreeMap<i64, Arc<Applied>>,
    slots: BTreeMap<i64, Slot>,
    /// Organizations that a person mended: they are tried at once.
    mended: BTreeSet<i64>,
    /// Orders for organizations that are not served yet; in a command all of them begin so.
    early: Vec<EarlyOrder>,
    unserved: UnservedWatch,
    /// Rows that changed before this are known.
    since: Time,
    is_checking: bool,
    /// The last look failed.
    is_blind: bool,
    check_again: bool,
    /// Looks that were begun.
    looks: u64,
    /// Those who wait until a change is in force.
    settling: Vec<SettleWaiter>,
    /// Leases that are being given back.
    releasing: usize,
    /// What passes between two beats.
    beats: Looks,
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
            unserved: UnservedWatch::default(),
            since: Time::UNIX_EPOCH,
            is_checking: false,
            is_blind: false,
            check_again: false,
            looks: 0,
            settling: Vec::new(),
            releasing: 0,
            beats: Looks::begin(),
            stopping: None,
        }
    }

    fn stop_when_empty(&mut self, context: &mut Context<Self>) {
        if self.slots.is_empty()
            && self.releasing == 0
            && let Some(done) = self.stopping.take()
        {
            if let Some(health) = self.health.as_ref().and_then(ChildSlot::child) {
                health.do_send(Rest);
            }
            let _ = done.send(());
            context.stop();
        }
    }

    /// Has everybody plan anew by the clock: timers count otherwise than it.
    fn replan(&self) {
        let served = self
            .slots
            .values()
            .filter_map(|slot| slot.child_slot.child());
        served.for_each(|organization| organization.do_send(Replan));
    }

    fn arm_look(&self, context: &mut Context<Self>) {
        context.run_later(self.shared.plan().lease / 3, |actor, context| {
            actor.check_leases(context);
            actor.arm_look(context);
        });
    }

    fn beat(&mut self, context: &mut Context<Self>) {
        self.shared.registry.beat();
        if self.beats.passed().jumped() {
            tracing::warn!(
                "the machine slept, or its clock was set: what is due is looked for anew"
            );
            self.replan();
        }
        context.run_later(BEAT, |actor, context| actor.beat(context));
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let (shared, arbiter) = (Arc::clone(&self.shared), self.arbiter.clone());
        let make = move |exit_guard| {
            let shared = Arc::clone(&shared);
            Health::start_in_arbiter(&arbiter, move |_| Health::new(exit_guard, shared))
        };
        let mut health = ChildSlot::new(
            "health".into(),
            context.address().recipient().downgrade(),
            make,
        );
        health.start();
        self.health = Some(health);
        self.beat(context);
        self.arm_look(context);
    }
}

impl Handler<Configure> for Supervisor {
    type Result = ();

    fn handle(&mut self, Configure { organizations }: Configure, context: &mut Context<Self>) {
        let new: BTreeMap<i64, Arc<Applied>> = organizations
            .into_iter()
            .map(|applied| (applied.organization.classy_id, Arc::new(applied)))
            .collect();
        let old = std::mem::replace(&mut self.organizations, new);
        let ids: BTreeSet<i64> = old
            .keys()
            .chain(self.organizations.keys())
            .copied()
            .collect();
        for classy_id in ids {
            let now = self.organizations.get(&classy_id);
            let runs = now.is_some_and(|applied| may_run(applied, self.mode));
            let same = old
                .get(&classy_id)
                .zip(now)
                .is_some_and(|(old, now)| old.is_same(now));
            if runs
                && old
                    .get(&classy_id)
                    .is_some_and(|old| !same || !may_run(old, self.mode))
            {
                self.mended.insert(classy_id);
            }
            match (self.slots.contains_key(&classy_id), runs) {
                (true, false) => self.drain(classy_id, Going::Release, Some(GRACE), context),
                (true, true) if !same => {
                    self.drain(classy_id, Going::Restart, Some(GRACE), context)
                }
                (true, true) => {
                    if let Some(organization) = self
                        .slots
                        .get(&classy_id)
                        .and_then(|slot| slot.child_slot.child())
                    {
                        organization.do_send(Replan);
                    }
                }
                (false, _) => self.tell_standing(classy_id),
            }
        }
        self.check_leases(context);
    }
}

impl Handler<Nudge> for Supervisor {
    type Result = ();

    fn handle(
        &mut self,
        Nudge {
            classy_id,
            entities,
        }: Nudge,
        _: &mut Context<Self>,
    ) {
        if let Some(organization) = self
            .slots
            .get(&classy_id)
            .and_then(|slot| slot.child_slot.child())
        {
            organization.do_send(OrganizationNudge { entities });
        }
    }
}

impl Handler<ChildDied> for Supervisor {
    type Result = ();

    fn handle(&mut self, death: ChildDied, context: &mut Context<Self>) {
        if let Some(health) = self
            .health
            .as_mut()
            .filter(|health| health.name() == &death.name)
        {
            if health.died(&death).is_some() && self.stopping.is_none() {
                tracing::error!(generation = death.generation, cause = ?death.cause, "the health actor died and is remade at once");
                health.start();
            }
            return;
        }
        let found = self.slots.iter_mut().find_map(|(id, slot)| {
            slot.child_slot
                .died(&death)
                .map(|cause| (*id, cause, slot.going))
        });
        let Some((classy_id, cause, going)) = found else {
            return;
        };
        match going {
            None => {
                self.shared.registry.dead(&death.name, cause);
            }
            Some(going) => {
                self.drained(classy_id, context);
                if going == Going::Restart && self.stopping.is_none() {
                    self.begin(classy_id, context);
                }
            }
        }
        self.answer_settled();
        self.stop_when_empty(context);
    }
}

impl Handler<Respawn> for Supervisor {
    type Result = ();

    fn handle(&mut self, respawn: Respawn, context: &mut Context<Self>) {
        let classy_id = self
            .slots
            .iter()
            .find(|(_, slot)| slot.child_slot.name() == &respawn.name)
            .map(|(id, _)| *id);
        if let Some(classy_id) = classy_id.filter(|_| self.stopping.is_none()) {
            self.begin(classy_id, context);
        }
    }
}

impl Handler<StopAll> for Supervisor {
    type Result = ();

    fn handle(&mut self, StopAll { done }: StopAll, context: &mut Context<Self>) {
        self.stopping = Some(done);
        self.refuse_early(|_| {
            Some(Fault {
                kind: FaultKind::Busy,
                text: "the process is stopping".to_owned(),
                hint: None,
            })
        });
        self.refuse_settled(&Fault {
            kind: FaultKind::Busy,
            text: "the process is stopping".to_owned(),
            hint: None,
        });
        let ids: Vec<i64> = self.slots.keys().copied().collect();
        for classy_id in ids {
            self.drain(classy_id, Going::Release, None, context);
        }
        self.stop_when_empty(context);
    }
}
