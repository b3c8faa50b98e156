//! What is said of ten thousand organizations: as much as of a few hundred.

use super::fleet::{Fleet, Which, list_page, summary};
use super::pages::organizations as home;
use super::{metrics, probes, teller};
use crate::classy::Heard;
use crate::clock;
use crate::domain::CheckResult;
use crate::entities::Entity;
use crate::health::{
    Facts, FeedFacts, FeedState, Finding, HealthReport, OrganizationFacts, PluginFacts, Standing,
};
use crate::status::Board;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const COUNT: i64 = 10_000;
/// What an answer may be large: it grows with the kinds of record, not with the organizations.
const LARGEST: usize = 75_000 * Entity::COUNT;

fn organization(classy_id: i64) -> OrganizationFacts {
    let feed = |entity| FeedFacts {
        entity,
        state: FeedState::Idle,
        interval: Duration::from_secs(900),
        fresh_at: clock::now(),
        is_loaded: true,
        error: None,
        lacks: None,
        failures: 2,
        trouble: None,
        heard: Heard::default(),
        was_seen: true,
        slow: None,
    };
    let plugin = PluginFacts {
        plugin: "mailchimp".to_owned(),
        behind: 7,
        moved_at: Some(clock::now()),
        error: None,
        was_seen: true,
        trouble: None,
        silent: None,
        holds: crate::domain::Harms::default(),
        suspended: None,
        lacks: Vec::new(),
    };
    OrganizationFacts {
        classy_id,
        name: format!("Friends of the {classy_id}th River"),
        standing: Standing::Served,
        feeds: Entity::ALL.map(feed).into(),
        access: None,
        rejects: (3, 0, 0),
        plugins: vec![plugin],
    }
}

/// Every organization has ten checks, and of every tenth half of them are bad.
fn health(count: i64) -> HealthReport {
    let finding = |id: i64, check: usize| {
        let reason = "supporters was not up to date for 45 min, and should look every 15 min; the last run failed: no answer";
        let result = if id % 10 == 0 && check < 5 {
            CheckResult::failing(reason)
        } else {
            CheckResult::well(reason)
        };
        Finding::of("freshness", id, format!("supporters-{check}"), result)
    };
    let facts = Facts::at_rest(clock::now(), (1..=count).map(organization).collect());
    let findings = (1..=count)
        .flat_map(|id| (0..10).map(move |check| finding(id, check)))
        .collect();
    HealthReport::new(facts, Duration::from_secs(5), findings, 1)
}

#[test]
fn what_is_said_of_ten_thousand_organizations_is_bounded_and_nobody_is_missing_from_the_pages() {
    let (board, health) = (Board::fleet(COUNT), health(COUNT));
    let whole = Fleet {
        board: &board,
        health: &health,
    };
    let made = |what: &str, make: &dyn Fn() -> Vec<u8>| {
        let begin = Instant::now();
        let body = make();
        println!("{what}: {} bytes in {:?}", body.len(), begin.elapsed());
        assert!(
            (100..LARGEST).contains(&body.len()),
            "{what}: {} bytes",
            body.len()
        );
        // Unoptimized, beside other tests.
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "{what}: {:?}",
            begin.elapsed()
        );
        body
    };
    let status: Value = serde_json::from_slice(&made("status", &|| {
        summary(&json!({ "version": "1" }), &whole)
    }))
    .unwrap();
    assert_eq!(status["organizations_total"], COUNT);
    let told = status["organizations"].as_array().unwrap();
    assert_eq!(
        status["organizations_more"],
        format!(
            "/api/v1/organizations?after={}",
            told.last().unwrap()["classy_id"]
        )
    );
    for largest in [
        Which {
            limit: Some(1_000_000),
            ..Which::default()
        },
        Which {
            page: Some(20),
            limit: Some(75),
            ..Which::default()
        },
    ] {
        made("a page of organizations", &|| {
            list_page(&whole, &largest).body.to_vec()
        });
    }
    let report: Value = serde_json::from_slice(&made("health", &|| {
        probes::report(&health).to_string().into_bytes()
    }))
    .unwrap();
    assert!(
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["verdict"] == "failing"),
        "the worst first"
    );
    assert_eq!(
        (&report["counts"]["failing"], &report["omitted"]),
        (&json!(5_000), &json!(99_000))
    );
    let text = made("metrics", &|| {
        metrics::of_fleet(&board, &health, &BTreeMap::new()).into_bytes()
    });
    let text = String::from_utf8(text).unwrap();
    for line in [
        "feed_loaded{feed=\"supporters\"} 10000",
        "organizations{verdict=\"failing\"} 1000",
        "rejects_open 30000",
        "feed_failures{feed=\"campaigns\"} 2",
    ] {
        assert!(
            text.contains(&format!("classy_sync_{line}\n")),
            "{line}: {text}"
        );
    }
    made("the home page", &|| {
        home::sections(&board, &health).into_string().into_bytes()
    });
    made("how everything stands", &|| {
        teller::standing(&whole).into_bytes()
    });

    // By the links, each organization once; by numbers the same.
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = list_page(
            &whole,
            &Which {
                after,
                limit: Some(75),
                ..Which::default()
            },
        );
        let list: Vec<Value> = serde_json::from_slice(&page.body).unwrap();
        seen.extend(list.iter().map(|one| one["classy_id"].as_i64().unwrap()));
        after = seen.last().copied();
        let Some(link) = page.link else { break };
        assert!(
            link.contains(&format!("after={}", after.unwrap())) && link.contains("rel=\"next\""),
            "{link}"
        );
    }
    assert_eq!(seen, (1..=COUNT).collect::<Vec<_>>());
    let ids = |page| -> Vec<i64> {
        let page = list_page(
            &whole,
            &Which {
                page: Some(page),
                limit: Some(3),
                ..Which::default()
            },
        );
        serde_json::from_slice::<Vec<Value>>(&page.body)
            .unwrap()
            .iter()
            .map(|one| one["classy_id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(
        (ids(0), ids(1), ids(2), ids(3_334), ids(usize::MAX)),
        (
            vec![1, 2, 3],
            vec![1, 2, 3],
            vec![4, 5, 6],
            vec![10_000],
            vec![]
        )
    );
}

#[test]
fn no_answer_grows_with_the_fleet() {
    let sizes = |count: i64| {
        let (board, health) = (Board::fleet(count), health(count));
        let whole = Fleet {
            board: &board,
            health: &health,
        };
        [
            ("status", summary(&json!({ "version": "1" }), &whole).len()),
            (
                "a page of organizations",
                list_page(
                    &whole,
                    &Which {
                        limit: Some(75),
                        ..Which::default()
                    },
                )
                .body
                .len(),
            ),
            ("health", probes::report(&health).to_string().len()),
            (
                "metrics",
                metrics::of_fleet(&board, &health, &BTreeMap::new()).len(),
            ),
            (
                "the home page",
                home::sections(&board, &health).into_string().len(),
            ),
            ("how everything stands", teller::standing(&whole).len()),
        ]
    };
    // Ten times as many are told in a tenth more at most: longer numbers.
    for ((what, few), (_, many)) in sizes(COUNT / 10).into_iter().zip(sizes(COUNT)) {
        assert!(
            many <= few + few / 10,
            "{what}: {few} bytes of {}, {many} of {COUNT}",
            COUNT / 10
        );
    }
}
