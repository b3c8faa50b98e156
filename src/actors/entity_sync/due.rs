//! When a feed is due, and for what. Nothing here reads a clock.

use crate::actors::Plan;
use crate::domain::{FeedState, SHORT_PASSES, Task, Time, Trouble};
use crate::entities::Entity;
use crate::schedule::{jittered, spread};
use crate::store::FeedTimes;
use std::time::Duration;

/// What a feed's plan depends on; kept by its organization over the lives of its actor.
#[derive(Debug, Clone, Default)]
pub(in crate::actors) struct FeedSchedule {
    /// What the database says.
    pub(in crate::actors) times: FeedTimes,
    /// The last complete look for changes, by the source's clock.
    pub(in crate::actors) swept_at: Option<Time>,
    /// The first complete pass.
    pub(in crate::actors) first_pass_at: Option<Time>,
    /// The last complete pass.
    pub(in crate::actors) reconciled_at: Option<Time>,
    /// A pass was begun and is not complete.
    pub(in crate::actors) passing: bool,
    /// More of a record is stored now than when the whole list was last read.
    pub(in crate::actors) is_outdated: bool,
    /// Passes in a row that fell short.
    pub(in crate::actors) short_passes: u32,
    /// What is known to be lacking, in words.
    pub(in crate::actors) lacks: Option<String>,
    /// Until then an earlier process meant to let it rest, after a run of its own.
    pub(in crate::actors) rests_until: Option<Time>,
    /// Failures in a row.
    pub(in crate::actors) failures: u32,
    /// Runs in a row that ended and left something out, in this process.
    pub(in crate::actors) shortfalls: u32,
    /// Why the last run failed, when that concerns more than this feed.
    pub(in crate::actors) trouble: Option<Trouble>,
    /// How the next look came to its moment, when that was in this process.
    pub(in crate::actors) planned: Option<Planned>,
    /// The last complete pass of this process, by our clock.
    pub(in crate::actors) passed_at: Option<Time>,
}

/// How a feed's next moment was found.
#[derive(Debug, Clone, Copy)]
pub(in crate::actors) struct Planned {
    /// The end of the run before it.
    at: Time,
    /// From there.
    wait: Duration,
    /// What the source demanded of it.
    least: Duration,
}

/// The first wait after a failure, or after a run that left something out; it doubles up to the
/// feed's own pace.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// A feed that fails is tried again at least so often, however seldom it is read: an outage that is
/// over must not be felt for hours.
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// By so much another clock may be ahead of ours before what it told is not believed.
const BELIEVED: chrono::TimeDelta = chrono::TimeDelta::hours(1);

impl FeedSchedule {
    /// Takes over what a run found.
    pub(in crate::actors) fn learn(&mut self, state: &FeedState, entity: Entity, now: Time) {
        let reconciled_at = state.reconciled.as_ref().map(|found| found.at);
        if reconciled_at != self.reconciled_at || state.first_pass_at != self.first_pass_at {
            self.passed_at = Some(now);
        }
        self.first_pass_at = state.first_pass_at;
        self.reconciled_at = reconciled_at;
        self.passing = state.pass.is_some();
        self.is_outdated = state.is_outdated(entity.schema_version());
        self.short_passes = state.short_passes();
        self.lacks = state.lacks();
    }

    /// The next task and its moment.
    pub(super) fn due(&self, plan: &Plan, entity: Entity, now: Time) -> (Time, Task) {
        let every = plan.every(entity);
        let mut due = (self.times.next_run_at.unwrap_or(now), Task::CatchUp);
        if self.passing && self.failures == 0 {
            // Begun, and interrupted by a look for changes or by the process's end: it goes on.
            return (now, Task::CatchUp);
        }
        // A feed that fails is asked nothing more than it already refuses.
        let Some(first_pass_at) = self.first_pass_at.filter(|_| self.failures == 0) else {
            return due;
        };
        if self.is_short_lately() {
            // The next look for changes reads the whole list again.
            return due;
        }
        if self.is_outdated {
            return (now, Task::Full);
        }
        let reconcile = match self
            .passed_at
            .or(self.reconciled_at)
            .unwrap_or(first_pass_at)
        {
            // Nobody knows when that was.
            at if at > now + BELIEVED => now,
            at => later(at, every.reconcile),
        };
        // A pass ends with a look for changes: at the same moment it goes first.
        if reconcile <= due.0.max(now) {
            due = (reconcile, Task::Full);
        }
        let window = later(
            self.times.window_at.unwrap_or(first_pass_at).min(now),
            plan.window_every,
        );
        if entity.about().has_purchases && window < due.0.min(now) {
            due = (window, Task::Recent(now - plan.window));
        }
        due
    }

