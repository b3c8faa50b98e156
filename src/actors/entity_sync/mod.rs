//! One feed of one organization: a timer, at most one run, and one flag for "once more".

mod due;
pub(super) mod messages;
mod work;

pub(super) use due::Known;
pub(super) use work::Feed;

use super::FeedStatus;
use crate::domain::FaultKind;
use crate::kernel::run::{self, Ended};
use crate::kernel::{Abandon, Kill, Obituary, mischief};
use crate::sync::Task;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, SpawnHandle, WeakRecipient};
use messages::{Begin, Drain, Fall, FeedEnded, Sync};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use work::{Job, Worked};

/// The actor of a feed.
pub(super) struct EntitySync {
    obituary: Obituary,
    feed: Arc<Feed>,
    owner: WeakRecipient<FeedEnded>,
    card: watch::Sender<FeedStatus>,
    /// Shared with the organization, which hands it to the next life.
    known: Rc<RefCell<Known>>,
    scheduled: bool,
    draining: bool,
    current: Option<Current>,
    next: Option<Next>,
    timer: Option<SpawnHandle>,
    runs: u64,
}

/// The run in hand.
struct Current {
    number: u64,
    task: Task,
    stop: CancellationToken,
    kill: Kill,
    tickets: Vec<u64>,
}

/// What follows it.
struct Next {
    task: Task,
    reason: &'static str,
    tickets: Vec<u64>,
}

impl EntitySync {
    pub(super) fn new(
        obituary: Obituary,
        feed: Arc<Feed>,
        owner: WeakRecipient<FeedEnded>,
        known: Rc<RefCell<Known>>,
        scheduled: bool,
    ) -> EntitySync {
        let card = feed.shared.board.feed(feed.classy_id, feed.entity);
        EntitySync { obituary, feed, owner, card, known, scheduled, draining: false, current: None, next: None, timer: None, runs: 0 }
    }

    fn begin(&mut self, Next { task, reason, tickets }: Next, context: &mut Context<Self>) {
        self.runs += 1;
        let (number, stop, kill) = (self.runs, CancellationToken::new(), self.feed.kill.child());
        let job = Job {
            name: Arc::clone(self.obituary.name()),
            task,
            reason,
            generation: self.obituary.generation(),
            known: self.known.borrow().clone(),
            stop: stop.clone(),
            kill: kill.clone(),
            card: self.card.clone(),
        };
        let work = work::work(Arc::clone(&self.feed), job);
        run::spawn(context, self, &self.feed.shared.runtime, kill.clone(), work, move |actor: &mut Self, ended, context| {
            actor.ended(number, ended, context);
        });
        self.current = Some(Current { number, task, stop, kill, tickets });
        self.arm(context);
    }

    fn ended(&mut self, number: u64, ended: Ended<Worked>, context: &mut Context<Self>) {
        mischief::here("entity_sync::ended");
        let Some(current) = self.current.take_if(|current| current.number == number) else { return };
        let known = self.known.borrow().clone();
        let worked = match ended {
            Ended::Done(worked) => worked,
            Ended::Panicked(text) => {
                tracing::error!(organization = self.feed.classy_id, entity = %self.feed.entity, panic = text, "a run panicked");
                work::broken(&self.feed, known, FaultKind::Bug, format!("the run panicked: {text}"))
            }
            Ended::Cancelled(cause) => work::broken(&self.feed, known, FaultKind::Partial, format!("the run was ended: {cause}")),
        };
        self.feed.shared.roster.watch(self.obituary.name(), None);
        *self.known.borrow_mut() = worked.known;
        let yielded = worked.stopped && self.next.is_some();
        let report = Arc::new(worked.report);
        let mut tickets = current.tickets;
        if yielded && let Some(next) = &mut self.next {
            // Whoever waits for the pass waits on.
            next.tickets.append(&mut tickets);
        }
        self.publish(Some(Arc::clone(&report)));
        self.feed.shared.journal.note(self.feed.classy_id, self.feed.entity, &report);
        if let Some(owner) = self.owner.upgrade() {
            let is_over = worked.is_over && !yielded;
            owner.do_send(FeedEnded { report, tickets, fault: worked.fault, is_over });
        }
        self.go_on(context);
    }

    /// What comes after a run.
    fn go_on(&mut self, context: &mut Context<Self>) {
        if self.draining {
            context.stop();
        } else if let Some(next) = self.next.take() {
            self.begin(next, context);
        } else {
            self.arm(context);
        }
    }

