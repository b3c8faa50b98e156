//! When a feed is due, tried on a clock of our own: after success, failure and shortfall, with
//! clocks that jump and plans that change.

use super::*;
use crate::actors::Every;

fn at(minutes: i64) -> Time {
    Time::from_timestamp(1_700_000_000 + 60 * minutes, 0).unwrap()
}

fn known(next: i64, reconciled: Option<i64>) -> FeedSchedule {
    FeedSchedule {
        times: FeedTimes {
            next_run_at: Some(at(next)),
            window_at: Some(at(0)),
        },
        first_pass_at: Some(at(0)),
        reconciled_at: reconciled.map(at),
        ..FeedSchedule::default()
    }
}

#[test]
fn changes_then_a_reconcile_and_the_window_of_transactions_each_in_its_time() {
    let plan = Plan::default();
    let day = 24 * 60;
    assert_eq!(
        FeedSchedule::default().due(&plan, Entity::Supporters, at(5)),
        (at(5), Task::CatchUp),
        "never read: now"
    );
    assert_eq!(
        known(15, None).due(&plan, Entity::Supporters, at(5)),
        (at(15), Task::CatchUp)
    );
    assert_eq!(
        known(day + 3, Some(0))
            .due(&plan, Entity::Supporters, at(day - 1))
            .1,
        Task::Full,
        "due before the next look"
    );
    assert_eq!(
        known(day + 3, Some(day)).due(&plan, Entity::Supporters, at(day + 1)),
        (at(day + 3), Task::CatchUp)
    );
    let (_, task) = known(day + 3, Some(day)).due(&plan, Entity::Transactions, at(day + 1));
    assert_eq!(task, Task::Recent(at(day + 1) - plan.window));
    let begun = FeedSchedule {
        passing: true,
        ..known(day + 9, Some(0))
    };
    assert_eq!(
        begun.due(&plan, Entity::Supporters, at(day)),
        (at(day), Task::CatchUp),
        "a pass that was begun goes on"
    );
    let late = FeedSchedule {
        failures: 1,
        ..known(day + 9, Some(0))
    };
    let outdated = FeedSchedule {
        is_outdated: true,
        ..known(day + 3, Some(day))
    };
    assert_eq!(
        outdated.due(&plan, Entity::Supporters, at(day + 1)),
        (at(day + 1), Task::Full),
        "more is stored of a record: at once"
    );
    assert_eq!(
        late.due(&plan, Entity::Transactions, at(2 * day)),
        (at(day + 9), Task::CatchUp),
        "a feed that fails only catches up"
    );
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
        assert!(
            (about * 94 / 100..=about * 106 / 100).contains(wait),
            "{waits:?}"
        );
    }
    feed.after_failure(
        &plan,
        Entity::Supporters,
        Some(Duration::from_secs(3_000)),
        at(0),
    );
    assert_eq!(feed.times.next_run_at, Some(at(50)));
    feed.after_success(&plan, Entity::Supporters, Task::CatchUp, at(0));
    let wait = (feed.times.next_run_at.unwrap() - at(0)).num_seconds();
    assert!((855..=945).contains(&wait) && feed.failures == 0, "{wait}");
}

#[test]
fn after_runs_that_left_something_out_the_next_is_due_soon_and_ever_later_up_to_its_own_pace() {
    let plan = Plan::default();
    let mut feed = known(0, None);
    let mut waits = Vec::new();
    for _ in 0..7 {
        feed.after_shortfall(&plan, Entity::Supporters, Task::CatchUp, at(0));
        waits.push((feed.times.next_run_at.unwrap() - at(0)).num_seconds());
    }
    for (wait, about) in waits.iter().zip([30, 60, 120, 240, 480, 900, 900]) {
        assert!(
            (about * 94 / 100..=about * 106 / 100).contains(wait),
            "{waits:?}"
        );
    }
    feed.after_success(&plan, Entity::Supporters, Task::CatchUp, at(0));
    feed.after_shortfall(&plan, Entity::Supporters, Task::CatchUp, at(0));
    assert!(
        (feed.times.next_run_at.unwrap() - at(0)).num_seconds() <= 32,
        "from the beginning"
    );
}

#[test]
fn what_a_clock_that_was_ahead_wrote_is_waited_for_no_longer_than_an_interval() {
    let plan = Plan::default();
    let year = 365 * 24 * 60;
    let mut feed = known(year, Some(year));
    feed.times.window_at = Some(at(year));
    feed.bound(&plan, Entity::Transactions, at(0));
    assert!(feed.times.next_run_at.unwrap() <= at(17));
    assert_eq!(
        feed.due(&plan, Entity::Transactions, at(0)),
        (at(0), Task::Full),
        "nobody knows when the last pass was"
    );
    // After it: by our clock, whatever the source's says.
    let pass = |minutes| FeedState {
        first_pass_at: Some(at(0)),
        schema_version: Entity::Transactions.schema_version(),
        reconciled: Some(crate::domain::Reconciled {
            at: at(minutes),
            missing: 0,
            stale: 0,
            restored: 0,
            absent: 0,
        }),
        ..FeedState::default()
    };
    feed.learn(&pass(2 * year), Entity::Transactions, at(1));
    feed.after_success(&plan, Entity::Transactions, Task::Full, at(1));
    assert_eq!(
        feed.due(&plan, Entity::Transactions, at(1)).1,
        Task::CatchUp
    );
    // Our own clock set back by a year while it runs.
    feed.bound(&plan, Entity::Transactions, at(-year));
    assert!(feed.times.next_run_at.unwrap() <= at(17 - year));
    let day = 24 * 60;
    assert_eq!(
        feed.due(&plan, Entity::Transactions, at(day - year)).1,
        Task::Full,
        "a day later the next pass is due"
    );
}

#[test]
fn a_shorter_interval_counts_from_the_last_run_and_what_the_source_demanded_stands() {
    let (plan, quick) = (
        Plan::default(),
        Plan {
            every: [Every {
                changes: Duration::from_secs(60),
                reconcile: Duration::MAX,
            }; Entity::COUNT],
            ..Plan::default()
        },
    );
    let mut feed = known(0, None);
    feed.after_success(&plan, Entity::Supporters, Task::CatchUp, at(0));
    feed.replan(&quick, Entity::Supporters, at(10));
    assert!(
        feed.times.next_run_at.unwrap() < at(2),
        "a minute after the last one, which has passed"
    );
    feed.after_success(&quick, Entity::Supporters, Task::CatchUp, at(11));
    feed.replan(&plan, Entity::Supporters, at(11));
    assert!(
        feed.times.next_run_at.unwrap() < at(13),
        "a longer one begins with the next run"
    );
    feed.after_failure(
        &plan,
        Entity::Supporters,
        Some(Duration::from_secs(3_000)),
        at(20),
    );
    feed.replan(&quick, Entity::Supporters, at(21));
    assert_eq!(feed.times.next_run_at, Some(at(70)));
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
    let late = (0..100)
        .filter(|id| place(*id, 10_000, 0) - at(100) > chrono::TimeDelta::seconds(60))
        .count();
    assert!(
        (50..90).contains(&late),
        "{late} of 100 begin after the first minute"
    );
    assert_eq!(place(1, 10_000, 500), at(500));
}
