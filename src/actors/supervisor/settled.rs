//! Orders that are in force when they are answered: the database is looked at, and whoever asked is
//! told when nothing of what was found there is being ended, begun anew or given back any more.

use super::Supervisor;
use super::messages::{Settle, SettleWaiter};
use crate::domain::{Fault, FaultKind};
use actix::{Context, Handler};

impl Supervisor {
    /// Tells those whose changes are in force.
    pub(super) fn answer_settled(&mut self) {
        if self.is_checking || self.releasing > 0 {
            return;
        }
        let is_going = |classy_id: Option<i64>| match classy_id {
            Some(id) => self.slots.get(&id).is_some_and(|slot| slot.going.is_some()),
            None => self.slots.values().any(|slot| slot.going.is_some()),
        };
        let (over, left): (Vec<SettleWaiter>, Vec<SettleWaiter>) =
            std::mem::take(&mut self.settling)
                .into_iter()
                .partition(|waiting| waiting.look <= self.looks && !is_going(waiting.classy_id));
        self.settling = left;
        for waiting in over {
            // Whoever hung up does not want to know.
            let _ = waiting.done.send(Ok(()));
        }
    }

    /// A look failed: what it should have found is not known.
    pub(super) fn refuse_settled(&mut self, fault: &Fault) {
        for waiting in std::mem::take(&mut self.settling) {
            let _ = waiting.done.send(Err(fault.clone()));
        }
    }
}

impl Handler<Settle> for Supervisor {
    type Result = ();

    fn handle(&mut self, Settle { classy_id, done }: Settle, context: &mut Context<Self>) {
        if self.stopping.is_some() {
            let _ = done.send(Err(Fault {
                kind: FaultKind::Busy,
                text: "the process is stopping".to_owned(),
                hint: None,
            }));
            return;
        }
        self.settling.push(SettleWaiter {
            classy_id,
            look: self.looks + 1,
            done,
        });
        self.check_leases(context);
    }
}
