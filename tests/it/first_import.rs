//! The first import is a state of its own, told wherever figures are shown; and what was read
//! before is known after a restart.

use crate::backend::kinds;
use crate::site::{Site, world};
use crate::web::{Daemon, until};
use classy_sync::simulator::Options;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn until_it_is_done_nobody_takes_its_figures_for_whole() {
    let site = Site::new(
        crate::backend::Kind::Sqlite,
        Options {
            latency: Duration::from_millis(1_500),
            ..world(2_500, 90)
        },
    )
    .await;
    let daemon = Daemon::start(&site, "").await;
    let one = async || daemon.get("/api/v1/organizations/10001").await.json();
    until("the import moves", WITHIN, async || {
        one().await["feeds"][0]["import"]["done"]
            .as_u64()
            .is_some_and(|done| done >= 400)
    })
    .await;
    let told = one().await;
    assert_eq!(
        (&told["importing"], &told["feeds"][0]["import"]["total"]),
        (&true.into(), &2_500.into()),
        "{told}"
    );
    assert!(
        told["feeds"][0]["import"]["since"].is_string()
            && told["feeds"][3]["import"]["since"].is_null(),
        "{told}"
    );
    assert_eq!(
        daemon.get("/api/v1/status").await.json()["organizations"][0]["importing"],
        true
    );
    let page = daemon.get("/organizations/10001").await.body;
    assert!(
        page.contains("First import")
            && page.contains("of 2,500 records")
            && !page.contains("Everything is current"),
        "{page}"
    );
    assert!(
        page.contains("Figures are incomplete") && !page.contains(">never<"),
        "{page}"
    );
    let fleet = daemon.get("/").await.body;
    assert!(
        fleet.contains("first import") && !fleet.contains("Everything is current"),
        "{fleet}"
    );
    assert!(
        daemon
            .get("/organizations/10001/giving")
            .await
            .body
            .contains("figures are incomplete")
    );
    assert!(
        daemon
            .get("/metrics")
            .await
            .body
            .contains("classy_sync_feed_import_ratio{feed=\"supporters\"} 0.")
    );
    until("health says it", WITHIN, async || {
        daemon
            .get("/api/v1/health")
            .await
            .body
            .contains("first import")
    })
    .await;
    // The figures at hand are too small, and whoever asks for them is told, once some of them were
    // saved.
    let said = || String::from_utf8_lossy(&site.run(&["report", "supporters"]).stderr).into_owned();
    until("some are saved", WITHIN, async || {
        said().contains("of 2,500")
    })
    .await;
    // It stays as far as it is, however slow this machine is with the questions that follow.
    site.simulator.options().latency = Duration::from_secs(30);
    for arguments in [
        &["report", "supporters", "--org", "10001"][..],
        &["report", "donors", "--format", "csv"],
        &["report", "campaigns"],
    ] {
        let said = String::from_utf8_lossy(&site.run(arguments).stderr).into_owned();
        assert!(
            said.contains("organization 10001 are incomplete until its first import is done")
                && said.contains("of 2,500"),
            "{said}"
        );
    }
    let rows = site.json(&["report", "supporters"], 0);
    assert!(rows[0]["is_complete"] == false, "{}", rows[0]);
    let status = String::from_utf8_lossy(&site.run(&["status"]).stdout).into_owned();
    assert!(
        status.contains("first import: ") && status.contains("of 2,500 records"),
        "{status}"
    );
    // Killed in the middle of it: without a daemon it is told, too.
    drop(daemon);
    let status = site.json(&["status"], 0);
    assert!(
        status["organizations"][0]["feeds"][0]["import"]["done"]
            .as_u64()
            .unwrap()
            > 0,
        "{status}"
    );
    site.simulator.options().latency = Duration::ZERO;
    let daemon = Daemon::start(&site, "").await;
    until("the import is done", WITHIN, async || {
        daemon.get("/api/v1/organizations/10001").await.json()["importing"] == false
    })
    .await;
    until("the page says so", WITHIN, async || {
        daemon
            .get("/organizations/10001")
            .await
            .body
            .contains("Everything is current")
    })
    .await;
    assert!(
        !daemon
            .get("/metrics")
            .await
            .body
            .contains("classy_sync_feed_import_ratio{")
    );
    let output = site.run(&["--output", "json", "report", "donors"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("incomplete"));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows[0]["is_complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_restart_is_not_called_never_read() {
    for kind in kinds() {
        let site = Site::new(
            kind,
            Options {
                organizations: vec![10001, 10002],
                ..world(30, 91)
            },
        )
        .await;
        // Twice: the second finds nothing new, and is what counts.
        site.sync();
        let between = chrono::Utc::now();
        site.sync();
        site.json(&["org", "pause", "10001"], 0);
        let daemon = Daemon::start(&site, "").await;
        let all = async || daemon.get("/api/v1/organizations").await.json();
        let is_told = |feed: &serde_json::Value| {
            let at = feed["fresh_at"]
                .as_str()
                .and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok());
            feed["is_loaded"] == true
                && feed["import"].is_null()
                && at.is_some_and(|at| at >= between && at <= chrono::Utc::now())
        };
        until("what was read before is known", WITHIN, async || {
            let all = all().await;
            let organizations = all.as_array().unwrap();
            organizations.len() == 2
                && organizations
                    .iter()
                    .all(|one| one["feeds"].as_array().unwrap().iter().all(is_told))
        })
        .await;
        let fleet = daemon.get("/").await.body;
        assert!(
            !fleet.contains("never") && !fleet.contains("first import"),
            "{kind:?}: {fleet}"
        );
        let page = daemon.get("/organizations/10001").await.body;
        assert!(
            page.contains("paused") && !page.contains(">never<") && !page.contains("First import"),
            "{kind:?}: {page}"
        );
        drop(daemon);
        let status = site.json(&["status"], 0);
        for organization in status["organizations"].as_array().unwrap() {
            assert!(
                organization["feeds"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(is_told),
                "{kind:?}: {organization}"
            );
        }
    }
}
