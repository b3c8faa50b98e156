//! Exact: after a sync the database holds what the source holds, whatever happened before and
//! meanwhile.

use crate::backend::kinds;
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Fault, Kind, Options};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_and_everything_after_it_is_exact() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 1)).await;
        site.sync();
        site.assert_exact().await;
        for round in 0..4 {
            site.simulator.world().live(ORGANIZATION, 60 + round * 40);
            site.sync();
            site.assert_exact().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_changed_it_asks_once_for_each_feed_and_writes_no_row() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 2)).await;
        site.sync();
        // A bulk update inside the overlap must not cost its pages each time, once its seconds were
        // at rest when they were read.
        site.simulator.world().live(ORGANIZATION, 900);
        site.simulator.world().clock_offset += 75;
        site.sync();
        let change = "SELECT change_seq AS n FROM organizations";
        let before = site.number(change).await;
        site.simulator.ledger().clear();
        let report = site.sync();
        let ledger = site.simulator.ledger().clone();
        let (data, token) = (ledger.data_requests, ledger.token_requests);
        assert!(
            data <= Entity::COUNT as u64 && token <= 1,
            "{data} + {token} requests"
        );
        for entity in Entity::ALL {
            let feed = feed(&report, entity.as_str());
            assert_eq!(
                (feed["inserted"].as_u64(), feed["updated"].as_u64()),
                (Some(0), Some(0)),
                "{entity}"
            );
        }
        assert_eq!(site.number(change).await, before);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_change_while_they_are_read_are_not_lost() {
    for kind in kinds() {
        for seed in 0..3 {
            let faults = vec![Fault::Drift, Fault::LateVisibility, Fault::Ties];
            let site = Site::new(
                kind,
                Options {
                    faults,
                    ..world(250, 10 + seed)
                },
            )
            .await;
            site.sync();
            site.sync();
            site.simulator.world().faults.clear();
            // Whoever was hidden for a few seconds shows himself.
            site.simulator.world().clock_offset += 10;
            site.sync();
            site.assert_exact().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_records_in_one_second_arrive_and_so_do_their_changes() {
    for kind in kinds() {
        let site = Site::new(
            kind,
            Options {
                faults: vec![Fault::Ties],
                ..world(500, 3)
            },
        )
        .await;
        site.sync();
        {
            let mut world = site.simulator.world();
            let ids: Vec<i64> = world
                .list(ORGANIZATION, Kind::Supporters)
                .unwrap()
                .iter()
                .map(|record| record.id)
                .take(260)
                .collect();
            let second = world.now();
            for id in ids {
                world.edit(
                    ORGANIZATION,
                    Kind::Supporters,
                    id,
                    &[("city", "\"One Second\"".to_owned())],
                    false,
                );
                world
                    .list(ORGANIZATION, Kind::Supporters)
                    .unwrap()
                    .get_mut(id)
                    .unwrap()
                    .updated_at = Some(second);
            }
        }
        let report = site.sync();
        assert_eq!(feed(&report, "supporters")["updated"], 260);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_no_time_of_change_is_found_by_a_full_pass_and_counted() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 4)).await;
        site.sync();
        let ids: Vec<i64> = site
            .simulator
            .world()
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .iter()
            .map(|record| record.id)
            .collect();
        {
            let mut world = site.simulator.world();
            for id in &ids[..5] {
                world.edit(
                    ORGANIZATION,
                    Kind::Supporters,
                    *id,
                    &[
                        ("opt_in", "true".to_owned()),
                        ("city", "\"Silent\"".to_owned()),
                    ],
                    false,
                );
            }
            for id in &ids[10..13] {
                assert!(world.delete(ORGANIZATION, Kind::Supporters, *id));
            }
        }
        let quiet = site.sync();
        assert_eq!(
            feed(&quiet, "supporters")["updated"],
            0,
            "an incremental cannot see these"
        );
        let report = site.json(&["sync", "--full", "--entity", "supporters"], 0);
        let found = &feed(&report, "supporters")["reconcile"];
        assert_eq!(
            (&found["missing"], &found["stale"], &found["absent"]),
            (&0.into(), &5.into(), &3.into())
        );
        site.assert_exact().await;
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporters").await,
            300,
            "nothing is deleted"
        );
        // Whoever comes back is here again.
        let back = site
            .simulator
            .world()
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .get(ids[20])
            .unwrap()
            .clone();
        let _ = back;
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_suddenly_lacks_most_records_is_a_fault_not_deletions() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 5)).await;
        site.sync();
        let taken: Vec<_> = {
            let mut world = site.simulator.world();
            let list = world.list(ORGANIZATION, Kind::Supporters).unwrap();
            let ids: Vec<i64> = list.iter().map(|record| record.id).collect();
            let taken = ids[50..]
                .iter()
                .map(|id| list.remove(*id).unwrap())
                .collect();
            // A no that moved no time of change is what a full reading is there for.
            let said = [
                ("opt_in", "false".to_owned()),
                ("city", "\"Silent\"".to_owned()),
            ];
            world.edit(ORGANIZATION, Kind::Supporters, ids[7], &said, false);
            taken
        };
        let output = site.run(&["sync", "--full", "--entity", "supporters"]);
        assert_eq!(output.status.code(), Some(3));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            text.contains("of 300 stored records") && text.contains("hint:"),
            "{text}"
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporters WHERE absent_since IS NOT NULL")
                .await,
            0
        );
        let silent =
            "SELECT COUNT(*) AS n FROM supporters WHERE city = 'Silent' AND NOT email_opt_in";
        assert_eq!(site.number(silent).await, 1, "what it shows is stored");
        // It is not forgotten by the next run.
        site.sync();
        let status = site.json(&["status"], 0).to_string();
        assert!(status.contains("taken for a fault"), "{status}");
        let health = site.json(&["health"], 0);
        assert_eq!(health["verdict"], "degraded", "{health}");
        for record in taken {
            site.simulator
                .world()
                .list(ORGANIZATION, Kind::Supporters)
                .unwrap()
                .put(record);
        }
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gifts_before_their_donors_land_with_stubs_and_are_whole_in_the_end() {
    for kind in kinds() {
        let site = Site::new(kind, world(200, 6)).await;
        site.json(&["sync", "--entity", "transactions"], 0);
        assert!(
            site.number("SELECT COUNT(*) AS n FROM supporters").await > 0,
            "stubs"
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporter_summary")
                .await,
            0,
            "views leave stubs out"
        );
        site.sync();
        site.assert_exact().await;
        let check = site.json(&["db", "check"], 0);
        assert!(
            check
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["violations"] == 0),
            "{check}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_reads_a_range_again_and_leaves_the_checkpoint() {
    let site = Site::new(crate::backend::Kind::Sqlite, world(200, 7)).await;
    site.sync();
    let id = site
        .simulator
        .world()
        .list(ORGANIZATION, Kind::Transactions)
        .unwrap()
        .iter()
        .next_back()
        .unwrap()
        .id;
    site.simulator.world().edit(
        ORGANIZATION,
        Kind::Transactions,
        id,
        &[("status", "\"refunded\"".to_owned())],
        false,
    );
    let before = site
        .number("SELECT COUNT(*) AS n FROM transactions WHERE status = 'refunded'")
        .await;
    let since = (chrono::Utc::now() - chrono::TimeDelta::days(90))
        .format("%Y-%m-%d")
        .to_string();
    let watermark = |report: &serde_json::Value| feed(report, "transactions")["watermark"].clone();
    let report = site.json(&["sync", "--since", &since, "--entity", "transactions"], 0);
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM transactions WHERE status = 'refunded'")
            .await,
        before + 1
    );
    assert_eq!(feed(&report, "transactions")["mode"], "repair");
    let after = site.sync();
    assert_eq!(watermark(&report), watermark(&after));
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_do_not_touch_each_other() {
    for kind in kinds() {
        let site = Site::new(
            kind,
            Options {
                organizations: vec![10001, 10002],
                ..world(150, 8)
            },
        )
        .await;
        site.sync();
        for id in [10001, 10002] {
            crate::truth::assert_exact(&site.simulator, &site.database, id).await;
        }
        // The same ids are in both from now on, and each has its own records.
        let records: Vec<_> = site
            .simulator
            .world()
            .list(10002, Kind::Supporters)
            .unwrap()
            .iter()
            .take(20)
            .cloned()
            .collect();
        for mut record in records {
            let now = site.simulator.world().now();
            record.updated_at = Some(now);
            site.simulator
                .world()
                .list(10001, Kind::Supporters)
                .unwrap()
                .put(record);
        }
        site.sync();
        for id in [10001, 10002] {
            crate::truth::assert_exact(&site.simulator, &site.database, id).await;
        }
        assert_eq!(site.json(&["rejects"], 0), serde_json::json!([]));
    }
}
