//! One cause, one alert, from its first notice to its end, whatever is still answered beside it.

use crate::alerting::{EAGER, LONG, SOON, fronted, open, told, verdict};
use crate::backend::{Kind, kinds};
use crate::peers::{Front, Listener};
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, until};
use classy_sync::simulator::{Fault, Kind as List, Options};

/// Runs of an organization that failed.
async fn failed_runs(site: &Site) -> i64 {
    site.number("SELECT COUNT(*) AS n FROM sync_runs WHERE outcome = 'failed'")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_answer_503_are_one_alert_though_the_organization_itself_is_answered() {
    let (site, front, listener) = fronted(vec![10001], 310).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.answer("/organizations/10001/", 503);
    // Each list was given up on, the organization was asked for each time, and some were tried
    // again.
    until("runs fail", 3 * LONG, async || {
        failed_runs(&site).await >= 6
    })
    .await;
    tokio::time::sleep(SOON).await;
    let alerts = open(&daemon).await;
    assert!(
        alerts.len() == 1 && (alerts[0].0, alerts[0].1.as_str()) == (Some(10001), "source"),
        "{alerts:?}"
    );
    assert!(
        alerts[0].2.starts_with("Classy answers 503") && !alerts[0].2.contains("answers again"),
        "{alerts:?}"
    );
    let heard = listener.heard();
    assert!(
        told(&listener, "RESOLVED", "") == 0 && (1..=2).contains(&heard.len()),
        "{heard:?}"
    );
    front.answer("/organizations/10001/", 200);
    drop(daemon);
    let daemon = Daemon::start(&site, "").await;
    until("it is over", LONG, async || {
        told(&listener, "RESOLVED", "organization 10001") == 1 && verdict(&daemon).await == "ok"
    })
    .await;
    assert!(
        listener.heard().len() == heard.len() + 1 && open(&daemon).await.is_empty(),
        "{:?}",
        listener.heard()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_list_that_answers_503_is_one_alert_that_names_it_while_the_others_are_read() {
    let (site, front, listener) = fronted(vec![10001], 311).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.answer("/organizations/10001/supporters", 503);
    until("runs fail", 3 * LONG, async || {
        failed_runs(&site).await >= 2
    })
    .await;
    tokio::time::sleep(SOON).await;
    let alerts = open(&daemon).await;
    assert!(
        alerts.len() == 1 && alerts[0].0 == Some(10001),
        "{alerts:?}"
    );
    assert!(
        alerts[0].2.contains("Classy answers 503") && alerts[0].2.contains("supporters"),
        "{alerts:?}"
    );
    assert!(!alerts[0].2.contains("campaigns"), "{alerts:?}");
    let heard = listener.heard();
    assert!(
        told(&listener, "RESOLVED", "") == 0 && (1..=2).contains(&heard.len()),
        "{heard:?}"
    );
    assert!(
        heard.iter().all(|text| text.contains("503")),
        "the cause from the first notice on: {heard:?}"
    );
    let edited = edit_a_campaign(&site);
    until("others are read", LONG, async || {
        site.number(&edited).await == 1
    })
    .await;
    front.answer("/organizations/10001/supporters", 200);
    drop(daemon);
    let daemon = Daemon::start(&site, "").await;
    until("it is over", LONG, async || {
        told(&listener, "RESOLVED", "organization 10001") == 1 && verdict(&daemon).await == "ok"
    })
    .await;
    assert!(
        listener.heard().len() == heard.len() + 1 && open(&daemon).await.is_empty(),
        "{:?}",
        listener.heard()
    );
}

/// Whatever it is that all lists answer, and though one fails before the others do.
async fn lists_answer_alike(status: u16, word: &str, seed: u64) {
    let (site, front, listener) = fronted(vec![10001], seed).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.answer("/organizations/10001/", status);
    // Each is tried for half a minute before it is given up on.
    until("several lists fail", 6 * LONG, async || {
        failed_runs(&site).await >= 4 && told(&listener, "", word) >= 1
    })
    .await;
    tokio::time::sleep(SOON).await;
    let (alerts, heard) = (open(&daemon).await, listener.heard());
    assert!(
        alerts.len() == 1 && alerts[0].0 == Some(10001) && alerts[0].2.contains(word),
        "{status}: {alerts:?}"
    );
    assert!(
        told(&listener, "RESOLVED", "") == 0 && (1..=2).contains(&heard.len()),
        "{status}: {heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_send_us_elsewhere_are_one_alert() {
    lists_answer_alike(302, "redirect", 316).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_do_not_take_our_question_are_one_alert() {
    lists_answer_alike(400, "status 400", 318).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_we_may_not_read_are_one_alert() {
    lists_answer_alike(403, "permission", 317).await;
}

/// Renames one; answers with the question whether that has arrived.
fn edit_a_campaign(site: &Site) -> String {
    let mut world = site.simulator.world();
    let id = world
        .list(ORGANIZATION, List::Campaigns)
        .unwrap()
        .iter()
        .next()
        .unwrap()
        .id;
    assert!(world.edit(
        ORGANIZATION,
        List::Campaigns,
        id,
        &[("name", "\"Renamed\"".to_owned())],
        true
    ));
    "SELECT COUNT(*) AS n FROM campaigns WHERE name = 'Renamed'".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_answers_is_told_with_its_cause_before_its_run_has_ended() {
    let (site, front, listener) = fronted(vec![10001], 312).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10001).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    front.hush("/organizations/10001/supporters");
    until("it is told", 2 * LONG, async || {
        !listener.heard().is_empty()
    })
    .await;
    tokio::time::sleep(SOON).await;
    let (heard, alerts) = (listener.heard(), open(&daemon).await);
    assert!(
        heard
            .iter()
            .all(|text| text.contains("no answer from") && text.contains("supporters")),
        "{heard:?}"
    );
    assert!(
        alerts.len() == 1 && failed_runs(&site).await == 0,
        "{alerts:?}"
    );
    let edited = edit_a_campaign(&site);
    until("others are read", LONG, async || {
        site.number(&edited).await == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_does_not_end_is_named_and_its_siblings_go_on() {
    for fault in [Fault::IgnoresPage, Fault::Endless] {
        let site = Site::new(
            Kind::Sqlite,
            Options {
                faults: vec![fault],
                ..world(300, 313)
            },
        )
        .await;
        let listener = Listener::start().await;
        site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
        let daemon = Daemon::start(&site, "").await;
        until("it is told", 2 * LONG, async || {
            told(&listener, "", "does not end") >= 1
        })
        .await;
        assert_ne!(verdict(&daemon).await, "ok", "{fault}");
        let page = daemon.get("/organizations/10001").await.body;
        assert!(page.contains("does not end"), "{fault}: the page says why");
        let health = daemon.get("/api/v1/health").await.body;
        assert!(health.contains("does not end"), "{fault}: {health}");
        // Also while it is walked again and again.
        let edited = edit_a_campaign(&site);
        until("siblings are read", LONG, async || {
            site.number(&edited).await == 1
        })
        .await;
        assert_ne!(verdict(&daemon).await, "ok", "{fault}");
    }
}

/// Alerts of the database: all, and open ones.
async fn rows(site: &Site) -> (i64, i64) {
    let all = site.number("SELECT COUNT(*) AS n FROM alerts").await;
    (
        all,
        site.number("SELECT COUNT(*) AS n FROM alerts WHERE resolved_at IS NULL")
            .await,
    )
}

async fn two_see_a_dead_host(kind: Kind) {
    let organizations: Vec<i64> = (20_001..=20_008).collect();
    let site = Site::new(
        kind,
        Options {
            organizations: organizations.clone(),
            ..world(20, 315)
        },
    )
    .await;
    let server = url::Url::parse(&site.simulator.base_url())
        .unwrap()
        .origin()
        .ascii_serialization();
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = Front::at("127.0.0.1:0", &server).await.moved(dead);
    for id in &organizations {
        let (base, token) = (
            nobody.url(&site.simulator.base_url()),
            nobody.url(&site.simulator.token_url()),
        );
        site.write_organization(
            *id,
            &format!("client-{id}"),
            &format!("secret-of-{id}"),
            &base,
            &token,
        );
    }
    let twin = site.twin();
    let daemon = Daemon::start(&site, "").await;
    let mut second = twin.start(&["run"]);
    let holders = "SELECT COUNT(DISTINCT holder) AS n FROM leases WHERE holder <> ''";
    until("they share", LONG, async || site.number(holders).await == 2).await;
    until("it is told", 2 * LONG, async || {
        told(&listener, "", "nobody answers at") >= 1
    })
    .await;
    until("it is failing", 2 * LONG, async || {
        told(&listener, "FAILING", "nobody answers at") >= 1
    })
    .await;
    // Long enough for the second one's feeds to be late, too.
    tokio::time::sleep(2 * SOON).await;
    let heard = listener.heard();
    assert!(heard.len() <= 2, "{kind:?}: {heard:?}");
    assert_eq!(rows(&site).await, (1, 1), "{kind:?}: {heard:?}");
    assert_eq!(open(&daemon).await.len(), 1, "{kind:?}");
    // Whoever of the two told of it is gone: nothing is told again, and nothing is over.
    second.kill().unwrap();
    second.wait().unwrap();
    tokio::time::sleep(LONG + SOON).await;
    assert_eq!(
        (listener.heard().len(), rows(&site).await),
        (heard.len(), (1, 1)),
        "{kind:?}: {:?}",
        listener.heard()
    );
    let _there = Front::at(&dead.to_string(), &server).await;
    until("it is over", 3 * LONG, async || {
        told(&listener, "RESOLVED", "nobody answers at") == 1
    })
    .await;
    until("it is written down", 3 * LONG, async || {
        rows(&site).await == (1, 0)
    })
    .await;
    assert_eq!(
        listener.heard().len(),
        heard.len() + 1,
        "{kind:?}: {:?}",
        listener.heard()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_that_see_one_dead_host_raise_one_alert_which_ends_once() {
    futures_util::future::join_all(kinds().into_iter().map(two_see_a_dead_host)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_stopped_for_a_while_raises_no_alert_for_that() {
    let (site, _front, listener) = fronted(vec![10001, 10002, 10003], 316).await;
    let daemon = Daemon::start(&site, "").await;
    until("all is well", LONG, async || {
        site.runs(10003).await >= 8 && verdict(&daemon).await == "ok"
    })
    .await;
    // Longer than two intervals and the slack, and the gap that a slow look may have.
    crate::daemons::signal(&daemon.process, "-STOP");
    tokio::time::sleep(std::time::Duration::from_secs(45)).await;
    crate::daemons::signal(&daemon.process, "-CONT");
    let before = site.runs(10001).await;
    until("it reads on", LONG, async || {
        site.runs(10001).await > before + 8
    })
    .await;
    tokio::time::sleep(SOON).await;
    assert!(open(&daemon).await.is_empty(), "{:?}", open(&daemon).await);
    assert_eq!(listener.heard(), [] as [String; 0]);
}
