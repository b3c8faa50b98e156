//! When a feed is due, and for what. Nothing here reads a clock.

use crate::actors::Plan;
use crate::domain::{Entity, FeedState, Time};
use crate::schedule::{jittered, spread};
use crate::store::FeedTimes;
use crate::sync::Task;
use std::time::Duration;

/// What a feed's plan depends on; kept by its organization over the lives of its actor.
#[derive(Debug, Clone, Default)]
pub(in crate::actors) struct Known {
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
    /// Failures in a row.
    pub(in crate::actors) failures: u32,
}

/// The first wait after a failure; it doubles up to the feed's own pace.
const FIRST_RETRY: Duration = Duration::from_secs(30);

impl Known {
    /// Takes over what a run found.
    pub(in crate::actors) fn learn(&mut self, state: &FeedState) {
        self.first_pass_at = state.first_pass_at;
        self.reconciled_at = state.reconciled.as_ref().map(|found| found.at);
        self.passing = state.pass.is_some();
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
        let Some(first_pass_at) = self.first_pass_at.filter(|_| self.failures == 0) else { return due };
        let reconcile = later(self.reconciled_at.unwrap_or(first_pass_at), every.reconcile);
        // A pass ends with a look for changes: at the same moment it goes first.
        if reconcile <= due.0.max(now) {
            due = (reconcile, Task::Full);
        }
        let window = later(self.times.window_at.unwrap_or(first_pass_at), plan.window_every);
        if entity == Entity::Transactions && window < due.0.min(now) {
            due = (window, Task::Recent(now - plan.window));
        }
        due
    }

    /// Plans what comes after a run that did its task.
    pub(super) fn after_success(&mut self, plan: &Plan, entity: Entity, task: Task, now: Time) {
        self.failures = 0;
        match task {
            Task::Recent(_) => self.times.window_at = Some(now),
            Task::Since(_) => {}
            Task::CatchUp | Task::Full | Task::Changes => self.times.next_run_at = Some(later(now, jittered(plan.every(entity).changes))),
        }
    }

    /// Plans what comes after a failure: sooner than usual, ever later, and not before the source said.
    pub(super) fn after_failure(&mut self, plan: &Plan, entity: Entity, not_before: Option<Duration>, now: Time) {
        let doubled = FIRST_RETRY.saturating_mul(1_u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let wait = jittered(doubled.min(plan.every(entity).changes)).max(not_before.unwrap_or_default());
        self.times.next_run_at = Some(later(now, wait));
    }

    /// Forgets failures: a person mended something, so it is tried at once.
    pub(in crate::actors) fn at_once(&mut self) {
        self.failures = 0;
        self.times.next_run_at = None;
    }

    /// Spreads what is overdue at a start: by the organization's own place, over a span that grows with their number.
    pub(in crate::actors) fn spread(&mut self, plan: &Plan, classy_id: i64, entity: Entity, organizations: usize, now: Time) {
        let span = plan.spread.saturating_mul(u32::try_from(organizations).unwrap_or(u32::MAX)).min(plan.every(entity).changes);
        let first = later(now, spread((classy_id, entity.as_str()), span));
        self.times.next_run_at = Some(self.times.next_run_at.map_or(first, |at| at.max(first)));
    }
}

fn later(at: Time, wait: Duration) -> Time {
    at + chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + 60 * minutes, 0).unwrap()
    }

    fn known(next: i64, reconciled: Option<i64>) -> Known {
        Known {
            times: FeedTimes { next_run_at: Some(at(next)), window_at: Some(at(0)) },
            first_pass_at: Some(at(0)),
            reconciled_at: reconciled.map(at),
            ..Known::default()
        }
    }

    #[test]
    fn changes_then_a_reconcile_and_the_window_of_transactions_each_in_its_time() {
        let plan = Plan::default();
        let day = 24 * 60;
        assert_eq!(Known::default().due(&plan, Entity::Supporters, at(5)), (at(5), Task::CatchUp), "never read: now");
        assert_eq!(known(15, None).due(&plan, Entity::Supporters, at(5)), (at(15), Task::CatchUp));
        assert_eq!(known(day + 3, Some(0)).due(&plan, Entity::Supporters, at(day - 1)).1, Task::Full, "due before the next look");
        assert_eq!(known(day + 3, Some(day)).due(&plan, Entity::Supporters, at(day + 1)), (at(day + 3), Task::CatchUp));
        let (_, task) = known(day + 3, Some(day)).due(&plan, Entity::Transactions, at(day + 1));
        assert_eq!(task, Task::Recent(at(day + 1) - plan.window));
        let begun = Known { passing: true, ..known(day + 9, Some(0)) };
        assert_eq!(begun.due(&plan, Entity::Supporters, at(day)), (at(day), Task::CatchUp), "a pass that was begun goes on");
        let late = Known { failures: 1, ..known(day + 9, Some(0)) };
        assert_eq!(late.due(&plan, Entity::Transactions, at(2 * day)), (at(day + 9), Task::CatchUp), "a feed that fails only catches up");
    }

    #[test]
    fn after_failures_it_is_tried_ever_later_up_to_its_own_pace_and_not_before_it_was_told() {
        let plan = Plan::default();
        let mut feed = known(0, None);
        let mut waits = Vec::new();
        for _ in 0..8 {
            feed.after_failure(&plan, Entity::Supporters, None, at(0));
            waits.push((feed.times.next_run_at.unwrap() - at(0)).num_seconds());
        }
        for (wait, about) in waits.iter().zip([30, 60, 120, 240, 480, 900, 900, 900]) {
            assert!((about * 94 / 100..=about * 106 / 100).contains(wait), "{waits:?}");
        }
        feed.after_failure(&plan, Entity::Supporters, Some(Duration::from_secs(3_000)), at(0));
        assert_eq!(feed.times.next_run_at, Some(at(50)));
        feed.after_success(&plan, Entity::Supporters, Task::CatchUp, at(0));
        let wait = (feed.times.next_run_at.unwrap() - at(0)).num_seconds();
        assert!((855..=945).contains(&wait) && feed.failures == 0, "{wait}");
    }

    #[test]
    fn what_is_overdue_at_a_start_is_spread_and_what_is_not_keeps_its_moment() {
        let plan = Plan::default();
        let place = |id: i64, organizations: usize, next: i64| {
            let mut feed = known(next, None);
            feed.spread(&plan, id, Entity::Supporters, organizations, at(100));
            feed.times.next_run_at.unwrap()
        };
        assert!(place(1, 1, 0) - at(100) < chrono::TimeDelta::milliseconds(21));
        let late = (0..100).filter(|id| place(*id, 10_000, 0) - at(100) > chrono::TimeDelta::seconds(60)).count();
        assert!((50..90).contains(&late), "{late} of 100 begin after the first minute");
        assert_eq!(place(1, 10_000, 500), at(500));
    }
}
