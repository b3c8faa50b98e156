//! What a person ordered is in force when the answer is there: a paused organization is not asked
//! for once more, and a resumed one is read at once. What a `sync` beside a daemon says is in
//! `sync_beside`.

use crate::backend::Kind;
use crate::daemons::{EAGER, end, until};
use crate::pair::{OTHER, SOON, site};
use crate::site::{Site, world};
use crate::web::{Daemon, TOKEN};
use classy_sync::simulator::Fault;
use std::time::{Duration, Instant};

/// Requests that were made for an organization at both services; tokens are asked for by address,
/// which is everybody's.
fn asked(site: &Site, id: i64) -> usize {
    let (id, audience) = (
        id.to_string(),
        site.simulator.world().organizations[&id]
            .mailchimp_audience
            .clone(),
    );
    let classy = site
        .simulator
        .ledger()
        .requests
        .iter()
        .filter(|entry| entry.path.contains(&id))
        .count();
    let mailchimp = site
        .simulator
        .mailchimp()
        .ledger
        .requests
        .iter()
        .filter(|one| format!("{one:?}").contains(&audience))
        .count();
    classy + mailchimp
}

async fn is_silent(site: &Site, id: i64, what: &str) {
    let before = asked(site, id);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(asked(site, id), before, "{what}: requests after the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_not_one_more_request_is_made_and_after_a_resume_it_is_read_at_once() {
    let site = site(1_300).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    let bearer = format!("Bearer {TOKEN}");
    let by_http = async |word: &str| {
        let path = format!("/api/v1/organizations/10001/{word}");
        daemon
            .post(&path, &[("authorization", &bearer)])
            .await
            .json()
    };
    for turn in 0..3 {
        let before = asked(&site, 10001);
        until("it is read", SOON, async || {
            asked(&site, 10001) > before + 3
        })
        .await;
        if turn % 2 == 0 {
            site.json(&["org", "pause", "10001"], 0);
        } else {
            let answer = by_http("pause").await;
            assert_eq!(
                (&answer["in_force"], &answer["status"]),
                (&true.into(), &"paused".into()),
                "{answer}"
            );
        }
        is_silent(&site, 10001, "paused").await;
        let before = asked(&site, 10001);
        if turn % 2 == 0 {
            site.json(&["org", "resume", "10001"], 0);
        } else {
            by_http("resume").await;
        }
        until("it is read at once", Duration::from_secs(60), async || {
            asked(&site, 10001) > before
        })
        .await;
    }
    // Credentials of no use are used at once, and so are those of before again.
    let set = |secret: &str| {
        let mut command =
            site.command(&["org", "set-credentials", "10001", "--secret-env", "SECRET"]);
        let output =
            tokio::task::block_in_place(|| command.env("SECRET", secret).output().unwrap());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let refused = || {
        site.simulator
            .ledger()
            .requests
            .iter()
            .filter(|one| one.path == "/oauth2/auth" && one.status == 400)
            .count()
    };
    assert_eq!(refused(), 0);
    set("of-no-use");
    until("it is refused", Duration::from_secs(60), async || {
        refused() > 0
    })
    .await;
    let suspended =
        "SELECT COUNT(*) AS n FROM organizations WHERE classy_id = 10001 AND status = 'suspended'";
    until("it is suspended", SOON, async || {
        site.number(suspended).await == 1
    })
    .await;
    set("secret-of-10001");
    let before = asked(&site, 10001);
    until("it is read again", Duration::from_secs(60), async || {
        asked(&site, 10001) > before + 3
    })
    .await;
    site.json(&["org", "remove", "10001"], 0);
    is_silent(&site, 10001, "removed").await;
    let before = asked(&site, OTHER);
    until("the other one is read all the time", SOON, async || {
        asked(&site, OTHER) > before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_does_not_wait_for_a_source_that_does_not_answer() {
    let site = Site::new(Kind::Sqlite, world(500, 1_301)).await;
    site.configure(EAGER);
    let _daemon = Daemon::start(&site, "").await;
    until("it is read", SOON, async || site.is_read(10001).await).await;
    site.simulator.world().set_faults(vec![Fault::Hang]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begin = Instant::now();
    site.json(&["org", "pause", "10001"], 0);
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    site.simulator.world().set_faults(Vec::new());
    is_silent(&site, 10001, "paused while it hung").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_there_and_does_not_answer_is_named() {
    // It is quiet once everything was read, so that it is not frozen in the middle of a write.
    let site = Site::new(Kind::Sqlite, world(30, 1_305)).await;
    let daemon = Daemon::start(&site, "").await;
    until("it is read", SOON, async || site.is_read(10001).await).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    crate::daemons::signal(&daemon.process, "-STOP");
    let output = site.run(&["org", "pause", "10001"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    crate::daemons::signal(&daemon.process, "-CONT");
    assert!(
        said.contains(&format!("process {} is at work", daemon.process.id())),
        "{said}"
    );
    assert!(matches!(output.status.code(), Some(0 | 75)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ordered_here_is_in_force_at_a_daemon_of_another_folder_when_it_is_answered() {
    let site = Site::new(Kind::Sqlite, world(100, 1_306)).await;
    site.configure(EAGER);
    let twin = site.twin();
    let elsewhere = twin.start(&["run"]);
    until("it is read there", SOON, async || site.is_read(10001).await).await;
    let held = "SELECT COUNT(*) AS n FROM leases WHERE holder <> ''";
    site.json(&["org", "pause", "10001"], 0);
    is_silent(&site, 10001, "paused").await;
    // Whoever says that it is active says so when somebody serves it.
    let before = asked(&site, 10001);
    site.json(&["org", "resume", "10001"], 0);
    assert_eq!(site.number(held).await, 1);
    until("it is read at once", Duration::from_secs(60), async || {
        asked(&site, 10001) > before
    })
    .await;
    // With credentials of no use nothing is read any more once they are set, and with those of
    // before everything is.
    let set = |secret: &str| {
        let mut command =
            site.command(&["org", "set-credentials", "10001", "--secret-env", "SECRET"]);
        let output =
            tokio::task::block_in_place(|| command.env("SECRET", secret).output().unwrap());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let read = || {
        site.simulator
            .ledger()
            .requests
            .iter()
            .filter(|one| one.path.contains("10001") && one.status == 200)
            .count()
    };
    set("of-no-use");
    let before = read();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(read(), before, "read with what was replaced");
    set("secret-of-10001");
    until("it is read again", Duration::from_secs(60), async || {
        read() > before
    })
    .await;
    // Nobody is waited for where nobody is.
    assert_eq!(end(elsewhere), Some(0));
    set("secret-of-10001");
    let begin = Instant::now();
    let output = site.run(&["org", "resume", "10001"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success()
            && said.contains("no process serves")
            && begin.elapsed() < Duration::from_secs(20),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_has_not_heard_of_a_resume_looks_before_it_refuses_a_sync() {
    let site = Site::new(Kind::Sqlite, world(40, 1_307)).await;
    site.configure(EAGER);
    let daemon = Daemon::start(&site, TOKEN).await;
    let twin = site.twin();
    let elsewhere = twin.start(&["run"]);
    until("it is read", SOON, async || site.is_read(10001).await).await;
    let bearer = format!("Bearer {TOKEN}");
    for by_http in [false, true] {
        assert!(twin.run(&["org", "pause", "10001"]).status.success());
        let known = async || {
            let status = daemon.get("/api/v1/status").await.json();
            status["organizations"][0]["condition"] == "paused"
        };
        until("the other daemon knows of the pause", SOON, known).await;
        assert!(twin.run(&["org", "resume", "10001"]).status.success());
        let said = if by_http {
            let path = "/api/v1/organizations/10001/sync";
            daemon.post(path, &[("authorization", &bearer)]).await.body
        } else {
            String::from_utf8_lossy(&site.run(&["sync"]).stderr).into_owned()
        };
        assert!(!said.contains("paused"), "{said}");
    }
    assert_eq!(end(elsewhere), Some(0));
}
