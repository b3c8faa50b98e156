//! What a source keeps from us for a while: waits that it asks for, records that it counts and does
//! not show; and when it is asked again.

use crate::backend::{Kind as Backend, kinds};
use crate::counted::{edit, ids, supporters, supporters_in};
use crate::peers::Front;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, until};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Fault, Kind, Options};
use std::time::Duration;

/// Puts somebody in front of the organization's Classy.
pub async fn front(site: &Site) -> Front {
    let server = url::Url::parse(&site.simulator.base_url())
        .unwrap()
        .origin()
        .ascii_serialization();
    let front = Front::at("127.0.0.1:0", &server).await;
    let (base, token) = (
        front.url(&site.simulator.base_url()),
        front.url(&site.simulator.token_url()),
    );
    site.write_organization(
        ORGANIZATION,
        "client-10001",
        "secret-of-10001",
        &base,
        &token,
    );
    front
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_asked_for_one_record_stops_nobody_else() {
    for refuse in [
        |front: &Front, word: &str| front.limit(word, 3_600),
        |front: &Front, word: &str| front.answer(word, 429),
    ] {
        let site = Site::new(Backend::Sqlite, world(150, 52)).await;
        let front = front(&site).await;
        site.sync();
        let all = ids(&site, Kind::Supporters);
        site.simulator
            .world()
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .remove(all[50]);
        site.simulator
            .world()
            .delete(ORGANIZATION, Kind::Supporters, all[60]);
        refuse(&front, &format!("/supporters/{}", all[50]));
        let report = site.json(&["sync", "--full", "--entity", "supporters"], 3);
        let told = supporters(&report);
        assert_eq!(
            (&told["outcome"], &told["undecided"]),
            (&"complete".into(), &1.into()),
            "{report}"
        );
        assert!(told["duration_ms"].as_u64().unwrap() < 60_000, "{report}");
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM absence_suspects WHERE reason LIKE '%wait%'")
                .await,
            1
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporters WHERE absent_since IS NOT NULL")
                .await,
            1,
            "the other one was decided"
        );
        let status = site.json(&["status"], 0).to_string();
        assert!(status.contains("1 undecided"), "{status}");
        edit(&site, Kind::Supporters, all[7], "Edited");
        site.json(&["sync"], 0);
        assert_eq!(supporters_in(&site, "Edited").await, 1);
        front.answer(&format!("/supporters/{}", all[50]), 200);
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_edge_keeps_from_us_stops_nobody_else() {
    let site = Site::new(Backend::Sqlite, world(150, 53)).await;
    let front = front(&site).await;
    site.sync();
    let all = ids(&site, Kind::Supporters);
    site.simulator
        .world()
        .list(ORGANIZATION, Kind::Supporters)
        .unwrap()
        .remove(all[50]);
    front.block(&format!("/supporters/{}", all[50]));
    let report = site.json(&["sync", "--full", "--entity", "supporters"], 3);
    assert_eq!(
        (
            &supporters(&report)["outcome"],
            &supporters(&report)["undecided"]
        ),
        (&"complete".into(), &1.into()),
        "{report}"
    );
    edit(&site, Kind::Supporters, all[7], "Edited");
    site.json(&["sync"], 0);
    assert_eq!(supporters_in(&site, "Edited").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_asked_for_all_records_or_for_everything_is_heeded() {
    let site = Site::new(Backend::Sqlite, world(150, 54)).await;
    let front = front(&site).await;
    site.sync();
    let all = ids(&site, Kind::Supporters);
    for id in &all[50..57] {
        site.simulator
            .world()
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .remove(*id);
    }
    // Lists are served, single records are not: those are left alone soon.
    front.limit("2.0/supporters/", 3_600);
    let report = site.json(&["sync", "--full", "--entity", "supporters"], 3);
    assert_eq!(
        (
            &supporters(&report)["outcome"],
            &supporters(&report)["undecided"]
        ),
        (&"complete".into(), &7.into()),
        "{report}"
    );
    let singles = front.asked("2.0/supporters/");
    // Each is asked for by the verify stage and its repetitions; those under way side by side
    // cannot know of each other.
    assert!(
        (1..=21).contains(&singles),
        "{singles} single records were asked for"
    );
    // Everything: nothing more is asked for after the first answers, and the next run is not before
    // the source said.
    front.limit("/organizations/10001", 3_600);
    let before = front.asked("2.0/");
    let output = site.run(&[
        "--output",
        "json",
        "sync",
        "--full",
        "--entity",
        "supporters",
    ]);
    assert_ne!(output.status.code(), Some(0));
    let asked = front.asked("2.0/") - before;
    assert!((1..=4).contains(&asked), "{asked} requests");
    let wait = next_in(&site, "supporters").unwrap();
    assert!(
        (3_300..3_900).contains(&wait),
        "{wait} s until the next look"
    );
}

/// Seconds until a feed's next run, as `status` shows it.
fn next_in(site: &Site, entity: &str) -> Option<i64> {
    let status = site.json(&["status"], 0);
    let feeds = status["organizations"][0]["feeds"].as_array().unwrap();
    let next = feeds.iter().find(|feed| feed["entity"] == entity).unwrap()["next_at"].as_str()?;
    Some(
        (next.parse::<chrono::DateTime<chrono::Utc>>().unwrap() - chrono::Utc::now()).num_seconds(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pass_that_fell_short_the_next_one_is_due_soon_and_later_each_time() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: vec![Fault::BadPage],
            ..world(120, 55)
        },
    )
    .await;
    let daemon = Daemon::start(&site, "").await;
    let ended = |outcome: &str| {
        format!("SELECT COUNT(DISTINCT entity) AS n FROM sync_runs WHERE outcome = '{outcome}'")
    };
    let (long, all) = (Duration::from_secs(240), Entity::COUNT as i64);
    // The others begin after these two, and each takes its time over a page that cannot be read.
    let feeds = [Entity::Supporters, Entity::Campaigns];
    until("these fell short", long, async || {
        site.reached(&ended("incomplete"), feeds.len() as i64).await
    })
    .await;
    // Far sooner than the ordinary interval of a quarter of an hour, also after the second one or
    // the third.
    let is_soon = async || {
        feeds
            .iter()
            .all(|entity| next_in(&site, entity.as_str()).is_some_and(|wait| wait <= 130))
    };
    until("the next ones are due soon", long, is_soon).await;
    site.simulator.world().set_faults(Vec::new());
    // Now rather than in a minute or two.
    until("the next passes bring the rest", long, async || {
        site.run(&["sync"]);
        site.number(&ended("complete")).await == all
    })
    .await;
    site.assert_exact().await;
    until(
        "the ordinary interval again",
        Duration::from_secs(60),
        async || next_in(&site, "supporters").is_some_and(|wait| wait > 600),
    )
    .await;
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_where_the_source_counts_changes_is_a_lack() {
    for kind in kinds() {
        let site = Site::new(kind, world(250, 56)).await;
        let front = front(&site).await;
        site.sync();
        let all = ids(&site, Kind::Supporters);
        // More than a page, so that changes are walked by key; and there it shows none.
        all.iter()
            .take(150)
            .for_each(|id| edit(&site, Kind::Supporters, *id, "Edited"));
        front.say(
            "sort=updated_at%3Aasc",
            r#"{"current_page":1,"data":[],"last_page":2,"per_page":100,"total":150}"#,
        );
        let report = site.json(&["sync", "--entity", "supporters"], 3);
        assert_eq!(supporters(&report)["outcome"], "incomplete", "{report}");
        let error = supporters(&report)["error"].as_str().unwrap_or_default();
        assert!(error.contains("changes that cannot be read"), "{report}");
        let health = String::from_utf8(site.run(&["health"]).stdout).unwrap();
        assert!(health.contains("changes that cannot be read"), "{health}");
        assert!(next_in(&site, "supporters").unwrap() <= 60);
        front.answer("sort=updated_at%3Aasc", 200);
        site.json(&["sync", "--entity", "supporters"], 0);
        assert_eq!(supporters_in(&site, "Edited").await, 150, "{kind:?}");
        site.assert_exact().await;
    }
}