    /// Sets the timer to the next moment at which something is due. During a pass, which may take hours, that is the next look for
    /// changes: the pass stops at its next page and goes on afterwards.
    fn arm(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        if !self.scheduled || self.draining {
            return;
        }
        let (plan, entity) = (self.feed.shared.plan(), self.feed.entity);
        let (wait, task) = match &self.current {
            Some(current) if is_pass(current.task, &self.known.borrow()) => (plan.every(entity).changes, Task::Changes),
            Some(_) => return,
            None => {
                let (at, task) = self.known.borrow().due(&plan, entity, crate::clock::now());
                self.card.send_if_modified(|status| status.next_at.replace(at) != Some(at));
                (work::until(at), task)
            }
        };
        self.timer = Some(context.run_later(wait, move |actor, context| {
            actor.timer = None;
            actor.due(task, context);
        }));
    }

    fn due(&mut self, task: Task, context: &mut Context<Self>) {
        mischief::here("entity_sync::due");
        let next = Next { task, reason: "schedule", tickets: Vec::new() };
        match &self.current {
            None => self.begin(next, context),
            Some(current) if self.next.is_none() => {
                current.stop.cancel();
                self.next = Some(next);
            }
            Some(_) => {}
        }
    }

    fn publish(&self, last: Option<Arc<super::FeedReport>>) {
        let generation = self.obituary.generation();
        self.card.send_modify(|status| {
            status.generation = generation;
            status.activity = super::Activity::Idle;
            let known = self.known.borrow();
            status.is_loaded = known.first_pass_at.is_some();
            status.failures = known.failures;
            if let Some(last) = last {
                status.runs += 1;
                status.totals.add(&last);
                if last.is_complete() && last.mode != "repair" {
                    status.fresh_at = Some(crate::clock::now());
                }
                status.last = Some(last);
            } else if status.fresh_at.is_none() {
                status.fresh_at = known.swept_at;
            }
        });
    }
}

/// Whether a task reads a whole list.
const fn is_pass(task: Task, known: &Known) -> bool {
    match task {
        Task::Full => true,
        Task::CatchUp => known.first_pass_at.is_none() || known.passing,
        Task::Changes | Task::Since(_) | Task::Recent(_) => false,
    }
}

impl Actor for EntitySync {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.publish(None);
        self.arm(context);
    }
}

impl Handler<Begin> for EntitySync {
    type Result = ();

    fn handle(&mut self, _: Begin, context: &mut Context<Self>) {
        self.scheduled = true;
        if self.current.is_none() {
            self.arm(context);
        }
    }
}

impl Handler<Sync> for EntitySync {
    type Result = ();

    fn handle(&mut self, order: Sync, context: &mut Context<Self>) {
        mischief::here("entity_sync::sync");
        if self.draining {
            return;
        }
        let tickets = order.ticket.into_iter();
        match (&self.current, &mut self.next) {
            (None, _) => self.begin(Next { task: order.task, reason: order.reason, tickets: tickets.collect() }, context),
            (Some(_), Some(next)) => {
                // The more thorough of the two does for both.
                next.task = thorough(next.task, order.task);
                next.tickets.extend(tickets);
            }
            (Some(_), None) => self.next = Some(Next { task: order.task, reason: order.reason, tickets: tickets.collect() }),
        }
    }
}

/// Which of two tasks includes the other.
const fn thorough(a: Task, b: Task) -> Task {
    match (a, b) {
        (Task::Full, _) | (_, Task::Full) => Task::Full,
        (Task::Changes, other) | (other, Task::Changes) => other,
        (Task::CatchUp, other) => other,
        (other, _) => other,
    }
}

impl Handler<Drain> for EntitySync {
    type Result = ();

    fn handle(&mut self, _: Drain, context: &mut Context<Self>) {
        self.draining = true;
        self.next = None;
        self.arm(context);
        match &self.current {
            Some(current) => current.stop.cancel(),
            None => context.stop(),
        }
    }
}

impl Handler<Fall> for EntitySync {
    type Result = ();

    fn handle(&mut self, _: Fall, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Handler<Abandon> for EntitySync {
    type Result = ();

    /// The run was cancelled and did not end: it holds a thread. It is left behind, and what it may still write carries a
    /// checkpoint that the next run reads afresh.
    fn handle(&mut self, _: Abandon, context: &mut Context<Self>) {
        if let Some(current) = &self.current {
            let (number, cause) = (current.number, current.kill.cause().unwrap_or("frozen").to_owned());
            self.ended(number, Ended::Cancelled(cause), context);
        }
    }
}
