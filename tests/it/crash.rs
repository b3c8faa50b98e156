//! `kill -9` at any moment, then again: exact, and it did not start over.

use crate::backend::{Kind as Backend, kinds};
use crate::site::{Site, world};
use classy_sync::simulator::{Kind, Options};
use rand::RngExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_first_load_it_goes_on_where_it_was() {
    for kind in kinds() {
        // Slow enough that the kill falls into the middle: 50 pages of supporters, 2 ms each at the
        // least.
        let site = Site::new(
            kind,
            Options {
                latency: Duration::from_millis(20),
                ..world(5_000, 30)
            },
        )
        .await;
        let mut child = site.start(&["sync", "--entity", "supporters"]);
        // Wait for something stored, by asking the database and not the clock.
        let stored = loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if let Some(count) = site.count("supporters").await.filter(|count| *count > 0) {
                break count;
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before it could be killed"
            );
        };
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(stored < 5_000);
        site.simulator.ledger().clear();
        site.json(&["sync", "--entity", "supporters"], 0);
        let begins = |entry: &&classy_sync::simulator::Entry| {
            entry.query.contains(&("page".into(), "1".into()))
                && entry.query.contains(&("sort".into(), "id:asc".into()))
        };
        let again = site
            .simulator
            .ledger()
            .requests
            .iter()
            .filter(begins)
            .count();
        assert_eq!(again, 0, "it did not start over");
        crate::truth::assert_list(
            &site.simulator,
            &site.database,
            crate::site::ORGANIZATION,
            Kind::Supporters,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_at_random_moments_it_is_exact_in_the_end() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
    let site = Site::new(
        Backend::Sqlite,
        Options {
            latency: Duration::from_millis(4),
            ..world(1_500, 31)
        },
    )
    .await;
    for round in 0..12 {
        let mut child = site.start(&["sync"]);
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        site.simulator
            .world()
            .live(crate::site::ORGANIZATION, round);
    }
    site.sync();
    site.assert_exact().await;
    let check = site.json(&["db", "check"], 0);
    assert!(
        check
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["violations"] == 0),
        "seed {seed}: {check}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_ends_at_a_page_boundary_and_goes_on_later() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            latency: Duration::from_millis(20),
            ..world(4_000, 32)
        },
    )
    .await;
    let mut child = site.start(&["sync", "--entity", "supporters"]);
    while site
        .count("supporters")
        .await
        .is_none_or(|count| count == 0)
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        tokio::task::block_in_place(|| child.wait().unwrap()).code(),
        Some(3)
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM sync_runs WHERE outcome = 'stopped'")
            .await,
        1
    );
    site.json(&["sync", "--entity", "supporters"], 0);
    crate::truth::assert_list(
        &site.simulator,
        &site.database,
        crate::site::ORGANIZATION,
        Kind::Supporters,
    )
    .await;
}
