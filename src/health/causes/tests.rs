//! What is told when one thing brings many with it.

mod waits;

use super::*;
use crate::classy::Heard;
use crate::domain::Time;
use crate::entities::Entity;
use crate::health::facts::Access;
use crate::health::{Book, Occasion, Way, checks, evaluate};
use std::time::Duration;

const NOW: i64 = 1_700_000_000;

fn at(seconds: i64) -> Time {
    Time::from_timestamp(NOW + seconds, 0).unwrap()
}

fn trouble(kind: TroubleKind, text: &str) -> Trouble {
    Trouble {
        kind,
        host: "api.test:1".to_owned(),
        text: text.to_owned(),
        since: at(-120),
    }
}

fn unavailable() -> Trouble {
    trouble(TroubleKind::Unavailable, "Classy answers 503")
}

/// One whose feeds were read a moment ago.
fn well(classy_id: i64) -> OrganizationFacts {
    let feed = |entity| FeedFacts {
        entity,
        state: FeedState::Idle,
        interval: Duration::from_secs(60),
        fresh_at: at(-5),
        is_loaded: true,
        error: None,
        failures: 0,
        trouble: None,
        heard: Heard::default(),
        was_seen: true,
        lacks: None,
        slow: None,
    };
    OrganizationFacts {
        classy_id,
        name: String::new(),
        standing: Standing::Served,
        feeds: Entity::ALL.map(feed).into(),
        access: Some(Access {
            host: "api.test:1".to_owned(),
            trouble: None,
            silent_for: None,
            waits_for: None,
            open_for: None,
            refused: false,
            token_for: None,
            ahead_ms: Some(0),
        }),
        rejects: (0, 0, 0),
        plugins: Vec::new(),
    }
}

/// One whose feeds all failed for this, the breaker's refusals among them, and were not read for
/// ten minutes.
fn without(classy_id: i64, trouble: &Trouble) -> OrganizationFacts {
    let mut one = well(classy_id);
    for (place, feed) in one.feeds.iter_mut().enumerate() {
        (feed.trouble, feed.failures, feed.fresh_at) = (Some(trouble.clone()), 2, at(-600));
        feed.error = Some(if place == 0 {
            trouble.text.clone()
        } else {
            format!("{trouble}; it is left alone for {place} s")
        });
    }
    let access = one.access.as_mut().unwrap();
    (access.trouble, access.open_for) = (Some(trouble.clone()), Some(Duration::from_secs(30)));
    one
}

fn facts(organizations: Vec<OrganizationFacts>) -> Facts {
    Facts {
        up: Duration::from_secs(3_600),
        ..Facts::at_rest(at(0), organizations)
    }
}

/// What would be told: whose, key, how bad, why.
fn told(facts: &Facts) -> Vec<(Option<i64>, String, Health, String)> {
    let found = evaluate(&checks(), facts);
    found
        .iter()
        .filter(|one| one.is_cause())
        .map(|one| {
            (
                one.classy_id,
                one.key(),
                one.verdict(),
                one.result.reason.clone(),
            )
        })
        .collect()
}

#[test]
fn an_organization_that_is_answered_503_has_one_cause_which_comes_first() {
    let facts = facts(vec![without(1, &unavailable()), well(2)]);
    let told = told(&facts);
    assert_eq!(told.len(), 1, "{told:?}");
    let (whose, key, health, reason) = &told[0];
    assert_eq!(
        (*whose, key.as_str(), *health),
        (Some(1), "source", Health::Failing)
    );
    assert!(
        reason.starts_with("Classy answers 503 for organization 1"),
        "{reason}"
    );
    assert!(
        reason.contains("left alone for 30 s")
            && reason.contains("not up to date for 10 min: supporters, "),
        "{reason}"
    );
    let found = evaluate(&checks(), &facts);
    let freshness = found
        .iter()
        .filter(|one| one.check == "freshness" && one.verdict() == Health::Failing);
    assert_eq!(
        freshness.count(),
        Entity::COUNT,
        "what follows is found all the same"
    );
}

