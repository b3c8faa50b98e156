//! The limits of the guard, tried at and beyond each of them.

use super::super::budget::Said;
use super::*;
use crate::domain::GuardedChange;

const HARD: [Harm; 4] = [Harm::Unsubscribe, Harm::Untag, Harm::Rename, Harm::Undo];

/// A change of one contact.
fn change(kind: Harm, mark: i64) -> GuardedChange {
    GuardedChange {
        kind,
        mark,
        contacts: 1,
    }
}

fn harms(kind: Harm, count: u64) -> Harms {
    let mut harms = Harms::default();
    harms.add(kind, count);
    harms
}

fn goes(
    guard: &GuardSettings,
    kind: Harm,
    count: u64,
    audience: u64,
    lately: &HarmTotals,
    push: Push,
) -> u64 {
    let sight = Sight {
        audience,
        pending: &harms(kind, count),
        lately,
        push,
    };
    let budget = guard.budget(&sight, BTreeMap::new());
    (0..count)
        .filter(|id| budget.ask(*id as i64, change(kind, 1)) == Said::Go)
        .count() as u64
}

fn later(kind: Harm, count: u64, audience: u64, lately: HarmTotals) -> u64 {
    goes(
        &GuardSettings::default(),
        kind,
        count,
        audience,
        &lately,
        Push::Later,
    )
}

#[test]
fn up_to_the_limit_everything_goes_and_beyond_it_nothing() {
    for kind in HARD {
        for (audience, limit) in [
            (0, 5),
            (10, 5),
            (47, 5),
            (50, 5),
            (168, 16),
            (500, 50),
            (501, 50),
            (1_000, 50),
            (2_500, 50),
            (10_000, 200),
        ] {
            assert_eq!(
                later(kind, limit, audience, HarmTotals::default()),
                limit,
                "{kind} {audience}"
            );
            assert_eq!(
                later(kind, limit + 1, audience, HarmTotals::default()),
                0,
                "{kind} {audience}"
            );
        }
    }
}

#[test]
fn what_was_done_in_the_last_day_and_month_counts() {
    let day = HarmTotals {
        day: harms(Harm::Untag, 40),
        month: harms(Harm::Untag, 40),
        ..HarmTotals::default()
    };
    assert_eq!(
        (
            later(Harm::Untag, 10, 1_000, day),
            later(Harm::Untag, 11, 1_000, day)
        ),
        (10, 0)
    );
    assert_eq!(
        later(Harm::Rename, 50, 1_000, day),
        50,
        "each kind by itself"
    );
    let month = HarmTotals {
        month: harms(Harm::Untag, 90),
        ..HarmTotals::default()
    };
    assert_eq!(
        (
            later(Harm::Untag, 10, 1_000, month),
            later(Harm::Untag, 11, 1_000, month)
        ),
        (10, 0)
    );
}

#[test]
fn slices_come_to_an_end() {
    // As much as goes each day, for as long as anything does.
    for start in [20_u64, 168, 500, 1_000, 4_000, 30_000] {
        let (mut audience, mut month) = (start, 0);
        for _ in 0..30 {
            let limit = GuardSettings::default().day(audience);
            let lately = HarmTotals {
                month: harms(Harm::Unsubscribe, month),
                ..HarmTotals::default()
            };
            let best = (0..=limit)
                .rev()
                .find(|count| later(Harm::Unsubscribe, *count, audience, lately) == *count)
                .unwrap_or_default();
            (audience, month) = (audience - best, month + best);
        }
        assert!(month <= (start / 10).max(5), "{month} of {start}");
    }
}

#[test]
fn a_first_push_is_held_whole_unless_it_is_to_be_sent() {
    let (guard, none) = (GuardSettings::default(), HarmTotals::default());
    for kind in [Harm::Add, Harm::Confirm, Harm::Change] {
        for is_allowed in [false, true] {
            assert_eq!(
                goes(&guard, kind, 1, 1_000, &none, Push::Asks { is_allowed }),
                0,
                "{kind}: nobody named them"
            );
        }
        assert_eq!(
            goes(&guard, kind, 5_000, 0, &none, Push::Open),
            5_000,
            "{kind}"
        );
    }
    // Consent first.
    assert_eq!(
        goes(
            &guard,
            Harm::Unsubscribe,
            5,
            1_000,
            &none,
            Push::Asks { is_allowed: false }
        ),
        5
    );
}

