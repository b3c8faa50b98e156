//! What happens when something goes wrong: who is told, what, how often, and what is true
//! afterwards.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, Front, Listener, TOKEN, Wire, until};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Fault, Options};
use std::time::Duration;

pub const LONG: Duration = Duration::from_secs(60);
/// Two looks, and what the database may take to be given up on.
pub const SOON: Duration = Duration::from_secs(2 * 5 + 4);

/// Feeds that look for changes all the time.
pub const EAGER: &str = "[sync]\nsupporters = \"2s\"\ncampaigns = \"2s\"\ndesignations = \"2s\"\nfundraising_pages = \"2s\"\n\
     transactions = \"2s\"\nrecurring_plans = \"2s\"\n";

pub async fn verdict(daemon: &Daemon) -> String {
    daemon.get("/api/v1/health").await.json()["verdict"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Notices about one cause.
pub fn told(listener: &Listener, word: &str, cause: &str) -> usize {
    listener
        .heard()
        .iter()
        .filter(|text| text.contains(word) && text.contains(cause))
        .count()
}

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
async fn samples_become_hours_days_and_nothing_and_alerts_are_one_for_each_cause() {
    use classy_sync::store::{AlertRow, Sample, Settings, Store};
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let database = crate::backend::Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: database.url.clone().into(),
            max_connections: 2,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.put_organization(7, "Seven").await.unwrap();
        let noon = chrono::DateTime::<chrono::Utc>::from_timestamp(
            1_700_000_000 / 86_400 * 86_400 + 43_200,
            0,
        )
        .unwrap();
        let sample = |minute: i64, id: Option<i64>, value: f64| Sample {
            at: noon + chrono::TimeDelta::minutes(minute),
            classy_id: id,
            metric: "supporters.rate".to_owned(),
            value,
        };
        let samples = [
            sample(1, Some(7), 10.0),
            sample(59, Some(7), 20.5),
            sample(61, Some(7), 4.0),
            sample(1, None, 1.0),
            sample(1, Some(8), 9.0),
        ];
        store.add_samples(&samples).await.unwrap();
        let values = async || {
            store
                .samples(Some(7), "supporters.rate", 10)
                .await
                .unwrap()
                .into_iter()
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
        };
        assert_eq!(values().await, [10.0, 20.5, 4.0], "{kind:?}");
        store
            .roll_up_samples(noon + chrono::TimeDelta::minutes(239))
            .await
            .unwrap();
        assert_eq!(
            values().await,
            [10.0, 20.5, 4.0],
            "{kind:?}: no whole hour is old enough"
        );
        store
            .roll_up_samples(noon + chrono::TimeDelta::hours(5))
            .await
            .unwrap();
        assert_eq!(values().await, [15.25, 4.0], "{kind:?}: hours");
        store
            .roll_up_samples(noon + chrono::TimeDelta::days(32))
            .await
            .unwrap();
        assert_eq!(values().await, [9.625], "{kind:?}: a day");
        assert_eq!(
            store
                .samples(None, "supporters.rate", 10)
                .await
                .unwrap()
                .len(),
            1,
            "{kind:?}: the process's own stay apart"
        );
        store
            .roll_up_samples(noon + chrono::TimeDelta::days(900))
            .await
            .unwrap();
        assert!(values().await.is_empty(), "{kind:?}: bounded");
        let alert = |id| AlertRow {
            id: 0,
            classy_id: id,
            key: "database".to_owned(),
            severity: "failing".to_owned(),
            message: "it is away".to_owned(),
            opened_at: noon,
            last_seen_at: noon,
            acknowledged_at: None,
            resolved_at: None,
            count: 1,
            notices: 0,
            notified_at: None,
            notified_by: None,
        };
        let [first, again, other] = [alert(None), alert(None), alert(Some(7))];
        let first = store.open_alert(&first).await.unwrap().unwrap();
        assert_eq!(
            store.open_alert(&again).await.unwrap().unwrap().id,
            first.id,
            "{kind:?}: one for each cause"
        );
        assert_ne!(
            store.open_alert(&other).await.unwrap().unwrap().id,
            first.id
        );
        assert!(
            store.acknowledge_alert(first.id, noon).await.unwrap()
                && !store.acknowledge_alert(4_711, noon).await.unwrap()
        );
        store
            .update_alert(&AlertRow {
                resolved_at: Some(noon),
                ..first.clone()
            })
            .await
            .unwrap();
        let (open, all) = (
            store.alerts(None, false, 9).await.unwrap(),
            store.alerts(None, true, 9).await.unwrap(),
        );
        assert_eq!(
            (open.len(), all.len(), all[1].acknowledged_at),
            (1, 2, Some(noon)),
            "{kind:?}"
        );
        assert!(
            !store.acknowledge_alert(first.id, noon).await.unwrap(),
            "{kind:?}: it is over"
        );
        assert!(
            store.giving_by_month(7, noon).await.unwrap().is_empty()
                && store.plugin_lags(None).await.unwrap().is_empty()
        );
        assert!(
            store.reject_counts(noon).await.unwrap().is_empty()
                && store.delivery_counts(7).await.unwrap().is_empty()
        );
        store.close().await.unwrap();
    }
}

/// Open alerts: whose, about what, in which words.
pub async fn open(daemon: &Daemon) -> Vec<(Option<i64>, String, String)> {
    let alerts = daemon.get("/api/v1/alerts").await.json();
    let word = |alert: &serde_json::Value, key: &str| alert[key].as_str().unwrap().to_owned();
    alerts
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| {
            (
                alert["classy_id"].as_i64(),
                word(alert, "key"),
                word(alert, "message"),
            )
        })
        .collect()
}

