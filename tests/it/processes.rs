//! Several processes on one database, and clocks that were wrong once: nobody waits for the dead
//! longer than a lease, nobody is taken for somebody else, and what nobody serves is told.

use crate::backend::{Kind as Backend, kinds};
use crate::daemons::{EAGER, TAKE_OVER, end, until};
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Options;
use std::time::Duration;

/// A moment that a clock wrote that was years ahead.
fn far(kind: Backend) -> &'static str {
    if kind == Backend::MySql {
        "'2037-01-01 00:00:00'"
    } else {
        "'2037-01-01T00:00:00+00:00'"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_was_ahead_wrote_holds_nobody_up() {
    for kind in kinds() {
        let site = Site::new(kind, world(40, 90)).await;
        site.configure(EAGER);
        site.sync();
        let far = far(kind);
        site.execute(&format!("UPDATE leases SET expires_at = {far}"))
            .await;
        site.sync();
        // One that was killed while its clock was ahead: refused with its name, and taken over when
        // a lease's time has passed.
        site.execute(&format!(
            "UPDATE leases SET expires_at = {far}, holder = 'ghost:/x.pid#1.2'"
        ))
        .await;
        site.execute(&format!(
            "INSERT INTO daemons (holder, expires_at) VALUES ('ghost:/x.pid#1.2', {far})"
        ))
        .await;
        site.execute(&format!("UPDATE checkpoints SET next_run_at = {far}"))
            .await;
        let output = site.run(&["sync"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(75), "{kind:?}: {text}");
        assert!(
            text.contains("is being synced by ghost:/x.pid\n"),
            "{kind:?}: {text}"
        );
        let runs = site.runs(ORGANIZATION).await;
        let child = site.start(&["run"]);
        until("the daemon reads", TAKE_OVER, async || {
            site.runs(ORGANIZATION).await >= runs + 4
        })
        .await;
        assert_eq!(end(child), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_the_same_host_name_and_path_are_two_and_one_takes_over_what_the_other_left() {
    for kind in kinds().into_iter().take(2) {
        let site = Site::new(kind, world(40, 91)).await;
        // What is told of the paths is the same, as in two containers.
        let path = ["same"; 25].join("/");
        site.configure(&format!(
            "{EAGER}[daemon]\npid_file = \"{path}/classy-sync.pid\"\n"
        ));
        let twin = site.twin();
        let mut first = site.start(&["run"]);
        until("it serves", Duration::from_secs(60), async || {
            site.started().await && site.is_read(ORGANIZATION).await
        })
        .await;
        let second = twin.start(&["run"]);
        until("both are there", TAKE_OVER, async || {
            site.number("SELECT COUNT(*) AS n FROM daemons").await == 2
        })
        .await;
        let of = "SELECT COUNT(DISTINCT holder) AS n FROM leases WHERE holder <> ''";
        until("one of them serves", TAKE_OVER, async || {
            site.number(of).await == 1
        })
        .await;
        first.kill().unwrap();
        first.wait().unwrap();
        {
            let mut world = site.simulator.world();
            for _ in 0..5 {
                world.add(ORGANIZATION, classy_sync::simulator::Kind::Supporters);
            }
        }
        until("the other one reads", TAKE_OVER, async || {
            site.count("supporters").await == Some(45)
        })
        .await;
        assert_eq!(end(second), Some(0), "{kind:?}");
        site.sync();
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_nobody_serves_is_failing_and_named() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            ..world(20, 92)
        },
    )
    .await;
    site.sync();
    // Whoever starts anew cannot read its file.
    std::fs::write(
        site.path().join("organizations/10002.toml"),
        "classy_id = 10002\nnam = 1\n",
    )
    .unwrap();
    let child = site.start(&["run"]);
    until("it is failing", Duration::from_secs(75), async || {
        let health: serde_json::Value =
            serde_json::from_slice(&site.run(&["--output", "json", "health"]).stdout)
                .unwrap_or_default();
        let is_told = |check: &serde_json::Value| {
            check["classy_id"] == 10002
                && check["verdict"] == "failing"
                && check["reason"]
                    .as_str()
                    .unwrap()
                    .contains("no process has served it")
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        health["checks"]
            .as_array()
            .is_some_and(|checks| checks.iter().any(is_told))
    })
    .await;
    assert_eq!(end(child), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_interval_is_in_force_when_reload_returns() {
    let site = Site::new(Backend::Sqlite, world(20, 93)).await;
    let child = site.start(&["run"]);
    until("it is read once", Duration::from_secs(60), async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    site.configure(EAGER);
    assert!(site.run(&["reload"]).status.success());
    until(
        "each feed is read again and again",
        Duration::from_secs(60),
        async || site.runs(ORGANIZATION).await >= 16,
    )
    .await;
    assert_eq!(end(child), Some(0));
}
