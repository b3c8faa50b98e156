//! A `sync` beside daemons does what is served here, names who serves the rest and who is paused,
//! and a run of a plugin reads nothing from Classy.

use crate::backend::Kind;
use crate::daemons::{TAKE_OVER, end, until};
use crate::pair::{OTHER, SOON, add_mailchimp};
use crate::site::{Site, world};
use classy_sync::entities::Entity;
use classy_sync::simulator::Options;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What a command of two daemons' neighbour said: code, JSON, words.
fn sync(site: &Site, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = site.run(&[&["--output", "json"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}")),
        said,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_beside_two_daemons_does_what_this_one_serves_and_names_who_serves_the_rest() {
    let organizations: Vec<i64> = (20_001..=20_016).collect();
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: organizations.clone(),
            ..world(20, 1_302)
        },
    )
    .await;
    let twin = site.twin();
    let (first, second) = (site.start(&["run"]), twin.start(&["run"]));
    let shares = "SELECT COUNT(*) AS n FROM leases WHERE holder <> '' GROUP BY holder ORDER BY 1";
    // By chance one of them is preferred by all: that is one start in 30,000.
    until("they share", 6 * TAKE_OVER, async || {
        site.started().await
            && matches!(site.numbers(shares).await.as_slice(), [a, b] if a + b == 16)
    })
    .await;
    // Once everything was read and nothing moves any more, what a sync takes is known: it does not
    // wait for what another one serves.
    let read = format!(
        "SELECT COUNT(*) AS n FROM checkpoints WHERE first_pass_at IS NOT NULL HAVING COUNT(*) = {}",
        16 * Entity::COUNT
    );
    until("all was read", 6 * TAKE_OVER, async || {
        site.numbers(&read).await.len() == 1
    })
    .await;
    let begin = Instant::now();
    let (code, report, said) = sync(&site, &["sync"]);
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(code, Some(3), "{said}");
    let all = report["organizations"].as_array().unwrap();
    let (refused, done): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|one| one["fault"] == "busy");
    assert!(
        !refused.is_empty() && !done.is_empty() && refused.len() + done.len() == 16,
        "{report}"
    );
    let folder = twin.path().file_name().unwrap().to_str().unwrap();
    assert!(
        refused
            .iter()
            .all(|one| one["error"].as_str().unwrap().contains(folder)),
        "{report}"
    );
    assert!(
        done.iter()
            .all(|one| one["feeds"].as_array().unwrap().len() == Entity::COUNT),
        "{report}"
    );
    let elsewhere = refused[0]["classy_id"].to_string();
    let (code, _, said) = sync(&site, &["sync", "--org", &elsewhere]);
    assert!(
        code == Some(75) && said.contains("is being synced by"),
        "{code:?}: {said}"
    );
    assert_eq!(
        site.run(&["sync", "--org", &done[0]["classy_id"].to_string()])
            .status
            .code(),
        Some(0)
    );
    // A pause ordered here is in force there, too.
    site.json(&["org", "pause", &elsewhere], 0);
    assert_eq!(
        site.number(&format!(
            "SELECT COUNT(*) AS n FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id \
         WHERE o.classy_id = {elsewhere} AND l.holder <> ''"
        ))
        .await,
        0
    );
    assert_eq!((end(first), end(second)), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_says_who_is_paused_and_syncs_the_others() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, OTHER],
            ..world(30, 1_303)
        },
    )
    .await;
    site.sync();
    site.json(&["org", "pause", "10002"], 0);
    for beside_a_daemon in [false, true] {
        let child = beside_a_daemon.then(|| site.start(&["run"]));
        if beside_a_daemon {
            until("the daemon answers", SOON, async || {
                site.path().join("classy-sync.sock").exists()
            })
            .await;
        }
        let (code, report, said) = sync(&site, &["sync"]);
        assert_eq!(
            (code, report["organizations"].as_array().unwrap().len()),
            (Some(0), 1),
            "{beside_a_daemon}: {said}"
        );
        assert_eq!(report["paused"][0]["classy_id"], OTHER);
        assert!(
            said.contains("10002 is paused") && said.contains("paused by hand"),
            "{said}"
        );
        let (code, report, said) = sync(&site, &["sync", "--org", "10002"]);
        assert!(
            code == Some(3)
                && said.contains("10002 is paused: paused by hand")
                && said.contains("org resume 10002"),
            "{code:?}: {said}"
        );
        assert_eq!(report["organizations"][0]["fault"], "partial");
        // One that is paused keeps nobody else from being synced.
        let (code, report, _) = sync(&site, &["sync", "--org", "10002", "--org", "10001"]);
        let feeds = |place: usize| {
            report["organizations"][place]["feeds"]
                .as_array()
                .unwrap()
                .len()
        };
        assert_eq!((code, feeds(0), feeds(1)), (Some(3), Entity::COUNT, 0));
        if let Some(child) = child {
            assert_eq!(end(child), Some(0));
        }
    }
    site.json(&["org", "pause", "10001"], 0);
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("every organization is paused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_run_beside_a_daemon_reads_nothing_from_classy() {
    let site = Site::new(Kind::Sqlite, world(30, 1_304)).await;
    add_mailchimp(&site, 10001);
    let child = site.start(&["run"]);
    until("it is loaded", SOON, async || site.is_read(10001).await).await;
    let runs = site.runs(10001).await;
    let report = site.json(&["plugin", "run"], 0);
    assert_eq!(report["organizations"][0]["feeds"], serde_json::json!([]));
    assert_eq!(
        report["organizations"][0]["plugins"][0]["outcome"], "complete",
        "{report}"
    );
    assert_eq!(site.runs(10001).await, runs);
    assert_eq!(end(child), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_that_is_frozen_a_sync_ends_soon_and_health_is_failing() {
    let site = Site::new(Kind::Sqlite, world(20, 1_306)).await;
    site.sync();
    assert_eq!(site.run(&["health"]).status.code(), Some(0));
    let daemon = site.start(&["run"]);
    until("it is read", SOON, async || site.is_read(10001).await).await;
    // Once it is quiet, so that it is not frozen in the middle of a write.
    tokio::time::sleep(Duration::from_secs(1)).await;
    crate::daemons::signal(&daemon, "-STOP");
    let begin = Instant::now();
    let synced = site.run(&["sync"]);
    let took = begin.elapsed();
    let health = site.run(&["health"]);
    crate::daemons::signal(&daemon, "-CONT");
    let named = format!("process {} is at work, and nobody answers", daemon.id());
    let said = String::from_utf8_lossy(&synced.stderr).into_owned();
    assert_eq!(synced.status.code(), Some(75), "{said}");
    assert!(said.contains(&named), "{said}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let told = String::from_utf8_lossy(&health.stdout).into_owned();
    assert!(
        health.status.code() == Some(3) && told.contains(&named) && told.contains("failing"),
        "{:?}: {told}",
        health.status.code()
    );
    assert_eq!(end(daemon), Some(0));
}
