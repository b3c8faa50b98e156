//! What happens when something goes wrong: who is told, what, how often, and what is true
//! afterwards, with and without a daemon.

use crate::alerting::{EAGER, LONG, SOON, told, verdict};
use crate::backend::{Kind, kinds};
use crate::peers::{Listener, Wire};
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, TOKEN, until};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Fault, Options};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_database_goes_and_comes_back_and_there_is_one_alert_one_recovery_and_nothing_lost() {
    for kind in kinds().into_iter().filter(|kind| *kind != Kind::Sqlite) {
        let site = Site::new(kind, world(200, 301)).await;
        let listener = Listener::start().await;
        let url = url::Url::parse(&site.database.url).unwrap();
        let port = url
            .port()
            .unwrap_or(if kind == Kind::Postgres { 5432 } else { 3306 });
        let wire = Wire::to(format!("127.0.0.1:{port}")).await;
        let mut by_wire = url.clone();
        by_wire.set_port(Some(wire.address.port())).unwrap();
        by_wire.set_host(Some("127.0.0.1")).unwrap();
        let main = site.path().join("classy-sync.toml");
        let text = std::fs::read_to_string(&main)
            .unwrap()
            .replace(&site.database.url, by_wire.as_str());
        std::fs::write(&main, text).unwrap();
        site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
        let mut daemon = Daemon::start(&site, "").await;
        until("it is loaded", LONG, async || {
            site.runs(ORGANIZATION).await >= 8
        })
        .await;
        until("all is well", LONG, async || verdict(&daemon).await == "ok").await;
        wire.cut(true);
        until("it says so", SOON, async || {
            verdict(&daemon).await == "failing"
        })
        .await;
        site.simulator.world().live(ORGANIZATION, 60);
        let open = daemon.get("/api/v1/alerts").await.json();
        assert!(
            open.as_array()
                .unwrap()
                .iter()
                .any(|alert| alert["key"] == "database"),
            "{kind:?}: told from memory: {open}"
        );
        assert_eq!(
            daemon.get("/organizations/10001").await.status,
            200,
            "a page without what the database knows is a page"
        );
        tokio::time::sleep(Duration::from_secs(12)).await;
        wire.cut(false);
        until("it is back", LONG, async || {
            daemon.get("/readyz").await.status == 200
                && told(&listener, "RESOLVED", "database") == 1
        })
        .await;
        until("it catches up", 2 * LONG, async || {
            site.reached("SELECT COUNT(*) AS n FROM alerts WHERE resolved_at IS NOT NULL AND message LIKE '%database%'", 1).await
        })
        .await;
        assert!(site.run(&["sync"]).status.success());
        site.assert_exact().await;
        assert_eq!(
            told(&listener, "FAILING", "database"),
            1,
            "{kind:?}: {:?}",
            listener.heard()
        );
        assert_eq!(
            listener.heard().len(),
            2,
            "{kind:?}: nothing else is told: {:?}",
            listener.heard()
        );
        assert!(
            daemon.process.try_wait().unwrap().is_none(),
            "the same process"
        );
        let rows = "SELECT COUNT(*) AS n FROM alerts WHERE opened_at < resolved_at AND notices = 2";
        until("it is written down", LONG, async || {
            site.number(rows).await == 1
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_told_acknowledged_and_over_when_they_are_mended() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            ..world(60, 302)
        },
    )
    .await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    site.write_organization(10001, "client-10001", "wrong", &base, &token);
    let daemon = Daemon::start(&site, TOKEN).await;
    until("somebody is told", LONG, async || {
        told(&listener, "FAILING", "organization 10001") >= 1
    })
    .await;
    let health = site.json(&["health"], 3);
    assert_eq!(health["verdict"], "failing");
    let alerts = site.json(&["alerts", "list"], 0);
    let alert = alerts
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["organization"] == 10001)
        .unwrap();
    assert_eq!(alert["severity"], "failing");
    assert!(
        alert["message"].as_str().unwrap().contains("refused"),
        "{alert}"
    );
    assert!(
        site.run(&["alerts", "ack", &alert["id"].to_string()])
            .status
            .success()
    );
    assert_eq!(site.run(&["alerts", "ack", "4711"]).status.code(), Some(2));
    let known = async || {
        daemon
            .get("/api/v1/alerts")
            .await
            .json()
            .as_array()
            .unwrap()
            .iter()
            .any(|one| !one["acknowledged_at"].is_null())
    };
    until("the daemon knows", LONG, known).await;
    assert_eq!(
        daemon.get("/api/v1/organizations/10002").await.json()["verdict"],
        "ok",
        "the other one is well"
    );
    let set = tokio::task::block_in_place(|| {
        site.command(&["org", "set-credentials", "10001", "--secret-env", "SECRET"])
            .env("SECRET", "secret-of-10001")
            .output()
            .unwrap()
    });
    assert!(set.status.success());
    until("it is over", LONG, async || {
        told(&listener, "RESOLVED", "organization 10001") >= 1
    })
    .await;
    until("all is well", LONG, async || verdict(&daemon).await == "ok").await;
    assert_eq!(
        site.json(&["alerts", "list"], 0).as_array().unwrap().len(),
        0
    );
    assert!(
        site.json(&["audit"], 0)
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["action"] == "alert.acknowledged")
    );
    let log = Daemon::log(&site);
    assert!(
        !log.contains("secret-path")
            && !listener
                .heard()
                .iter()
                .any(|text| text.contains("secret-of")),
        "the address is a secret"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_falls_silent_is_told() {
    let site = Site::new(Kind::Sqlite, world(60, 303)).await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.is_read(ORGANIZATION).await && verdict(&daemon).await == "ok"
    })
    .await;
    site.simulator.options().latency = Duration::from_secs(600);
    until("silence is told", 2 * LONG, async || {
        told(&listener, "FAILING", "not up to date") >= 1
    })
    .await;
    let page = daemon.get("/organizations/10001").await.body;
    assert!(page.contains("not up to date for"), "the page says why");
    let status = site.json(&["status"], 0);
    assert_eq!(status["organizations"][0]["verdict"], "failing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_alert_goes_the_whole_way_with_and_without_a_daemon() {
    let site = Site::new(Kind::Sqlite, world(40, 304)).await;
    let (listener, dead_man) = (Listener::start().await, Listener::start().await);
    site.configure(&format!(
        "[alerts]\nwebhook = {:?}\ndead_man = {:?}\n",
        listener.url, dead_man.url
    ));
    assert!(site.run(&["alerts", "test"]).status.success());
    assert_eq!(told(&listener, "FAILING", "this is a test"), 1);
    let daemon = Daemon::start(&site, "").await;
    assert!(site.run(&["alerts", "test"]).status.success());
    assert_eq!(told(&listener, "FAILING", "this is a test"), 2);
    until("it ends", LONG, async || {
        told(&listener, "RESOLVED", "test") == 1
    })
    .await;
    until(
        "somebody waits for a sign of life and gets it",
        LONG,
        async || !dead_man.heard().is_empty(),
    )
    .await;
    // One that does not arrive is tried again.
    listener.answer_with(500);
    let output = site.run(&["alerts", "test"]);
    assert_eq!(
        output.status.code(),
        Some(69),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    listener.answer_with(200);
    let before = listener.heard().len();
    until("it is tried again", LONG, async || {
        listener.heard().len() > before
    })
    .await;
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_health_answer_without_a_daemon_too() {
    let site = Site::new(Kind::Sqlite, world(40, 305)).await;
    site.sync();
    let status = site.json(&["status"], 0);
    assert_eq!(
        status["organizations"][0]["feeds"]
            .as_array()
            .unwrap()
            .len(),
        Entity::COUNT
    );
    let health = site.json(&["health"], 0);
    assert_eq!(health["verdict"], "ok", "{health}");
    assert!(health["stale"].as_str().unwrap().contains("no daemon"));
    let wrong = site.path().join("organizations/wrong.toml");
    std::fs::write(wrong, "classy_id = \n").unwrap();
    let health = site.json(&["health"], 0);
    assert_eq!(health["verdict"], "degraded", "{health}");
    assert!(health.to_string().contains("wrong.toml"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_a_feed_whose_last_runs_failed_says_why_until_it_is_read() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 306)).await;
        site.sync();
        site.simulator.world().set_faults(vec![Fault::IgnoresPage]);
        for failures in 1..=2 {
            site.run(&["sync", "--full", "--entity", "supporters"]);
            let health = site.json(&["health"], 0);
            assert_eq!(health["verdict"], "degraded", "{kind:?}: {health}");
            let of_feed = |check: &&serde_json::Value| {
                check["check"] == "freshness" && check["subject"] == "supporters"
            };
            let reason = health["checks"]
                .as_array()
                .unwrap()
                .iter()
                .find(of_feed)
                .unwrap()["reason"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(
                reason.ends_with(&format!("(runs in a row that failed: {failures})")),
                "{kind:?}: {reason}"
            );
            let status = site.json(&["status"], 0);
            let error =
                |place: usize| status["organizations"][0]["feeds"][place]["last"]["error"].as_str();
            let supporters = status["organizations"][0]["feeds"]
                .as_array()
                .unwrap()
                .iter()
                .position(|feed| feed["entity"] == "supporters");
            let told = error(supporters.unwrap()).unwrap();
            assert!(reason.starts_with(told), "{kind:?}: {told}");
            assert_eq!(
                (0..Entity::COUNT)
                    .filter(|place| error(*place).is_some())
                    .count(),
                1,
                "{kind:?}: {status}"
            );
        }
        site.simulator.world().set_faults(Vec::new());
        // The pass that was begun goes on amid the list, and misses what was not shown: only the
        // next one reads it whole.
        site.run(&["sync"]);
        site.sync();
        assert_eq!(site.json(&["health"], 0)["verdict"], "ok", "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_was_told_while_the_webhook_refuses_or_there_is_none() {
    let site = Site::new(Kind::Sqlite, world(40, 309)).await;
    let listener = Listener::start().await;
    listener.answer_with(500);
    let main = std::fs::read_to_string(site.path().join("classy-sync.toml")).unwrap();
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    site.write_organization(10001, "client-10001", "wrong", &base, &token);
    let mut daemon = Daemon::start(&site, "").await;
    until("it is tried", LONG, async || listener.heard().len() >= 2).await;
    let alert = daemon.get("/api/v1/alerts").await.json()[0].clone();
    assert!(
        alert["notices"] == 0 && alert["told_at"].is_null() && alert["told_by"].is_null(),
        "{alert}"
    );
    assert!(daemon.get("/alerts").await.body.contains("not told yet"));
    daemon.process.kill().unwrap();
    drop(daemon);
    std::fs::write(
        site.path().join("classy-sync.toml"),
        format!("{main}{EAGER}"),
    )
    .unwrap();
    let daemon = Daemon::start(&site, "").await;
    until("the log has it", LONG, async || {
        daemon.get("/api/v1/alerts").await.json()[0]["told_by"] == "log"
    })
    .await;
    assert!(
        daemon
            .get("/alerts")
            .await
            .body
            .contains("told to nobody: no webhook is configured")
    );
    until("it is written down", LONG, async || {
        site.json(&["alerts", "list"], 0)[0]["told_by"]
            .as_str()
            .is_some()
    })
    .await;
    assert!(
        site.json(&["alerts", "list"], 0)[0]["told_by"]
            .as_str()
            .unwrap()
            .contains("the log alone")
    );
}
