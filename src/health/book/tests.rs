//! Who is told what, and how often.

use super::*;
use crate::domain::CheckResult;

fn at(seconds: i64) -> Time {
    Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn finding(check: &'static str, id: Option<i64>, verdict: Health) -> Finding {
    Finding {
        classy_id: id,
        ..Finding::here(
            check,
            "",
            CheckResult {
                health: verdict,
                reason: format!("it is {verdict}"),
            },
        )
    }
}

/// Looks each five seconds and tells everybody at once; answers what was told, with its moment.
fn look(book: &mut Book, from: i64, looks: i64, findings: &[Finding]) -> Vec<(i64, Occasion)> {
    let mut told = Vec::new();
    for look in 0..looks {
        let now = at(from + 5 * look);
        book.evaluate(findings, now);
        for notice in book.due(Way::Webhook, now) {
            told.push((from + 5 * look, notice.occasion));
            book.notified(&notice, Some(Way::Webhook), now);
        }
    }
    told
}

#[test]
fn what_fails_is_told_at_once_and_its_end_after_two_good_looks() {
    let mut book = Book::new("here");
    let [bad, good] =
        [Health::Failing, Health::Ok].map(|verdict| [finding("database", None, verdict)]);
    assert_eq!(look(&mut book, 0, 4, &bad), [(0, Occasion::Opened)]);
    assert_eq!(look(&mut book, 20, 1, &good), []);
    assert_eq!(
        look(&mut book, 25, 1, &bad),
        [],
        "one good look between bad ones is no end and no new beginning"
    );
    assert_eq!(look(&mut book, 30, 5, &good), [(35, Occasion::Resolved)]);
    assert!(book.open().is_empty());
}

#[test]
fn what_is_degraded_for_one_look_only_wakes_nobody() {
    let mut book = Book::new("here");
    let [bad, worse, good] = [Health::Degraded, Health::Failing, Health::Ok]
        .map(|verdict| [finding("organization", Some(7), verdict)]);
    assert_eq!(look(&mut book, 0, 1, &bad), []);
    assert_eq!(look(&mut book, 5, 2, &good), []);
    assert_eq!(look(&mut book, 15, 3, &bad), [(20, Occasion::Opened)]);
    assert_eq!(look(&mut book, 30, 2, &worse), [(30, Occasion::Worse)]);
    assert_eq!(
        look(&mut book, 40, 2, &bad),
        [],
        "better, but not good: nothing new"
    );
    assert_eq!(
        look(&mut book, 50, 2, &worse),
        [],
        "and no news when it is back"
    );
}

#[test]
fn it_is_repeated_with_growing_gaps_until_a_person_knows() {
    let mut book = Book::new("here");
    let bad = [finding("organization", Some(7), Health::Failing)];
    let day = 24 * 720;
    let hours: Vec<i64> = look(&mut book, 0, 3 * day, &bad)
        .iter()
        .map(|(second, _)| second / 3_600)
        .collect();
    assert_eq!(hours, [0, 1, 5, 17, 41, 65]);
    book.entries
        .values_mut()
        .for_each(|entry| entry.row.acknowledged_at = Some(at(0)));
    assert_eq!(look(&mut book, 3 * 86_400, 2 * day, &bad), []);
    let good = [finding("organization", Some(7), Health::Ok)];
    assert_eq!(
        look(&mut book, 5 * 86_400, 3, &good).len(),
        1,
        "its end is told all the same"
    );
}

#[test]
fn what_the_absent_database_brings_with_it_is_not_told_one_by_one() {
    let mut book = Book::new("here");
    let mut away = vec![finding("database", None, Health::Failing)];
    away.extend((1..20).map(|id| finding("freshness", Some(id), Health::Failing)));
    assert_eq!(look(&mut book, 0, 12, &away), [(0, Occasion::Opened)]);
    away[0] = finding("database", None, Health::Ok);
    assert_eq!(look(&mut book, 60, 12, &away), [(65, Occasion::Resolved)]);
    let told = look(&mut book, 120, 30, &away);
    assert_eq!(
        told.len(),
        19,
        "what has not recovered minutes later is told: {told:?}"
    );
}

#[test]
fn a_notice_that_does_not_arrive_is_tried_again_ever_later_and_not_twice_at_once() {
    let mut book = Book::new("here");
    let bad = [finding("disk", None, Health::Failing)];
    let mut tries = Vec::new();
    for second in 0..400 {
        book.evaluate(&bad, at(second));
        for notice in book.due(Way::Webhook, at(second)) {
            assert!(
                book.due(Way::Webhook, at(second)).is_empty(),
                "it is under way"
            );
            tries.push(second);
            book.notified(&notice, (second >= 300).then_some(Way::Webhook), at(second));
        }
    }
    assert_eq!(tries, [0, 5, 15, 35, 75, 155, 315]);
    assert_eq!(book.open()[0].notices, 1);
}

#[test]
fn an_organization_that_moved_to_another_process_is_let_go_and_one_that_is_paused_is_over() {
    let mut book = Book::new("here");
    let standing = |id| finding("organization", Some(id), Health::Ok);
    let bad = |id| finding("freshness", Some(id), Health::Failing);
    look(&mut book, 0, 2, &[standing(1), bad(1), standing(2), bad(2)]);
    assert_eq!(book.open().len(), 2);
    let told = look(&mut book, 10, 3, &[standing(1)]);
    assert_eq!(
        told,
        [(15, Occasion::Resolved)],
        "the feeds of 1 are not looked at any more; 2 is somebody else's"
    );
    assert!(book.open().is_empty());
}

#[test]
fn nobody_is_told_by_the_log_alone_once_there_is_a_webhook() {
    let mut book = Book::new("here");
    let bad = [finding("disk", None, Health::Failing)];
    book.evaluate(&bad, at(0));
    let notice = book.due(Way::Log, at(0)).remove(0);
    book.notified(&notice, Some(Way::Log), at(0));
    assert_eq!(
        (
            book.due(Way::Log, at(5)),
            book.open()[0].notified_by.as_deref()
        ),
        (Vec::new(), Some("log"))
    );
    let notice = book.due(Way::Webhook, at(10)).remove(0);
    assert_eq!(notice.occasion, Occasion::Opened);
    book.notified(&notice, None, at(10));
    assert_eq!(
        book.open()[0].notified_by.as_deref(),
        Some("log"),
        "a notice that does not arrive tells nobody"
    );
    let notice = book.due(Way::Webhook, at(20)).remove(0);
    book.notified(&notice, Some(Way::Webhook), at(20));
    assert_eq!(
        (
            book.due(Way::Webhook, at(25)),
            book.open()[0].notified_by.as_deref()
        ),
        (Vec::new(), Some("webhook"))
    );
}

#[test]
fn a_clock_that_was_ahead_keeps_nobody_from_being_told() {
    let mut book = Book::new("here");
    let bad = [finding("organization", Some(7), Health::Failing)];
    assert_eq!(look(&mut book, 86_400, 1, &bad).len(), 1);
    // The clock is set back by a day: the next notice comes an hour from here.
    let told = look(&mut book, 0, 2 * 720, &bad);
    assert_eq!(told, [(3_600, Occasion::Still)]);
}
