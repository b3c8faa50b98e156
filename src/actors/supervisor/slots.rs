//! The organizations that this process serves: begun, drained, begun anew, given back.

use super::{Mode, Supervisor};
use crate::actors::Condition;
use crate::actors::entity_sync::Known;
use crate::actors::organization::messages::Drain;
use crate::actors::organization::{Organization, Start};
use crate::classy::Client;
use crate::credentials::{self, Applied, client};
use crate::domain::Entity;
use crate::kernel::{Nursery, run};
use crate::store::{Fence, Status};
use actix::{Actor, AsyncContext, Context};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// An organization that this process serves.
pub(super) struct Slot {
    pub(super) nursery: Nursery<Organization>,
    pub(super) fence: Fence,
    /// What its next life is made from.
    pub(super) start: Rc<RefCell<Start>>,
    /// It is being drained, and what comes then.
    pub(super) going: Option<Going>,
}

/// What comes after draining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// The lease is given back.
    Release,
    /// It begins anew with what is known now.
    Restart,
}

impl Supervisor {
    /// Begins to serve an organization, or says why that cannot be.
    pub(super) fn serve(&mut self, classy_id: i64, fence: Fence, known: BTreeMap<Entity, Known>, context: &mut Context<Self>) {
        let Some(applied) = self.organizations.get(&classy_id).cloned() else { return };
        let client = match self.client(&applied) {
            Ok(client) => client,
            Err(error) => return self.cannot_begin(&applied, &error, fence, context),
        };
        let known: BTreeMap<_, _> = known.into_iter().map(|(entity, known)| (entity, Rc::new(RefCell::new(known)))).collect();
        if self.mended.remove(&classy_id) {
            known.values().for_each(|known| known.borrow_mut().at_once());
        }
        let access = client.clone();
        let start = Start { applied, client, fence: fence.clone(), known, scheduled: self.mode == Mode::Daemon };
        let start = Rc::new(RefCell::new(start));
        let (shared, from) = (Arc::clone(&self.shared), Rc::clone(&start));
        let make = move |obituary| Organization::new(obituary, Arc::clone(&shared), from.borrow().clone()).start();
        let nursery = Nursery::new(classy_id.to_string().into(), context.address().recipient().downgrade(), make);
        self.slots.insert(classy_id, Slot { nursery, fence, start, going: None });
        self.begin(classy_id, context);
        self.shared.board.connect(classy_id, Some(access));
    }

    /// Begins a life of a served organization.
    pub(super) fn begin(&mut self, classy_id: i64, context: &Context<Self>) {
        let Some(slot) = self.slots.get_mut(&classy_id) else { return };
        let generation = slot.nursery.start();
        self.shared.roster.born(slot.nursery.name(), generation, context.address().recipient().downgrade(), None);
    }

    fn client(&self, applied: &Applied) -> Result<Client, credentials::Error> {
        client(&self.shared.transport, &self.shared.vault, &applied.organization, &applied.file)
    }

    fn cannot_begin(&mut self, applied: &Applied, error: &credentials::Error, fence: Fence, context: &mut Context<Self>) {
        let classy_id = applied.organization.classy_id;
        tracing::error!(organization = classy_id, %error, "the organization cannot be begun");
        self.release(applied, fence, context);
        self.tell(classy_id, Condition::Broken(error.to_string()));
        self.refuse_early(|id| (id == classy_id).then(|| error.fault()));
    }

    /// Ends an organization's runs at their next page.
    pub(super) fn drain(&mut self, classy_id: i64, then: Going, context: &mut Context<Self>) {
        let Some(slot) = self.slots.get_mut(&classy_id) else { return };
        slot.going = Some(then);
        match slot.nursery.child() {
            Some(organization) => organization.do_send(Drain),
            None => self.drained(classy_id, context),
        }
    }

    /// An organization's runs have ended.
    pub(super) fn drained(&mut self, classy_id: i64, context: &mut Context<Self>) {
        let Some(slot) = self.slots.get_mut(&classy_id) else { return };
        match slot.going.take() {
            Some(Going::Restart) => {
                let (Some(applied), fence) = (self.organizations.get(&classy_id).cloned(), slot.fence.clone()) else { return };
                match self.client(&applied) {
                    Ok(client) => {
                        self.shared.board.connect(classy_id, Some(client.clone()));
                        if let Some(slot) = self.slots.get(&classy_id) {
                            let mut start = slot.start.borrow_mut();
                            (start.applied, start.client) = (applied, client);
                            if self.mended.remove(&classy_id) {
                                start.known.values().for_each(|known| known.borrow_mut().at_once());
                            }
                        }
                    }
                    Err(error) => {
                        self.slots.remove(&classy_id);
                        self.cannot_begin(&applied, &error, fence, context);
                    }
                }
            }
            _ => self.fell(classy_id, Condition::Elsewhere, context),
        }
    }

    /// An organization is served no more.
    pub(super) fn fell(&mut self, classy_id: i64, condition: Condition, context: &mut Context<Self>) {
        let Some(slot) = self.slots.remove(&classy_id) else { return };
        self.shared.roster.gone(slot.nursery.name());
        let applied = Arc::clone(&slot.start.borrow().applied);
        self.release(&applied, slot.fence, context);
        self.shared.board.connect(classy_id, None);
        self.tell(classy_id, condition);
        if self.organizations.get(&classy_id).is_none_or(|applied| !may_run(applied, self.mode)) {
            self.tell_standing(classy_id);
        }
    }

    /// Gives a lease back. Whoever has it now keeps it: only this number's is given back.
    fn release(&mut self, applied: &Applied, fence: Fence, context: &mut Context<Self>) {
        let tenant = self.shared.store.tenant(&applied.organization);
        let work = async move { tenant.release(&fence).await };
        self.releasing += 1;
        let (runtime, kill) = (self.shared.runtime.clone(), self.shared.kill.child());
        run::spawn(context, self, &runtime, kill, work, |actor: &mut Self, _, context| {
            // A lease that could not be given back ends by itself.
            actor.releasing -= 1;
            actor.stop_when_empty(context);
        });
    }

    /// Tells why an organization is not served.
    pub(super) fn tell_standing(&self, classy_id: i64) {
        match self.organizations.get(&classy_id) {
            None => self.shared.board.remove(classy_id),
            Some(applied) => self.tell(classy_id, standing(applied)),
        }
    }

    pub(super) fn tell(&self, classy_id: i64, condition: Condition) {
        if let Some(applied) = self.organizations.get(&classy_id) {
            let generation = self.shared.board.one(classy_id).map_or(0, |(status, _)| status.generation);
            self.shared.board.tell(classy_id, &applied.organization.name, generation, condition);
        }
    }
}

/// Whether an organization is one that this process would serve.
pub(super) fn may_run(applied: &Applied, mode: Mode) -> bool {
    let wanted = match applied.organization.status {
        Status::Active => true,
        // A person who names it wants to know whether it works again.
        Status::Suspended => mode == Mode::Command,
        Status::Paused => false,
    };
    wanted && applied.problem.is_none()
}

pub(super) fn standing(applied: &Applied) -> Condition {
    let reason = || applied.organization.status_reason.clone().unwrap_or_default();
    match (&applied.problem, applied.organization.status) {
        (Some(problem), _) => Condition::Broken(problem.text.clone()),
        (None, Status::Paused) => Condition::Paused(reason()),
        (None, Status::Suspended) => Condition::Suspended(reason()),
        (None, Status::Active) => Condition::Elsewhere,
    }
}
