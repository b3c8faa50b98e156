//! The organizations that this process serves: begun, drained, begun anew, given back.

use super::Supervisor;
use super::slot::{Going, Mode, Slot, may_run, standing};
use crate::actors::entity_sync::FeedSchedule;
use crate::actors::organization::messages::Drain;
use crate::actors::organization::{Organization, Start};
use crate::classy::Client;
use crate::credentials::{self, Applied, client};
use crate::entities::Entity;
use crate::status::Condition;
use crate::store::Fence;
use crate::supervision::{ChildSlot, run};
use actix::{Actor, AsyncContext, Context};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

impl Supervisor {
    /// Begins to serve an organization, or says why that cannot be.
    pub(super) fn serve(
        &mut self,
        classy_id: i64,
        fence: Fence,
        known: BTreeMap<Entity, FeedSchedule>,
        context: &mut Context<Self>,
    ) {
        let Some(applied) = self.organizations.get(&classy_id).cloned() else {
            return;
        };
        let client = match self.client(&applied) {
            Ok(client) => client,
            Err(error) => return self.cannot_begin(&applied, &error, fence, context),
        };
        let known: BTreeMap<_, _> = known
            .into_iter()
            .map(|(entity, known)| (entity, Rc::new(RefCell::new(known))))
            .collect();
        if self.mended.remove(&classy_id) {
            known
                .values()
                .for_each(|known| known.borrow_mut().at_once());
        }
        let access = client.clone();
        let start = Start {
            applied,
            client,
            fence: fence.clone(),
            known,
            scheduled: self.mode == Mode::Daemon,
        };
        let start = Rc::new(RefCell::new(start));
        let (shared, from) = (Arc::clone(&self.shared), Rc::clone(&start));
        let make = move |exit_guard| {
            Organization::new(exit_guard, Arc::clone(&shared), from.borrow().clone()).start()
        };
        let child_slot = ChildSlot::new(
            classy_id.to_string().into(),
            context.address().recipient().downgrade(),
            make,
        );
        self.slots.insert(
            classy_id,
            Slot {
                child_slot,
                fence,
                start,
                going: None,
            },
        );
        self.begin(classy_id, context);
        self.shared.board.connect(classy_id, Some(access));
    }

    /// Begins a life of a served organization.
    pub(super) fn begin(&mut self, classy_id: i64, context: &Context<Self>) {
        let Some(slot) = self.slots.get_mut(&classy_id) else {
            return;
        };
        let generation = slot.child_slot.start();
        self.shared.registry.born(
            slot.child_slot.name(),
            generation,
            context.address().recipient().downgrade(),
            None,
        );
    }

    fn client(&self, applied: &Applied) -> Result<Client, credentials::Error> {
        client(
            &self.shared.transport,
            &self.shared.vault,
            &applied.organization,
            &applied.file,
        )
    }

    fn cannot_begin(
        &mut self,
        applied: &Applied,
        error: &credentials::Error,
        fence: Fence,
        context: &mut Context<Self>,
    ) {
        let classy_id = applied.organization.classy_id;
        tracing::error!(organization = classy_id, %error, "the organization cannot be begun");
        self.release(applied, fence, context);
        self.tell(classy_id, Condition::Broken(error.to_string()));
        self.refuse_early(|id| (id == classy_id).then(|| error.fault()));
    }

    /// Ends an organization's runs at their next page, or when so much time has passed.
    pub(super) fn drain(
        &mut self,
        classy_id: i64,
        then: Going,
        within: Option<Duration>,
        context: &mut Context<Self>,
    ) {
        let Some(slot) = self.slots.get_mut(&classy_id) else {
            return;
        };
        slot.going = Some(then);
        match slot.child_slot.child() {
            Some(organization) => organization.do_send(Drain { within }),
            None => self.drained(classy_id, context),
        }
    }

    /// An organization's runs have ended.
    pub(super) fn drained(&mut self, classy_id: i64, context: &mut Context<Self>) {
        let Some(slot) = self.slots.get_mut(&classy_id) else {
            return;
        };
        match slot.going.take() {
            Some(Going::Restart) => {
                let (Some(applied), fence) = (
                    self.organizations.get(&classy_id).cloned(),
                    slot.fence.clone(),
                ) else {
                    return;
                };
                match self.client(&applied) {
                    Ok(client) => {
                        self.shared.board.connect(classy_id, Some(client.clone()));
                        if let Some(slot) = self.slots.get(&classy_id) {
                            let mut start = slot.start.borrow_mut();
                            (start.applied, start.client) = (applied, client);
                            if self.mended.remove(&classy_id) {
                                start
                                    .known
                                    .values()
                                    .for_each(|known| known.borrow_mut().at_once());
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
    pub(super) fn fell(
        &mut self,
        classy_id: i64,
        condition: Condition,
        context: &mut Context<Self>,
    ) {
        let Some(slot) = self.slots.remove(&classy_id) else {
            return;
        };
        self.shared.registry.gone(slot.child_slot.name());
        let applied = Arc::clone(&slot.start.borrow().applied);
        self.release(&applied, slot.fence, context);
        self.shared.board.connect(classy_id, None);
        self.tell(classy_id, condition);
        if self
            .organizations
            .get(&classy_id)
            .is_none_or(|applied| !may_run(applied, self.mode))
        {
            self.tell_standing(classy_id);
        } else if self.stopping.is_none() {
            // It was resumed while it was being ended.
            self.check_leases(context);
        }
    }

    /// Gives a lease back. Whoever has it now keeps it: only this number's is given back.
    pub(super) fn release(&mut self, applied: &Applied, fence: Fence, context: &mut Context<Self>) {
        let tenant = self.shared.store.tenant(&applied.organization);
        let work = async move { tenant.release(&fence).await };
        self.releasing += 1;
        let (runtime, kill) = (self.shared.runtime.clone(), self.shared.kill.child());
        run::spawn(
            context,
            self,
            &runtime,
            kill,
            work,
            |actor: &mut Self, _, context| {
                // A lease that could not be given back ends by itself.
                actor.releasing -= 1;
                actor.answer_settled();
                actor.stop_when_empty(context);
            },
        );
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
            let generation = self
                .shared
                .board
                .one(classy_id)
                .map_or(0, |(status, _)| status.generation);
            self.shared
                .board
                .tell(classy_id, &applied.organization.name, generation, condition);
        }
    }
}
