//! A wait that the source asked for explains what is late.

use super::*;

#[test]
fn whoever_is_asked_to_wait_is_late_for_that_until_the_last_feed_was_read() {
    let wait = trouble(
        TroubleKind::Limited,
        "Classy asks to wait, and nothing is read meanwhile",
    );
    let mut one = well(1);
    for feed in &mut one.feeds {
        (feed.state, feed.fresh_at) = (FeedState::Running(0, None), at(-10));
        feed.heard.waits_for = Some(wait.clone());
    }
    one.access.as_mut().unwrap().waits_for = Some(Trouble {
        since: at(-5),
        ..wait.clone()
    });
    for feed in &mut one.feeds {
        feed.heard.waits_for = one.access.as_ref().unwrap().waits_for.clone();
    }
    assert!(
        told(&facts(vec![one.clone()])).is_empty(),
        "a wait that keeps nobody waiting is nothing to tell of"
    );
    for feed in &mut one.feeds {
        feed.fresh_at = at(-160);
        feed.heard.waits_for = Some(wait.clone());
    }
    one.access.as_mut().unwrap().waits_for = Some(wait.clone());
    let found = told(&facts(vec![one.clone()]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].3.starts_with("Classy asks to wait")
            && found[0].3.contains("not up to date for 3 min: "),
        "{found:?}"
    );
    // Something is answered again; one list still waits, and another one for its turn behind it.
    let access = one.access.as_mut().unwrap();
    access.waits_for = None;
    for feed in one.feeds.iter_mut().skip(2) {
        *feed = FeedFacts {
            entity: feed.entity,
            ..well(1).feeds[0].clone()
        };
    }
    (one.feeds[1].heard.waits_for, one.feeds[1].state) = (None, FeedState::Waiting);
    let found = told(&facts(vec![one]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.starts_with("source"), "{found:?}");
}

#[test]
fn a_limit_that_most_of_them_meet_at_once_is_told_once_and_that_of_one_by_itself() {
    let limited = trouble(
        TroubleKind::Limited,
        "Classy asks to wait, and nothing is read meanwhile",
    );
    let told_of = |those: i64, others: i64| {
        let those = (1..=those).map(|id| without(id, &limited));
        let all = those.chain((0..others).map(|id| well(100 + id)));
        told(&facts(all.collect()))
    };
    let keys = |found: &[(Option<i64>, String, Health, String)]| -> Vec<(Option<i64>, String)> {
        found
            .iter()
            .map(|(whose, key, ..)| (*whose, key.clone()))
            .collect()
    };
    assert_eq!(
        keys(&told_of(15, 3)),
        [(None, "source:api.test:1 limited".to_owned())]
    );
    let few: Vec<_> = (1..=2).map(|id| (Some(id), "source".to_owned())).collect();
    assert_eq!(keys(&told_of(2, 0)), few, "each has its own limit");
    assert_eq!(told_of(3, 5).len(), 3, "of few it is their own");
}
