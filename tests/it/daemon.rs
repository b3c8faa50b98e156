//! The daemon as its operator meets it: killed, told to stop, started twice, reloaded, and always
//! exact in the end. Several on one database are in `takeover`.

use crate::backend::{Kind as Backend, kinds};
use crate::daemons::{EAGER, end, signal, until};
use crate::site::{ORGANIZATION, Running, Site, world};
use classy_sync::daemon::PidFile;
use classy_sync::simulator::Options;
use rand::RngExt;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times_in_a_row_it_is_at_work_at_once_and_exact_in_the_end() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
    let site = Site::new(
        Backend::Sqlite,
        Options {
            latency: Duration::from_millis(3),
            ..world(1_000, 70)
        },
    )
    .await;
    site.configure(EAGER);
    for _ in 0..20 {
        let before = site.simulator.ledger().data_requests;
        let mut child = site.start(&["run"]);
        until("at work", Duration::from_secs(60), async || {
            site.simulator.ledger().data_requests > before
        })
        .await;
        tokio::time::sleep(Duration::from_millis(random.random_range(10..300))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        site.simulator.world().live(ORGANIZATION, 10);
    }
    let before = site.simulator.ledger().data_requests;
    let child = site.start(&["run"]);
    until("at work", Duration::from_secs(60), async || {
        site.simulator.ledger().data_requests > before
    })
    .await;
    site.sync();
    site.assert_exact().await;
    assert_eq!(end(child), Some(0));
    let check = site.json(&["db", "check"], 0);
    assert!(
        check
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["violations"] == 0),
        "seed {seed}: {check}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_in_the_middle_it_ends_in_order_and_leaves_nothing_held() {
    for kind in kinds() {
        let site = Site::new(
            kind,
            Options {
                latency: Duration::from_millis(20),
                ..world(6_000, 71)
            },
        )
        .await;
        let child = site.start(&["run"]);
        until("something is stored", Duration::from_secs(60), async || {
            site.count("supporters")
                .await
                .is_some_and(|count| count > 0)
        })
        .await;
        let begin = Instant::now();
        assert_eq!(end(child), Some(0), "{kind:?}");
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{kind:?}: {:?}",
            begin.elapsed()
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM leases WHERE holder <> ''")
                .await,
            0,
            "{kind:?}: leases are given back"
        );
        assert_eq!(site.number("SELECT COUNT(*) AS n FROM daemons").await, 0);
        PidFile::lock(
            &site.path().join("classy-sync.pid"),
            classy_sync::daemon::Holder::Command("test"),
        )
        .unwrap();
        let (stored, page) = (
            site.count("supporters").await.unwrap(),
            site.number("SELECT page AS n FROM checkpoints WHERE entity = 'supporters'")
                .await,
        );
        assert!(stored < 6_000, "it was in the middle");
        assert_eq!(
            stored,
            (page - 1) * 100,
            "{kind:?}: the checkpoint is where the rows are"
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM sync_runs WHERE outcome = 'stopped'")
                .await,
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_is_told_who_is_there_and_a_sync_beside_it_is_handed_over() {
    let site = Site::new(Backend::Sqlite, world(200, 72)).await;
    let child = site.start(&["run"]);
    until("the daemon answers", Duration::from_secs(60), async || {
        site.path().join("classy-sync.sock").exists()
    })
    .await;
    let second = site.run(&["run"]);
    assert_eq!(second.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&child.id().to_string()));
    site.simulator.world().live(ORGANIZATION, 50);
    let output = site.run(&["sync"]);
    assert!(
        output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains("a daemon is at work")
    );
    site.assert_exact().await;
    let full = site.json(&["sync", "--full", "--entity", "supporters"], 0);
    assert_eq!(
        (
            &full["organizations"][0]["feeds"][0]["mode"],
            full["organizations"][0]["feeds"].as_array().unwrap().len()
        ),
        (&"full".into(), 1)
    );
    assert_eq!(site.run(&["sync", "--org", "77"]).status.code(), Some(2));
    assert!(site.run(&["stop"]).status.success());
    assert!(!site.path().join("classy-sync.sock").exists());
    let output = site.run(&["stop"]);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stderr).contains("no daemon")
    );
    tokio::task::block_in_place(|| {
        let mut child = child;
        child.wait().unwrap()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_come_change_go_or_are_wrong_take_effect_without_a_restart() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            ..world(60, 73)
        },
    )
    .await;
    let file = |id: i64| site.path().join(format!("organizations/{id}.toml"));
    let second = std::fs::read_to_string(file(10002)).unwrap();
    std::fs::remove_file(file(10002)).unwrap();
    let child = site.start(&["run"]);
    until("the first is read", Duration::from_secs(60), async || {
        site.is_read(10001).await
    })
    .await;
    std::fs::write(file(10002), &second).unwrap();
    assert!(site.run(&["reload"]).status.success());
    until("the second is read", Duration::from_secs(60), async || {
        site.is_read(10002).await
    })
    .await;
    // A wrong file leaves its organization as it was; a wrong main file leaves everything.
    std::fs::write(file(10002), "classy_id = 10002\nnam = 1\n").unwrap();
    assert_eq!(site.run(&["reload"]).status.code(), Some(3));
    site.simulator.world().live(10002, 20);
    site.sync();
    crate::truth::assert_exact(&site.simulator, &site.database, 10002).await;
    let main = std::fs::read_to_string(site.path().join("classy-sync.toml")).unwrap();
    std::fs::write(
        site.path().join("classy-sync.toml"),
        format!("{main}[sync]\nsupporters = \"soon\"\n"),
    )
    .unwrap();
    signal(&child, "-HUP");
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(site.path().join("classy-sync.toml"), main).unwrap();
    site.sync();
    // One that is removed is paused, and its data stays.
    std::fs::remove_file(file(10002)).unwrap();
    assert!(site.run(&["reload"]).status.success());
    let paused =
        "SELECT COUNT(*) AS n FROM organizations WHERE classy_id = 10002 AND status = 'paused'";
    assert_eq!(site.number(paused).await, 1);
    assert_eq!(site.run(&["sync", "--org", "10002"]).status.code(), Some(2));
    assert!(site.count("supporters").await.unwrap() >= 120);
    assert_eq!(end(child), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_suspend_one_organization_until_new_ones_are_set() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            ..world(60, 74)
        },
    )
    .await;
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    site.write_organization(10001, "client-10001", "wrong", &base, &token);
    let child = site.start(&["run"]);
    let suspended = "SELECT COUNT(*) AS n FROM organizations WHERE classy_id = 10001 AND status = 'suspended' AND status_reason LIKE '%refused%'";
    until("it is suspended", Duration::from_secs(60), async || {
        site.reached(suspended, 1).await
    })
    .await;
    until(
        "the other one is served",
        Duration::from_secs(60),
        async || site.is_read(10002).await,
    )
    .await;
    let refused = site
        .simulator
        .ledger()
        .requests
        .iter()
        .filter(|entry| entry.path == "/oauth2/auth" && entry.status == 400)
        .count();
    assert!(
        refused <= 2,
        "{refused} token requests with refused credentials"
    );
    let set = tokio::task::block_in_place(|| {
        site.command(&["org", "set-credentials", "10001", "--secret-env", "SECRET"])
            .env("SECRET", "secret-of-10001")
            .output()
            .unwrap()
    });
    assert!(
        set.status.success(),
        "{}",
        String::from_utf8_lossy(&set.stderr)
    );
    until("it is served again", Duration::from_secs(60), async || {
        site.count_of("supporters", 10001).await == 60
    })
    .await;
    // Paused and resumed by a person, without a restart either.
    site.json(&["org", "pause", "10001"], 0);
    until("it is taken down", Duration::from_secs(60), async || {
        site.run(&["sync", "--org", "10001"]).status.code() != Some(0)
    })
    .await;
    site.json(&["org", "resume", "10001"], 0);
    until("it is back", Duration::from_secs(60), async || {
        site.run(&["sync", "--org", "10001"]).status.code() == Some(0)
    })
    .await;
    crate::truth::assert_exact(&site.simulator, &site.database, 10001).await;
    assert_eq!(end(child), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_when_it_is_ready_alive_reloading_and_stopping() {
    let site = Site::new(Backend::Sqlite, world(60, 77)).await;
    let socket = site.path().join("notify.sock");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager.set_nonblocking(true).unwrap();
    let child = Running(
        site.command(&["run"])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "300000")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut heard = String::new();
    let hear = |heard: &mut String| {
        let mut buffer = [0; 1_024];
        while let Ok(length) = manager.recv(&mut buffer) {
            heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
            heard.push('\n');
        }
    };
    until("ready and alive", Duration::from_secs(60), async || {
        hear(&mut heard);
        heard.matches("READY=1").count() == 1
            && heard.matches("WATCHDOG=1").count() >= 3
            && heard.contains("STATUS=serving")
    })
    .await;
    signal(&child, "-HUP");
    until("reloaded", Duration::from_secs(60), async || {
        hear(&mut heard);
        heard.contains("RELOADING=1")
            && heard.contains("MONOTONIC_USEC=")
            && heard.matches("READY=1").count() == 2
    })
    .await;
    assert_eq!(end(child), Some(0));
    hear(&mut heard);
    assert!(heard.trim_end().contains("STOPPING=1"), "{heard}");
}