/// Organizations with somebody in front of their Classy, and somebody who hears of alerts.
pub async fn fronted(organizations: Vec<i64>, seed: u64) -> (Site, Front, Listener) {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: organizations.clone(),
            ..world(30, seed)
        },
    )
    .await;
    let front = Front::at("127.0.0.1:0", &origin(&site)).await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    for id in organizations {
        behind(&site, &front, id);
    }
    (site, front, listener)
}

fn origin(site: &Site) -> String {
    url::Url::parse(&site.simulator.base_url())
        .unwrap()
        .origin()
        .ascii_serialization()
}

fn behind(site: &Site, front: &Front, id: i64) {
    let (base, token) = (
        front.url(&site.simulator.base_url()),
        front.url(&site.simulator.token_url()),
    );
    site.write_organization(
        id,
        &format!("client-{id}"),
        &format!("secret-of-{id}"),
        &base,
        &token,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_503_for_one_organization_is_one_alert_that_a_restart_does_not_raise_again() {
    let (site, front, listener) = fronted(vec![10001, 10002], 306).await;
    let mut daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.answer("/organizations/10001", 503);
    // Longer than it takes until each feed is late, too.
    until("it fails", LONG, async || {
        told(
            &listener,
            "FAILING",
            "Classy answers 503 for organization 10001",
        ) == 1
    })
    .await;
    tokio::time::sleep(SOON / 2).await;
    let alerts = open(&daemon).await;
    assert!(
        alerts.len() == 1 && (alerts[0].0, alerts[0].1.as_str()) == (Some(10001), "source"),
        "{alerts:?}"
    );
    let message = &alerts[0].2;
    assert!(
        message.starts_with("Classy answers 503") && message.contains("not up to date for"),
        "{message}"
    );
    let before = listener.heard().len();
    assert!(
        (1..=2).contains(&before),
        "once degraded, once failing: {:?}",
        listener.heard()
    );
    let page = daemon.get("/organizations/10001").await.body;
    assert!(
        page.contains("Classy answers 503") && !page.contains("failed too often"),
        "the cause is on the page"
    );
    let health = daemon.get("/api/v1/health").await.json();
    let checks: Vec<_> = health["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["verdict"] != "ok")
        .collect();
    assert!(
        checks[0]["check"] == "source" && checks[0]["consequence"] == false,
        "the cause first: {health}"
    );
    assert!(
        checks.len() > 1 && checks[1..].iter().all(|one| one["consequence"] == true),
        "{health}"
    );
    assert_eq!(
        daemon.get("/api/v1/organizations/10002").await.json()["verdict"],
        "ok",
        "the other one is well"
    );
    let listed = site.json(&["alerts", "list"], 0);
    assert!(
        listed[0]["told_by"] == "webhook" && listed[0]["told"] == before,
        "{listed}"
    );
    daemon.process.kill().unwrap();
    drop(daemon);
    let daemon = Daemon::start(&site, "").await;
    let failed = async || {
        open(&daemon).await.len() == 1
            && daemon
                .get("/organizations/10001")
                .await
                .body
                .contains("Classy answers 503")
    };
    until("it fails again", LONG, failed).await;
    tokio::time::sleep(SOON / 2).await;
    assert_eq!(
        (listener.heard().len(), open(&daemon).await.len()),
        (before, 1),
        "known already: {:?}",
        listener.heard()
    );
    front.answer("/organizations/10001", 200);
    // Where a process gave up for minutes another one need not wait so long.
    drop(daemon);
    let daemon = Daemon::start(&site, "").await;
    until("it is over", LONG, async || {
        told(&listener, "RESOLVED", "organization 10001") == 1 && verdict(&daemon).await == "ok"
    })
    .await;
    assert!(
        listener.heard().len() == before + 1 && open(&daemon).await.is_empty(),
        "{:?}",
        listener.heard()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_behind_fifteen_organizations_is_one_alert_and_another_cause_beside_it_another_one()
 {
    let (site, front, listener) = fronted((10001..=10017).collect(), 307).await;
    // An address at which nobody listens yet.
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = front.moved(dead);
    (10001..=10015).for_each(|id| behind(&site, &nobody, id));
    let base = front.url(&site.simulator.base_url());
    site.write_organization(
        10016,
        "client-10016",
        "wrong",
        &base,
        &front.url(&site.simulator.token_url()),
    );
    let daemon = Daemon::start(&site, "").await;
    let all = async || {
        told(&listener, "", "nobody answers at") >= 1
            && told(&listener, "FAILING", "organization 10016") >= 1
    };
    until("both are told", LONG, all).await;
    tokio::time::sleep(SOON).await;
    let alerts = open(&daemon).await;
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    let dead_one = alerts.iter().find(|alert| alert.0.is_none()).unwrap();
    assert!(
        dead_one.2.contains(&format!("nobody answers at {dead}"))
            && dead_one.2.contains("15 organizations wait"),
        "{dead_one:?}"
    );
    assert!(listener.heard().len() <= 3, "{:?}", listener.heard());
    assert_ne!(
        daemon.get("/api/v1/organizations/10007").await.json()["verdict"],
        "ok",
        "each of them knows"
    );
    assert_eq!(
        daemon.get("/api/v1/organizations/10017").await.json()["verdict"],
        "ok"
    );
    let _there = Front::at(&dead.to_string(), &origin(&site)).await;
    until("it is over", 2 * LONG, async || {
        told(&listener, "RESOLVED", "nobody answers at") == 1
    })
    .await;
    let left = open(&daemon).await;
    assert!(left.len() == 1 && left[0].0 == Some(10016), "{left:?}");
    // It may have become failing meanwhile, and is over.
    let heard = listener.heard();
    assert!(
        (2..=3).contains(
            &heard
                .iter()
                .filter(|text| text.contains("nobody answers"))
                .count()
        ),
        "{heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_that_becomes_another_one_leaves_one_alert() {
    let (site, front, listener) = fronted(vec![10001], 308).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.answer("/organizations/10001", 503);
    until("it is told", LONG, async || {
        told(&listener, "", "Classy answers 503") >= 1
    })
    .await;
    front.answer("/organizations/10001", 401);
    until("the other one is told", LONG, async || {
        told(&listener, "FAILING", "refused") == 1
    })
    .await;
    let is_left = async || {
        let alerts = open(&daemon).await;
        alerts.len() == 1 && alerts[0].1 == "organization" && alerts[0].2.contains("refused")
    };
    until("one is left", LONG, is_left).await;
    tokio::time::sleep(SOON).await;
    assert!(
        is_left().await && told(&listener, "RESOLVED", "") == 0,
        "{:?}",
        listener.heard()
    );
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
