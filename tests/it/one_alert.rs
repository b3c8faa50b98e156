//! However many organizations a cause strikes, and whatever becomes of it: it is one alert, also
//! after a restart, and another cause beside it is another one.

use crate::alerting::{LONG, SOON, behind, fronted, open, origin, told, verdict};
use crate::peers::Front;
use crate::web::{Daemon, until};

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