#[test]
fn what_may_be_of_all_is_told_once_where_two_processes_serve_one_organization_each() {
    let away = |id| OrganizationFacts {
        standing: Standing::Elsewhere,
        access: None,
        ..well(id)
    };
    for (here, elsewhere) in [(1, 2), (2, 1)] {
        let told = told(&facts(vec![without(here, &unavailable()), away(elsewhere)]));
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].0, told[0].1.as_str()),
            (None, "source:api.test:1 unavailable"),
            "both name it alike"
        );
    }
    let told = told(&facts(vec![without(1, &unavailable()), well(3), away(2)]));
    assert_eq!(
        (told.len(), told[0].0),
        (1, Some(1)),
        "another one is answered: it is this organization's own"
    );
}

#[test]
fn a_dead_host_is_told_once_however_many_wait_for_it_and_each_of_them_knows() {
    let dead = trouble(
        TroubleKind::Unreachable,
        "nobody answers at api.test:1 (refused)",
    );
    let mut all: Vec<_> = (1..=15).map(|id| without(id, &dead)).collect();
    all.push(well(16));
    let facts = facts(all);
    let told = told(&facts);
    assert_eq!(told.len(), 1, "{told:?}");
    let (whose, key, health, reason) = &told[0];
    assert_eq!(
        (*whose, key.as_str(), *health),
        (None, "source:api.test:1 unreachable", Health::Failing)
    );
    assert!(reason.starts_with("nobody answers at api.test:1 (refused): 15 organizations wait (1, 2, 3, 4, 5 and 10 more)"), "{reason}");
    let found = evaluate(&checks(), &facts);
    let mine = found
        .iter()
        .filter(|one| one.classy_id == Some(7) && one.is_reason())
        .collect::<Vec<_>>();
    assert!(
        mine.len() == 1 && mine[0].check == SOURCE && mine[0].verdict() == Health::Failing,
        "{mine:?}"
    );
}

#[test]
fn other_causes_stay_apart() {
    let mut refused = well(2);
    refused.standing = Standing::Stopped("Classy refused the client id and secret".to_owned());
    let mut own = without(3, &unavailable());
    // One that failed for a reason of its own, and one that is silent though nothing runs.
    (own.feeds[0].trouble, own.feeds[0].error) = (None, Some("the list does not end".to_owned()));
    (own.feeds[1].trouble, own.feeds[1].error) = (None, None);
    let keys: Vec<_> = told(&facts(vec![well(1), refused, own]))
        .into_iter()
        .map(|(whose, key, ..)| (whose, key))
        .collect();
    let [first, second] =
        [Entity::ALL[0], Entity::ALL[1]].map(|entity| format!("freshness:{entity}"));
    let expected = [
        (Some(2), "organization".to_owned()),
        (Some(3), "source".to_owned()),
        (Some(3), first),
        (Some(3), second),
    ];
    assert_eq!(keys, expected);
    let mixed = facts(vec![
        without(1, &unavailable()),
        without(2, &trouble(TroubleKind::Nonsense, "nonsense")),
    ]);
    assert_eq!(
        told(&mixed).len(),
        2,
        "of one host, and not the same: {:?}",
        told(&mixed)
    );
}

#[test]
fn what_is_told_for_many_stays_so_until_the_last_one_is_served() {
    let mut facts = facts(vec![
        without(1, &unavailable()),
        without(2, &unavailable()),
        well(3),
    ]);
    let key = told(&facts)[0].1.clone();
    assert_eq!(
        (told(&facts).len(), key.as_str()),
        (1, "source:api.test:1 unavailable")
    );
    facts
        .told_once
        .insert(told_for_many(&format!("{key}@0a1b2c3d")).unwrap());
    facts.organizations[1] = well(2);
    assert_eq!(
        (told(&facts).len(), told(&facts)[0].1.as_str()),
        (1, key.as_str())
    );
    facts.organizations[0] = well(1);
    assert!(told(&facts).is_empty());
    assert_eq!(told_for_many("source"), None);
}

#[test]
fn somebody_who_waits_for_no_answer_is_told_of_by_the_host_and_not_feed_by_feed() {
    let mut one = well(1);
    for feed in &mut one.feeds {
        (feed.state, feed.fresh_at) = (FeedState::Running(0, None), at(-160));
    }
    one.access.as_mut().unwrap().silent_for = Some(Duration::from_secs(40));
    let told = told(&facts(vec![one]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].3.starts_with(
            "no answer from api.test:1 for 40 s: organization 1 waits; not up to date for 3 min: "
        ),
        "{told:?}"
    );
}