    /// Whether a pass fell short, and another one is to be tried soon.
    pub(super) fn is_short_lately(&self) -> bool {
        (1..SHORT_PASSES).contains(&self.short_passes)
    }

    /// Plans what comes after a run that did its task.
    pub(super) fn after_success(&mut self, plan: &Plan, entity: Entity, task: Task, now: Time) {
        self.shortfalls = 0;
        self.done(task, jittered(plan.every(entity).changes), now);
    }

    /// Plans what comes after a run that ended and knows what it did not bring: sooner than usual,
    /// and ever later, since a source may lack it for ever.
    pub(super) fn after_shortfall(&mut self, plan: &Plan, entity: Entity, task: Task, now: Time) {
        let wait = doubled(self.shortfalls).min(plan.every(entity).changes);
        self.shortfalls = self.shortfalls.saturating_add(1);
        self.done(task, jittered(wait), now);
    }

    fn done(&mut self, task: Task, wait: Duration, now: Time) {
        self.failures = 0;
        self.trouble = None;
        match task {
            Task::Recent(_) => self.times.window_at = Some(now),
            Task::Since(_) => {}
            Task::CatchUp | Task::Full | Task::Changes => self.plan(now, wait, Duration::ZERO),
        }
    }

    fn plan(&mut self, at: Time, wait: Duration, least: Duration) {
        self.times.next_run_at = Some(later(at, wait));
        self.planned = Some(Planned { at, wait, least });
    }

    /// The longest wait that a plan of these settings comes to.
    fn longest(plan: &Plan, entity: Entity) -> Duration {
        plan.every(entity).changes.mul_f64(1.1)
    }

    /// Moments that were written while a clock was ahead are no reason to wait: a wait is never
    /// longer from now than it was planned.
    pub(super) fn bound(&mut self, plan: &Plan, entity: Entity, now: Time) {
        if let Some(planned) = &mut self.planned {
            planned.at = planned.at.min(now);
        }
        let wait = self.planned.map_or_else(
            || FeedSchedule::longest(plan, entity),
            |planned| planned.wait,
        );
        self.times.next_run_at = self.times.next_run_at.map(|at| at.min(later(now, wait)));
        self.times.window_at = self.times.window_at.filter(|at| *at <= now);
        self.passed_at = self.passed_at.map(|at| at.min(now));
    }

    /// Another plan is in force: what it would do sooner is done sooner, from the end of the last
    /// run on.
    pub(super) fn replan(&mut self, plan: &Plan, entity: Entity, now: Time) {
        let Some(next) = self.times.next_run_at else {
            return;
        };
        let planned = self.planned.unwrap_or(Planned {
            at: now,
            wait: FeedSchedule::longest(plan, entity),
            least: Duration::ZERO,
        });
        let wait = planned
            .wait
            .min(jittered(plan.every(entity).changes))
            .max(planned.least);
        if later(planned.at.min(now), wait) < next {
            self.plan(planned.at.min(now), wait, planned.least);
        }
    }

    /// Plans what comes after a failure: sooner than usual, ever later, and not before the source
    /// said.
    pub(super) fn after_failure(
        &mut self,
        plan: &Plan,
        entity: Entity,
        not_before: Option<Duration>,
        now: Time,
    ) {
        let doubled = doubled(self.failures);
        self.failures = self.failures.saturating_add(1);
        let least = not_before.unwrap_or_default();
        let usual = plan.every(entity).changes.min(LONGEST_RETRY);
        self.plan(now, jittered(doubled.min(usual)).max(least), least);
    }

    /// Forgets failures: a person mended something, so it is tried at once.
    pub(in crate::actors) fn at_once(&mut self) {
        self.failures = 0;
        self.times.next_run_at = None;
        self.planned = None;
    }

    /// Spreads what is overdue at a start: by the organization's own place, over a span that grows
    /// with their number.
    pub(in crate::actors) fn spread(
        &mut self,
        plan: &Plan,
        classy_id: i64,
        entity: Entity,
        organizations: usize,
        now: Time,
    ) {
        let span = plan
            .spread
            .saturating_mul(u32::try_from(organizations).unwrap_or(u32::MAX))
            .min(plan.every(entity).changes);
        let first = later(now, spread((classy_id, entity.as_str()), span));
        self.times.next_run_at = Some(self.times.next_run_at.map_or(first, |at| at.max(first)));
    }
}

/// The wait after so many failures before this one.
fn doubled(before: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1_u32.checked_shl(before.min(31)).unwrap_or(u32::MAX))
}

fn later(at: Time, wait: Duration) -> Time {
    chrono::TimeDelta::from_std(wait)
        .ok()
        .and_then(|wait| at.checked_add_signed(wait))
        .unwrap_or(Time::MAX_UTC)
}

#[cfg(test)]
mod tests;
