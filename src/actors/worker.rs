//! An actor that does one thing again and again: a timer, at most one run, and one task that
//! follows it.
//!
//! What a run does, when it is due and what is told of it is the [`Job`]'s; everything about
//! beginning, stopping and following is here, so that feeds and plugins behave alike.

use super::Shared;
use crate::domain::FaultKind;
use crate::supervision::run::{self, Ended};
use crate::supervision::{Abandon, ExitGuard, KillSwitch, failpoint};
use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, SpawnHandle, WeakRecipient,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a worker does.
pub(super) trait Job: Sized + Unpin + 'static {
    /// What one run is asked to do.
    type Task: Unpin + 'static;
    /// What comes of a run.
    type Outcome: Send + 'static;
    /// What the owner is told of it.
    type Report: Message<Result = ()> + Send + 'static;

    /// Where tests may make the end of a run, and the timer, go wrong.
    const AT_END: &'static str;
    const AT_TIMER: &'static str;
    /// So long a run may take to end when the worker is to stop, and why it is cut off then.
    const ENDS_WITHIN: Option<(Duration, &'static str)>;

    fn shared(&self) -> &Arc<Shared>;

    /// Falls with the owner.
    fn kill(&self) -> &KillSwitch;

    /// The worker begins a life.
    fn started(_: &mut Worker<Self>, _: &mut Context<Worker<Self>>) {}

    /// One run.
    fn run(&mut self, task: &Self::Task, life: RunLife) -> BoxFuture<'static, Self::Outcome>;

    /// What is told of a run that came to no end of its own.
    fn broken(&self, kind: FaultKind, cause: String) -> Self::Outcome;

    /// Whether it ended early for what follows it: then whoever waits for it waits on.
    fn gives_way(&self, _: &Self::Outcome) -> bool {
        false
    }

    /// Draws the conclusions from a run, which `gave_way` to the next one or not.
    fn conclude(
        &mut self,
        outcome: Self::Outcome,
        tickets: Vec<u64>,
        gave_way: bool,
    ) -> Self::Report;

    /// One task that does what both ask for.
    fn both(first: Self::Task, second: Self::Task) -> Self::Task;

    /// Whether a task that nobody ordered follows the run that just ended.
    fn goes_on(&self) -> bool {
        true
    }

    /// What is due next, and how long until then: beside the run in hand, if there is one.
    fn due(&mut self, running: Option<&Self::Task>) -> Option<(Duration, Self::Task)>;
}

/// How a run is known and ended.
pub(super) struct RunLife {
    /// The worker's name.
    pub(super) name: Arc<str>,
    /// Which of the worker's lives it belongs to.
    pub(super) generation: u64,
    /// Ends it where it can go on later.
    pub(super) stop: CancellationToken,
    /// It ends for good: no answer is waited for any more.
    pub(super) leave: CancellationToken,
    /// Ends it at once.
    pub(super) kill: KillSwitch,
}

/// End the run where it can go on later, then stop.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Drain;

/// Stop at once.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Fall;

/// The actor.
pub(super) struct Worker<J: Job> {
    exit_guard: ExitGuard,
    pub(super) job: J,
    owner: WeakRecipient<J::Report>,
    /// Whether it keeps to a schedule; if not, it works on order only.
    pub(super) scheduled: bool,
    draining: bool,
    current: Option<Current<J>>,
    next: Option<Next<J>>,
    timer: Option<SpawnHandle>,
    runs: u64,
}

/// The run in hand.
struct Current<J: Job> {
    number: u64,
    task: J::Task,
    stop: CancellationToken,
    leave: CancellationToken,
    kill: KillSwitch,
    tickets: Vec<u64>,
}

/// What follows it.
struct Next<J: Job> {
    task: J::Task,
    tickets: Vec<u64>,
}

