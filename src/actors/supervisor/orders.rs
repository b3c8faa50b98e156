//! People's orders on their way to the organization: passed on when it is served here, kept for a
//! moment while its lease is taken, and refused with the reason when that cannot be.

use super::Supervisor;
use super::messages::{EarlyOrder, StartSync};
use super::slot::{may_run, standing};
use crate::actors::organization::messages::StartSync as OrganizationSync;
use crate::domain::{Fault, FaultKind};
use crate::status::Condition;
use crate::store::readable;
use crate::supervision::ChildSlot;
use actix::{Context, Handler};
use std::collections::BTreeMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// For so many lengths of a lease an order waits until its organization is served.
const PATIENCE: u32 = 2;

impl Supervisor {
    fn pass_on(
        &mut self,
        StartSync {
            classy_id,
            order,
            reply,
        }: StartSync,
        since: Instant,
    ) {
        match self
            .slots
            .get(&classy_id)
            .and_then(|slot| slot.child_slot.child())
        {
            Some(organization) => {
                let (done, report) = oneshot::channel();
                organization.do_send(OrganizationSync { order, reply: done });
                let board = self.shared.board.clone();
                self.shared.runtime.spawn(async move {
                    let fell = || Fault {
                        kind: FaultKind::Busy,
                        text: match board.one(classy_id).map(|(status, _)| status.condition) {
                            Some(Condition::Paused(reason)) => format!(
                                "the organization was paused before the sync ended: {reason}"
                            ),
                            _ => "the organization was taken down before the sync ended".to_owned(),
                        },
                        hint: None,
                    };
                    reply.send(report.await.map_err(|_| fell())).ok()
                });
            }
            None => self.early.push(EarlyOrder {
                start: StartSync {
                    classy_id,
                    order,
                    reply,
                },
                since,
            }),
        }
    }

    /// After a look: passes on what can be passed on, and refuses what another process serves or
    /// what has waited too long.
    pub(super) fn answer_early(&mut self, elsewhere: &BTreeMap<i64, String>) {
        for EarlyOrder { start, since } in std::mem::take(&mut self.early) {
            self.pass_on(start, since);
        }
        let busy = |classy_id: i64, text: String, hint: &str| Fault {
            kind: FaultKind::Busy,
            text: format!("organization {classy_id} {text}"),
            hint: Some(hint.to_owned()),
        };
        let (patience, served) = (
            PATIENCE * self.shared.plan().lease,
            self.slots.keys().copied().collect::<Vec<_>>(),
        );
        let mut left = Vec::new();
        for early in std::mem::take(&mut self.early) {
            let id = early.start.classy_id;
            let fault = match (self.refusal(id), elsewhere.get(&id)) {
                (Some(fault), _) => Some(fault),
                (None, Some(holder)) => {
                    let hint = "it is kept current there; to have it done at once, give the order there, or stop that process";
                    Some(busy(
                        id,
                        format!("is being synced by {}", readable(holder)),
                        hint,
                    ))
                }
                (None, None) if early.since.elapsed() > patience => {
                    let text = if served.contains(&id) {
                        "cannot be begun now"
                    } else {
                        "is served by no process yet"
                    };
                    Some(busy(
                        id,
                        text.to_owned(),
                        "see `classy-sync health`, and try again",
                    ))
                }
                (None, None) => None,
            };
            match fault {
                // Whoever hung up does not want to know.
                Some(fault) => drop(early.start.reply.send(Err(fault))),
                None => left.push(early),
            }
        }
        self.early = left;
    }

    /// Answers the orders that cannot be carried out.
    pub(super) fn refuse_early(&mut self, why: impl Fn(i64) -> Option<Fault>) {
        let mut left = Vec::new();
        for early in std::mem::take(&mut self.early) {
            match why(early.start.classy_id) {
                Some(fault) => drop(early.start.reply.send(Err(fault))),
                None => left.push(early),
            }
        }
        self.early = left;
    }

    /// Why nothing can be ordered of an organization.
    fn refusal(&self, classy_id: i64) -> Option<Fault> {
        let (kind, text) = match self.organizations.get(&classy_id) {
            None => (
                FaultKind::Partial,
                format!("there is no organization {classy_id} here"),
            ),
            Some(applied) if !may_run(applied, self.mode) => {
                let condition = standing(applied);
                let reason = condition.reason().unwrap_or_default().to_owned();
                let text = format!(
                    "organization {classy_id} is {}: {reason}",
                    condition.as_str()
                );
                let hint = matches!(condition, Condition::Paused(_))
                    .then(|| format!("`classy-sync org resume {classy_id}`"));
                return Some(Fault {
                    kind: FaultKind::Partial,
                    text,
                    hint,
                });
            }
            Some(_) if self.stopping.is_some() => {
                (FaultKind::Busy, "the process is stopping".to_owned())
            }
            Some(_) => return None,
        };
        Some(Fault {
            kind,
            text,
            hint: None,
        })
    }

    /// Whether somebody waits for an organization that is not served here.
    pub(super) fn is_asked(&self) -> bool {
        self.early.iter().any(|early| {
            self.slots
                .get(&early.start.classy_id)
                .and_then(|slot| ChildSlot::child(&slot.child_slot))
                .is_none()
        })
    }
}

impl Handler<StartSync> for Supervisor {
    type Result = ();

    fn handle(&mut self, order: StartSync, context: &mut Context<Self>) {
        match self.refusal(order.classy_id) {
            Some(fault) => drop(order.reply.send(Err(fault))),
            None => {
                self.pass_on(order, Instant::now());
                if self.is_asked() {
                    self.check_leases(context);
                }
            }
        }
    }
}
