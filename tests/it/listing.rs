//! However a source cuts its lists into pages, nothing of them is lost, and one that shows the
//! same again or does not end costs its own feed only.

use crate::backend::{Kind as Backend, kinds};
use crate::counted::{ids, supporters, supporters_in};
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn pages_cut_smaller_than_asked_lose_nothing() {
    for fault in [Fault::Clamp, Fault::SilentClamp] {
        let site = Site::new(
            Backend::Sqlite,
            Options {
                faults: vec![fault],
                ..world(260, 46)
            },
        )
        .await;
        site.sync();
        site.assert_exact().await;
        let all = ids(&site, Kind::Supporters);
        {
            let mut world = site.simulator.world();
            let second = world.now();
            for id in &all {
                world.edit(
                    ORGANIZATION,
                    Kind::Supporters,
                    *id,
                    &[("city", "\"One Second\"".to_owned())],
                    false,
                );
                world
                    .list(ORGANIZATION, Kind::Supporters)
                    .unwrap()
                    .get_mut(*id)
                    .unwrap()
                    .updated_at = Some(second);
            }
        }
        let report = site.sync();
        assert_eq!(supporters(&report)["updated"], 260, "{fault}");
        site.assert_exact().await;
        site.simulator.world().clock_offset += 1_000;
        let gift = ids(&site, Kind::Transactions)[3];
        site.simulator
            .world()
            .edit(ORGANIZATION, Kind::Transactions, gift, &[], true);
        site.json(&["sync", "--since", "2000-01-01"], 0);
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_change_in_a_second_of_many_is_seen_by_the_next_look() {
    for kind in kinds() {
        let site = Site::new(kind, world(260, 47)).await;
        site.sync();
        let all = ids(&site, Kind::Supporters);
        let second = site.simulator.world().now();
        let change = |id: i64, city: &str| {
            let mut world = site.simulator.world();
            world.edit(
                ORGANIZATION,
                Kind::Supporters,
                id,
                &[("city", format!("\"{city}\""))],
                false,
            );
            world
                .list(ORGANIZATION, Kind::Supporters)
                .unwrap()
                .get_mut(id)
                .unwrap()
                .updated_at = Some(second);
        };
        all.iter().take(180).for_each(|id| change(*id, "Once"));
        site.sync();
        all.iter()
            .take(180)
            .step_by(20)
            .for_each(|id| change(*id, "Twice"));
        site.sync();
        assert_eq!(supporters_in(&site, "Twice").await, 9);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_shows_the_same_again_ends_with_a_fault_whatever_it_says_there_is() {
    for (fault, says) in [
        (Fault::IgnoresPage, "show the same records"),
        (Fault::RotatingPages, "show nothing new"),
    ] {
        let site = Site::new(
            Backend::Sqlite,
            Options {
                faults: vec![fault, Fault::HugeTotal],
                ..world(350, 51)
            },
        )
        .await;
        let output = site.run(&["--output", "json", "sync"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(3), "{report}");
        assert!(
            supporters(&report)["error"]
                .as_str()
                .unwrap_or_default()
                .contains(says),
            "{report}"
        );
        assert!(
            feed(&report, "campaigns")["outcome"].is_string(),
            "the other feeds had their turn: {report}"
        );
        let requests = site.simulator.ledger().data_requests;
        assert!(requests < 1_000, "{fault}: {requests} requests");
        site.simulator.world().set_faults(Vec::new());
        site.json(&["sync"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_does_not_end_ends_with_a_fault_and_the_other_feeds_go_on() {
    for (fault, says) in [
        (Fault::IgnoresPage, "show the same records"),
        (Fault::Endless, "rows were read of a list that told of"),
    ] {
        let site = Site::new(
            Backend::Sqlite,
            Options {
                faults: vec![fault],
                ..world(300, 48)
            },
        )
        .await;
        let output = site.run(&["--output", "json", "sync"]);
        assert_eq!(output.status.code(), Some(3), "{fault}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = supporters(&report)["error"].as_str().unwrap_or_default();
        assert!(
            error.contains("does not end") && error.contains(says),
            "{fault}: {report}"
        );
        assert!(
            feed(&report, "campaigns")["outcome"].is_string(),
            "the other feeds had their turn: {report}"
        );
        let requests = site.simulator.ledger().data_requests;
        assert!(requests < 400, "{fault}: {requests} requests");
        if fault == Fault::IgnoresPage {
            site.simulator.world().set_faults(Vec::new());
            site.json(&["sync"], 0);
            site.assert_exact().await;
        }
    }
}