impl<J: Job> Worker<J> {
    pub(super) fn new(
        exit_guard: ExitGuard,
        job: J,
        owner: WeakRecipient<J::Report>,
        scheduled: bool,
    ) -> Worker<J> {
        Worker {
            exit_guard,
            job,
            owner,
            scheduled,
            draining: false,
            current: None,
            next: None,
            timer: None,
            runs: 0,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// Does something now, or after the run in hand. The ticket comes back with the run that did
    /// it.
    pub(super) fn order(
        &mut self,
        task: J::Task,
        ticket: Option<u64>,
        context: &mut Context<Self>,
    ) {
        if self.draining {
            return;
        }
        let tickets = ticket.into_iter().collect();
        if self.current.is_none() {
            return self.begin(Next { task, tickets }, context);
        }
        self.next = Some(match self.next.take() {
            None => Next { task, tickets },
            Some(next) => Next {
                task: J::both(next.task, task),
                tickets: [next.tickets, tickets].concat(),
            },
        });
    }

    fn begin(&mut self, Next { task, tickets }: Next<J>, context: &mut Context<Self>) {
        self.runs += 1;
        let (number, stop, leave, kill) = (
            self.runs,
            CancellationToken::new(),
            CancellationToken::new(),
            self.job.kill().child(),
        );
        let life = RunLife {
            name: Arc::clone(self.exit_guard.name()),
            generation: self.exit_guard.generation(),
            stop: stop.clone(),
            leave: leave.clone(),
            kill: kill.clone(),
        };
        let work = self.job.run(&task, life);
        let runtime = self.job.shared().runtime.clone();
        run::spawn(
            context,
            self,
            &runtime,
            kill.clone(),
            work,
            move |actor: &mut Self, ended, context| {
                actor.ended(number, ended, context);
            },
        );
        self.current = Some(Current {
            number,
            task,
            stop,
            leave,
            kill,
            tickets,
        });
        self.arm(context);
    }

    fn ended(&mut self, number: u64, ended: Ended<J::Outcome>, context: &mut Context<Self>) {
        failpoint::here(J::AT_END);
        let Some(current) = self.current.take_if(|current| current.number == number) else {
            return;
        };
        let outcome = match ended {
            Ended::Done(outcome) => outcome,
            Ended::Panicked(text) => {
                tracing::error!(worker = %self.exit_guard.name(), panic = text, "a run panicked");
                self.job.broken(FaultKind::Bug, format!("panicked: {text}"))
            }
            Ended::Cancelled(cause) => self
                .job
                .broken(FaultKind::Partial, format!("was ended: {cause}")),
        };
        self.job
            .shared()
            .registry
            .watch(self.exit_guard.name(), None);
        let mut tickets = current.tickets;
        let mut gave_way = false;
        if let Some(next) = self.next.as_mut().filter(|_| self.job.gives_way(&outcome)) {
            next.tickets.append(&mut tickets);
            gave_way = true;
        }
        let report = self.job.conclude(outcome, tickets, gave_way);
        if let Some(owner) = self.owner.upgrade() {
            owner.do_send(report);
        }
        if self.draining {
            return context.stop();
        }
        match self.next.take() {
            Some(next) if !next.tickets.is_empty() || self.job.goes_on() => {
                self.begin(next, context)
            }
            _ => self.arm(context),
        }
    }

    /// Sets the timer to the moment at which something is due next.
    pub(super) fn arm(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        if !self.scheduled || self.draining {
            return;
        }
        let Some((wait, task)) = self
            .job
            .due(self.current.as_ref().map(|current| &current.task))
        else {
            return;
        };
        self.timer = Some(context.run_later(wait, move |actor, context| {
            actor.timer = None;
            actor.begin_due(task, context);
        }));
    }

    /// What is due while a run goes on ends it, and follows it; unless something follows it
    /// already.
    fn begin_due(&mut self, task: J::Task, context: &mut Context<Self>) {
        failpoint::here(J::AT_TIMER);
        let next = Next {
            task,
            tickets: Vec::new(),
        };
        match &self.current {
            None => self.begin(next, context),
            Some(current) if self.next.is_none() => {
                current.stop.cancel();
                self.next = Some(next);
            }
            Some(_) => {}
        }
    }
}

impl<J: Job> Actor for Worker<J> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        J::started(self, context);
        self.arm(context);
    }
}

impl<J: Job> Handler<Drain> for Worker<J> {
    type Result = ();

    fn handle(&mut self, _: Drain, context: &mut Context<Self>) {
        self.draining = true;
        self.next = None;
        self.arm(context);
        let Some(current) = &self.current else {
            return context.stop();
        };
        current.stop.cancel();
        current.leave.cancel();
        if let Some((within, cause)) = J::ENDS_WITHIN {
            let kill = current.kill.clone();
            context.run_later(within, move |_, _| kill.cancel(cause));
        }
    }
}

impl<J: Job> Handler<Fall> for Worker<J> {
    type Result = ();

    fn handle(&mut self, _: Fall, context: &mut Context<Self>) {
        context.stop();
    }
}

impl<J: Job> Handler<Abandon> for Worker<J> {
    type Result = ();

    /// The run was cancelled and did not end: it holds a thread. It is left behind; what it may
    /// still write carries a fence and a checkpoint that the next run reads afresh, and what it
    /// sent is in the ledger as `sending`.
    fn handle(&mut self, _: Abandon, context: &mut Context<Self>) {
        if let Some(current) = &self.current {
            let (number, cause) = (
                current.number,
                current.kill.cause().unwrap_or("frozen").to_owned(),
            );
            self.ended(number, Ended::Cancelled(cause), context);
        }
    }
}