#[test]
fn a_failure_that_passes_is_no_trouble_and_one_that_is_over_is_told_until_all_were_read() {
    let mut one = well(1);
    one.access.as_mut().unwrap().trouble = Some(Trouble {
        since: at(-5),
        ..unavailable()
    });
    assert!(told(&facts(vec![one])).is_empty());
    let mut mended = without(1, &unavailable());
    let access = mended.access.as_mut().unwrap();
    (access.trouble, access.open_for) = (None, None);
    mended.feeds[0] = well(1).feeds[0].clone();
    let told = told(&facts(vec![mended]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .3
            .contains("all else is answered, and these are asked for again: campaigns, "),
        "{told:?}"
    );
}

/// Looks each five seconds; answers who was told what.
fn live(
    book: &mut Book,
    from: i64,
    looks: i64,
    facts: &Facts,
) -> Vec<(Option<i64>, String, Occasion)> {
    let mut heard = Vec::new();
    for look_at in (0..looks).map(|look| at(from + 5 * look)) {
        book.evaluate(&evaluate(&checks(), facts), look_at);
        for notice in book.due(Way::Webhook, look_at) {
            heard.push((
                notice.alert.classy_id,
                notice.alert.key.split('@').next().unwrap().to_owned(),
                notice.occasion,
            ));
            book.notified(&notice, Some(Way::Webhook), look_at);
        }
    }
    heard
}

#[test]
fn a_cause_that_becomes_another_leaves_one_alert_and_one_that_ends_is_told_once() {
    let mut book = Book::new("here");
    let mut all = facts(vec![without(1, &unavailable()), well(2)]);
    assert_eq!(
        live(&mut book, 0, 3, &all),
        [(Some(1), "source".to_owned(), Occasion::Opened)]
    );
    all.organizations[0].standing =
        Standing::Stopped("Classy refused the client id and secret".to_owned());
    assert_eq!(
        live(&mut book, 15, 5, &all),
        [(Some(1), "organization".to_owned(), Occasion::Opened)]
    );
    assert_eq!(book.open().len(), 1);
    all.organizations[0] = well(1);
    assert_eq!(
        live(&mut book, 40, 5, &all),
        [(Some(1), "organization".to_owned(), Occasion::Resolved)]
    );
    // One becomes many.
    all.organizations[0] = without(1, &unavailable());
    assert_eq!(live(&mut book, 70, 2, &all).len(), 1);
    all.organizations[1] = without(2, &unavailable());
    let heard = live(&mut book, 80, 3, &all);
    assert_eq!(
        heard,
        [(
            None,
            "source:api.test:1 unavailable".to_owned(),
            Occasion::Opened
        )]
    );
    assert_eq!(book.open().len(), 1, "{:?}", book.open());
    all.organizations = vec![well(1), well(2)];
    assert_eq!(
        live(&mut book, 95, 5, &all),
        [(
            None,
            "source:api.test:1 unavailable".to_owned(),
            Occasion::Resolved
        )]
    );
}

#[test]
fn nothing_is_over_in_a_process_that_has_seen_nothing_yet() {
    for many in [false, true] {
        let mut book = Book::new("here");
        let mut all = facts(vec![
            without(1, &unavailable()),
            if many {
                without(2, &unavailable())
            } else {
                well(2)
            },
        ]);
        assert_eq!(live(&mut book, 0, 3, &all).len(), 1);
        // As after a restart: the book was read from the table, and nobody was asked yet.
        let unseen = |id| {
            let mut one = well(id);
            one.feeds.iter_mut().for_each(|feed| feed.was_seen = false);
            one.access.as_mut().unwrap().ahead_ms = None;
            one
        };
        let bad = std::mem::take(&mut all.organizations);
        all.up = Duration::from_secs(5);
        if many {
            // Not even who there is. (Those of one organization are read from the table when it is
            // known.)
            assert_eq!(live(&mut book, 15, 5, &all), []);
        }
        all.organizations = vec![unseen(1), unseen(2)];
        all.up = Duration::from_secs(120);
        assert_eq!(live(&mut book, 40, 5, &all), [], "many: {many}");
        all.organizations = bad;
        assert_eq!(live(&mut book, 65, 5, &all), [], "it is the same alert");
        all.organizations = vec![well(1), well(2)];
        assert_eq!(live(&mut book, 90, 5, &all).len(), 1, "its end is told");
        assert!(book.open().is_empty());
    }
}
