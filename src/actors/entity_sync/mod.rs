//! One feed of one organization: what its runs do, and when the next one is due.

mod due;
pub(super) mod messages;
mod work;

pub(super) use due::FeedSchedule;
pub(super) use work::Feed;

use super::Shared;
use super::worker::{Job, RunLife, Worker};
use crate::clock;
use crate::domain::{FaultKind, Task};
use crate::status::{Activity, FeedReport, FeedStatus};
use crate::supervision::{ExitGuard, KillSwitch, failpoint};
use actix::{Context, Handler, WeakRecipient};
use futures_util::future::BoxFuture;
use messages::{Begin, FeedEnded, Replan, Sync};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use work::{FeedRun, Worked};

/// The actor of a feed.
pub(super) type EntitySync = Worker<FeedJob>;

/// What it does.
pub(super) struct FeedJob {
    feed: Arc<Feed>,
    card: watch::Sender<FeedStatus>,
    /// Shared with the organization, which hands it to the next life.
    known: Rc<RefCell<FeedSchedule>>,
    generation: u64,
    /// How often requests had waited for long when the run began.
    waits: u64,
}

/// What a run is asked to do, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct FeedTask {
    task: Task,
    reason: &'static str,
}

impl EntitySync {
    pub(super) fn of_feed(
        exit_guard: ExitGuard,
        feed: Arc<Feed>,
        owner: WeakRecipient<FeedEnded>,
        known: Rc<RefCell<FeedSchedule>>,
        scheduled: bool,
    ) -> EntitySync {
        let card = feed.shared.board.feed(feed.classy_id, feed.entity);
        let job = FeedJob {
            feed,
            card,
            known,
            generation: exit_guard.generation(),
            waits: 0,
        };
        Worker::new(exit_guard, job, owner, scheduled)
    }
}

impl Job for FeedJob {
    type Task = FeedTask;
    type Outcome = Worked;
    type Report = FeedEnded;

    const AT_END: &'static str = "entity_sync::ended";
    const AT_TIMER: &'static str = "entity_sync::due";
    const ENDS_WITHIN: Option<(Duration, &'static str)> = None;

    fn shared(&self) -> &Arc<Shared> {
        &self.feed.shared
    }

    fn kill(&self) -> &KillSwitch {
        &self.feed.kill
    }

    fn started(worker: &mut EntitySync, _: &mut Context<EntitySync>) {
        worker.job.publish(None);
        worker.job.replan();
    }

    fn run(&mut self, task: &FeedTask, life: RunLife) -> BoxFuture<'static, Worked> {
        let FeedTask { task, reason } = *task;
        self.waits = self.waits_so_far();
        let run = FeedRun {
            task,
            reason,
            known: self.known.borrow().clone(),
            life,
            card: self.card.clone(),
        };
        Box::pin(work::work(Arc::clone(&self.feed), run))
    }

    fn broken(&self, kind: FaultKind, cause: String) -> Worked {
        work::broken(
            &self.feed,
            self.known.borrow().clone(),
            kind,
            format!("the run {cause}"),
        )
    }

    fn gives_way(&self, worked: &Worked) -> bool {
        worked.stopped
    }

    fn conclude(&mut self, worked: Worked, tickets: Vec<u64>, gave_way: bool) -> FeedEnded {
        *self.known.borrow_mut() = worked.known;
        let report = Arc::new(worked.report);
        self.publish(Some(Arc::clone(&report)));
        // What took long since somebody was asked to wait says nothing of the pace.
        if self.waits == self.waits_so_far() {
            self.feed
                .shared
                .journal
                .note(self.feed.classy_id, self.feed.entity, &report);
        }
        FeedEnded {
            report,
            tickets,
            fault: worked.fault,
            is_over: worked.is_over && !gave_way,
        }
    }

    /// The more thorough of the two does for both.
    fn both(first: FeedTask, second: FeedTask) -> FeedTask {
        FeedTask {
            task: thorough(first.task, second.task),
            reason: first.reason,
        }
    }

    /// During a pass, which may take hours, that is the next look for changes: the pass stops at
    /// its next page and goes on afterwards.
    fn due(&mut self, running: Option<&FeedTask>) -> Option<(Duration, FeedTask)> {
        let (plan, entity) = (self.feed.shared.plan(), self.feed.entity);
        let (wait, task) = match running {
            Some(running) if is_pass(running.task, &self.known.borrow()) => {
                (plan.every(entity).changes, Task::Changes)
            }
            Some(_) => return None,
            None => {
                let (now, mut known) = (clock::now(), self.known.borrow_mut());
                known.bound(&plan, entity, now);
                let (at, task) = known.due(&plan, entity, now);
                self.card
                    .send_if_modified(|status| status.next_at.replace(at) != Some(at));
                (work::until(at), task)
            }
        };
        Some((
            wait,
            FeedTask {
                task,
                reason: "schedule",
            },
        ))
    }
}

impl FeedJob {
    /// How often requests of this list waited for long before they were made.
    fn waits_so_far(&self) -> u64 {
        self.feed.client.pulse().heard(self.feed.entity).waits
    }

    fn replan(&self) {
        self.known
            .borrow_mut()
            .replan(&self.feed.shared.plan(), self.feed.entity, clock::now());
    }

    fn publish(&self, last: Option<Arc<FeedReport>>) {
        self.card.send_modify(|status| {
            status.generation = self.generation;
            status.activity = Activity::Idle;
            let known = self.known.borrow();
            status.is_loaded = known.first_pass_at.is_some();
            status.failures = known.failures;
            status.trouble.clone_from(&known.trouble);
            status.lacks = known.lacks.as_deref().map(Arc::from);
            if let Some(last) = last {
                status.runs += 1;
                status.totals.add(&last);
                if last.is_complete() && last.mode != "repair" {
                    status.fresh_at = Some(clock::now());
                }
                status.last = Some(last);
                return;
            }
            if status.fresh_at.is_none() {
                // One ahead of us was written by a clock that was: nobody knows when that was.
                status.fresh_at = known.swept_at.filter(|at| *at <= clock::now());
            }
            if known.failures == 0 {
                // Served here before, by somebody else since: a failure of that time says nothing
                // of now.
                status.last = status.last.take().filter(|last| last.outcome != "failed");
            }
        });
    }
}

/// Whether a task reads a whole list.
fn is_pass(task: Task, known: &FeedSchedule) -> bool {
    match task {
        Task::Full => true,
        Task::CatchUp => known.first_pass_at.is_none() || known.passing || known.is_short_lately(),
        Task::Changes | Task::Since(_) | Task::Recent(_) => false,
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

impl Handler<Replan> for EntitySync {
    type Result = ();

    fn handle(&mut self, _: Replan, context: &mut Context<Self>) {
        self.job.replan();
        self.arm(context);
    }
}

impl Handler<Begin> for EntitySync {
    type Result = ();

    fn handle(&mut self, _: Begin, context: &mut Context<Self>) {
        self.scheduled = true;
        if !self.is_running() {
            self.arm(context);
        }
    }
}

impl Handler<Sync> for EntitySync {
    type Result = ();

    fn handle(
        &mut self,
        Sync {
            task,
            reason,
            ticket,
        }: Sync,
        context: &mut Context<Self>,
    ) {
        failpoint::here("entity_sync::sync");
        self.order(FeedTask { task, reason }, ticket, context);
    }
}