#[test]
fn a_first_push_is_asked_for_as_configured_and_into_another_place_always() {
    let (ask, send) = (
        GuardSettings::default(),
        GuardSettings {
            first_push: FirstPush::Send,
            ..GuardSettings::default()
        },
    );
    let now = crate::clock::now();
    let new = GuardState::default();
    let moved = GuardState {
        was_elsewhere: true,
        ..GuardState::default()
    };
    let made = GuardState {
        first_push_at: Some(now),
        ..moved.clone()
    };
    assert_eq!(
        [&new, &moved, &made].map(|state| ask.push(state, now).asks()),
        [true, true, false]
    );
    assert_eq!(
        [&new, &moved, &made].map(|state| send.push(state, now)),
        [Push::Open, Push::Asks { is_allowed: false }, Push::Later]
    );
}

#[test]
fn whoever_was_allowed_as_somebody_else_waits_to_be_asked_again() {
    let (pending, lately) = (harms(Harm::Add, 2), HarmTotals::default());
    let sight = Sight {
        audience: 100,
        pending: &pending,
        lately: &lately,
        push: Push::Later,
    };
    let budget = GuardSettings::default().budget(
        &sight,
        BTreeMap::from([((1, Harm::Add), 7), ((2, Harm::Add), 7)]),
    );
    let ask = |id: i64, kind: Harm, mark: i64| budget.ask(id, change(kind, mark));
    assert_eq!(ask(1, Harm::Add, 8), Said::Hold, "under another address");
    assert_eq!(
        ask(2, Harm::Confirm, 7),
        Said::Hold,
        "with a mail that nobody was told of"
    );
    assert_eq!(
        ask(3, Harm::Add, 8),
        Said::Go,
        "nobody was asked about them"
    );
}

#[test]
fn later_additions_are_held_above_share_and_number() {
    for (audience, limit) in [(0, 100), (499, 100), (1_000, 200)] {
        assert_eq!(
            (
                later(Harm::Add, limit, audience, HarmTotals::default()),
                later(Harm::Confirm, limit + 1, audience, HarmTotals::default())
            ),
            (limit, 0)
        );
    }
    // Whoever came in by mail and whoever did not are one crowd.
    let lately = HarmTotals {
        day: harms(Harm::Confirm, 60),
        ..HarmTotals::default()
    };
    assert_eq!(
        (
            later(Harm::Add, 40, 0, lately),
            later(Harm::Add, 41, 0, lately)
        ),
        (40, 0)
    );
}

#[test]
fn portions_bound_even_what_was_allowed() {
    let guard = GuardSettings {
        daily_additions: 30,
        ..GuardSettings::default()
    };
    let lately = HarmTotals {
        additions: 10,
        ..HarmTotals::default()
    };
    let sight = Sight {
        audience: 1_000,
        pending: &Harms::default(),
        lately: &lately,
        push: Push::Asks { is_allowed: true },
    };
    let grants = (0..50).map(|id| ((id, Harm::Add), 7)).collect();
    let budget = guard.budget(&sight, grants);
    let said: Vec<Said> = (0..51)
        .map(|id| budget.ask(id, change(Harm::Add, 7)))
        .collect();
    assert_eq!(said.iter().filter(|said| **said == Said::Go).count(), 20);
    assert_eq!(
        (said[20], said[49], said[50]),
        (Said::Later, Said::Later, Said::Hold)
    );
}

#[test]
fn a_grant_is_for_one_person_one_kind_one_deed_and_once() {
    let lately = HarmTotals::default();
    let sight = Sight {
        audience: 100,
        pending: &harms(Harm::Untag, 90),
        lately: &lately,
        push: Push::Later,
    };
    let budget = GuardSettings::default().budget(&sight, BTreeMap::from([((1, Harm::Untag), 7)]));
    let ask = |id: i64, kind: Harm, mark: i64| budget.ask(id, change(kind, mark));
    assert_eq!(ask(2, Harm::Untag, 7), Said::Hold);
    assert_eq!(ask(1, Harm::Untag, 8), Said::Hold);
    assert_eq!(ask(1, Harm::Untag, 7), Said::Go);
    let taken = budget.settle(&[1].into(), crate::clock::now());
    assert_eq!(
        (taken.grants, taken.harms.len()),
        (vec![(1, Harm::Untag)], 1)
    );
    assert_eq!(ask(1, Harm::Untag, 7), Said::Hold, "it is used up");
}

#[test]
fn more_harm_than_was_planned_is_held_when_it_comes() {
    let (pending, lately) = (Harms::default(), HarmTotals::default());
    let budget = GuardSettings::default().budget(
        &Sight {
            audience: 1_000,
            pending: &pending,
            lately: &lately,
            push: Push::Later,
        },
        BTreeMap::new(),
    );
    assert_eq!(
        (0..80)
            .filter(|id| budget.ask(*id, change(Harm::Rename, 0)) == Said::Go)
            .count(),
        50
    );
}
