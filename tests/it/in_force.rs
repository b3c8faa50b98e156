//! What a person ordered is in force when the answer is there: a paused organization is not asked
//! for once more, a resumed one is read at once, and `sync` says of each organization what became
//! of it.

use crate::backend::Kind;
use crate::daemon::{EAGER, TAKE_OVER, end, until};
use crate::site::{Site, world};
use crate::web::{Daemon, TOKEN};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Fault, Options};
use serde_json::Value;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(30);
const OTHER: i64 = 10002;

/// A site of two organizations, each with Mailchimp, whose lists take long to read.
async fn site(seed: u64) -> Site {
    let latency = Duration::from_millis(30);
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, OTHER],
            latency,
            ..world(4_000, seed)
        },
    )
    .await;
    site.configure(EAGER);
    for id in [10001, OTHER] {
        add_mailchimp(&site, id);
    }
    site
}

pub fn add_mailchimp(site: &Site, id: i64) {
    let (key, audience) = {
        let world = site.simulator.world();
        let one = &world.organizations[&id];
        (one.mailchimp_key.clone(), one.mailchimp_audience.clone())
    };
    let file = site.path().join(format!("organizations/{id}.toml"));
    let url = site.simulator.mailchimp_url();
    let table = format!(
        "[plugins.mailchimp]\nbase_url = {url:?}\napi_key = {key:?}\naudience_id = {audience:?}\n"
    );
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &table).unwrap();
}

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
    crate::daemon::signal(&daemon.process, "-STOP");
    let output = site.run(&["org", "pause", "10001"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    crate::daemon::signal(&daemon.process, "-CONT");
    assert!(
        said.contains(&format!("process {} is at work", daemon.process.id())),
        "{said}"
    );
    assert!(matches!(output.status.code(), Some(0 | 75)), "{said}");
}

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
