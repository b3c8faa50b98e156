//! A look at the database: which leases are held, taken and lost, and what a person or another
//! process changed in an organization's row.

use super::Supervisor;
use super::fleet::{self, Found, Question};
use super::messages::CheckLeases;
use super::slot::{GRACE, Going, Mode, Slot, may_run};
use crate::actors::entity_sync::FeedSchedule;
use crate::actors::organization::messages::Nudge;
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{Fault, FaultKind};
use crate::entities::Entity;
use crate::status::Condition;
use crate::supervision::run::{self, Ended};
use actix::{Context, Handler};
use std::sync::Arc;

impl Supervisor {
    /// Looks at the database now; if a look is going on, once more after it.
    pub(super) fn check_leases(&mut self, context: &mut Context<Self>) {
        if self.stopping.is_some() {
            return;
        }
        if std::mem::replace(&mut self.is_checking, true) {
            self.check_again = true;
            return;
        }
        self.looks += 1;
        let candidates = self
            .organizations
            .iter()
            .filter(|(_, applied)| may_run(applied, self.mode))
            .map(|(id, _)| *id)
            .collect();
        let question = Question {
            candidates,
            served: self.slots.keys().copied().collect(),
            adopted: self.unserved.adopted().clone(),
            since: self.since,
            asked: self.is_asked(),
            alone: self.mode == Mode::Command,
        };
        let work = fleet::check_leases(Arc::clone(&self.shared), question);
        let (runtime, begun) = (self.shared.runtime.clone(), clock::now());
        run::spawn(
            context,
            self,
            &runtime,
            self.shared.kill.child(),
            work,
            move |actor: &mut Self, ended, context| {
                actor.is_checking = false;
                match ended {
                    Ended::Done(Ok(found)) => {
                        actor.shared.note_written();
                        actor.found(found, context);
                    }
                    Ended::Done(Err(error)) => {
                        tracing::error!(%error, "the leases could not be looked after");
                        actor.shared.note_unwritten(begun, error.to_string());
                        actor.could_not_check(&Fault {
                            kind: error.kind(),
                            text: error.to_string(),
                            hint: error.hint(),
                        });
                    }
                    Ended::Panicked(text) => {
                        tracing::error!(panic = text, "the look at the leases panicked");
                        let text = format!("the look at the leases panicked: {text}");
                        actor.could_not_check(&Fault {
                            kind: FaultKind::Bug,
                            text,
                            hint: None,
                        });
                    }
                    Ended::Cancelled(_) => {}
                }
                if std::mem::take(&mut actor.check_again) {
                    actor.check_leases(context);
                }
                actor.answer_settled();
            },
        );
    }

    /// What is not served for a fault of the database is told as that: "elsewhere" would say that
    /// all is well.
    fn could_not_check(&mut self, fault: &Fault) {
        self.refuse_early(|_| Some(fault.clone()));
        self.refuse_settled(fault);
        self.is_blind = true;
        for (classy_id, applied) in &self.organizations {
            if may_run(applied, self.mode) && !self.slots.contains_key(classy_id) {
                self.tell(
                    *classy_id,
                    Condition::Broken(format!("its lease cannot be taken: {}", fault.text)),
                );
            }
        }
    }

    fn found(&mut self, found: Found, context: &mut Context<Self>) {
        if self.stopping.is_some() {
            return;
        }
        if std::mem::take(&mut self.is_blind) {
            for classy_id in self
                .organizations
                .keys()
                .filter(|id| !self.slots.contains_key(id))
            {
                self.tell_standing(*classy_id);
            }
        }
        self.since = found.at.unwrap_or(self.since);
        // Of the same name and another number is lost, too: somebody took it away, and it was taken
        // again.
        let is_lost = |id: &i64, slot: &Slot| found.held.get(id) != Some(&slot.fence);
        let lost: Vec<i64> = self
            .slots
            .iter()
            .filter(|(id, slot)| is_lost(id, slot))
            .map(|(id, _)| *id)
            .collect();
        for classy_id in lost {
            tracing::warn!(
                organization = classy_id,
                "the lease was lost: another process serves the organization now"
            );
            self.fell(classy_id, Condition::Elsewhere, context);
        }
        for row in &found.changed {
            self.row_changed(row, context);
        }
        for classy_id in found.surplus {
            self.drain(classy_id, Going::Release, None, context);
        }
        let count = self.organizations.len();
        for classy_id in found.taken {
            let Some(fence) = found.held.get(&classy_id) else {
                continue;
            };
            if let Some(applied) = self
                .organizations
                .get(&classy_id)
                .filter(|applied| !may_run(applied, self.mode))
                .cloned()
            {
                // It changed while its lease was taken.
                self.release(&applied, fence.clone(), context);
                continue;
            }
            let mut known = found.known.get(&classy_id).cloned().unwrap_or_default();
            for entity in Entity::ALL {
                known
                    .entry(entity)
                    .or_insert_with(FeedSchedule::default)
                    .spread(&self.shared.plan(), classy_id, entity, count, clock::now());
            }
            self.serve(classy_id, fence.clone(), known, context);
        }
        for classy_id in found.elsewhere.keys() {
            self.tell(*classy_id, Condition::Elsewhere);
        }
        self.watch_unserved(found.there, found.unserved);
        self.answer_early(&found.elsewhere);
    }

    /// A person or another process changed an organization's row.
    fn row_changed(&mut self, row: &crate::store::Organization, context: &mut Context<Self>) {
        let Some(applied) = self.organizations.get(&row.classy_id) else {
            return;
        };
        let old = &applied.organization;
        let same =
            (&old.status, &old.credentials_encrypted) == (&row.status, &row.credentials_encrypted);
        if same && old.status_reason == row.status_reason {
            // Nothing that decides whether it is served: a person's word on what is held.
            let slot = self.slots.get(&row.classy_id);
            if let Some(organization) = slot.and_then(|slot| slot.child_slot.child()) {
                organization.do_send(Nudge {
                    entities: Vec::new(),
                });
            }
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
            self.drain(classy_id, Going::Release, Some(GRACE), context);
        } else if resealed {
            self.drain(classy_id, Going::Restart, Some(GRACE), context);
        }
        if !self.slots.contains_key(&classy_id) {
            self.tell_standing(classy_id);
            self.check_again = true;
        }
    }
}

impl Handler<CheckLeases> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: CheckLeases, context: &mut Context<Self>) {
        self.check_leases(context);
    }
}
