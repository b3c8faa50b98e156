//! A disk, a source or the other side of a plugin that does not answer keeps no daemon from
//! stopping.

use crate::backend::Kind;
use crate::daemons::{EAGER, SOON, end, signal, until};
use crate::peers::Front;
use crate::site::{ORGANIZATION, Running, Site, world};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_does_not_answer_keeps_nobody_from_stopping() {
    let site = Site::new(Kind::Sqlite, world(20, 1_405)).await;
    site.configure(EAGER);
    let child = site.start(&["run"]);
    until("it is read", SOON, async || site.is_read(10001).await).await;
    // Whoever opens the main file from now on waits for a minute, as on a disk that is gone.
    let pid = child.id().to_string();
    let slow = [
        "-f",
        "-qq",
        "-P",
        "classy-sync.toml",
        "-e",
        "inject=openat:delay_enter=60000000",
        "-p",
        &pid,
    ];
    let tracer = std::process::Command::new("strace")
        .args(slow)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(tracer) = tracer else {
        eprintln!("skipped: there is no strace");
        return;
    };
    let tracer = Running(tracer);
    let traced = || {
        !std::fs::read_to_string(format!("/proc/{}/status", child.id()))
            .unwrap()
            .contains("TracerPid:\t0\n")
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    if !traced() {
        eprintln!("skipped: this machine lets nobody be traced");
        return;
    }
    let mut reload = site.start(&["reload"]);
    signal(&child, "-HUP");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(reload.try_wait().unwrap().is_none(), "it hangs");
    signal(&child, "-TERM");
    let begin = Instant::now();
    until("it has stopped", Duration::from_secs(60), async || {
        !site.path().join("classy-sync.sock").exists()
            && site.number("SELECT COUNT(*) AS n FROM daemons").await == 0
    })
    .await;
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    // A thread that is held by a tracer holds the process, too.
    drop(tracer);
    let mut child = child;
    assert_eq!(
        tokio::task::block_in_place(|| child.wait().unwrap()).code(),
        Some(0)
    );
}

/// A source that answers a byte a second: a proxy in front of the simulated one.
async fn dripping(target: std::net::SocketAddr) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let server = tokio::net::TcpStream::connect(target).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(
                    async move { tokio::io::copy(&mut from_client, &mut to_server).await },
                );
                let mut byte = [0];
                while from_server.read_exact(&mut byte).await.is_ok()
                    && to_client.write_all(&byte).await.is_ok()
                {
                    tokio::time::sleep(Duration::from_millis(900)).await;
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_drips_keeps_nobody_from_stopping() {
    let site = Site::new(Kind::Sqlite, world(300, 1_407)).await;
    let slow = dripping(site.simulator.address()).await;
    let base = site
        .simulator
        .base_url()
        .replace(&site.simulator.address().to_string(), &slow.to_string());
    assert_ne!(base, site.simulator.base_url());
    let file = site.path().join("organizations/10001.toml");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace(&site.simulator.base_url(), &base);
    std::fs::write(&file, text).unwrap();
    for arguments in [&["run"][..], &["sync"]] {
        let before = site.simulator.ledger().data_requests;
        let mut child = site.start(arguments);
        until("it is asked for", SOON, async || {
            site.simulator.ledger().data_requests > before
        })
        .await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let begin = Instant::now();
        if arguments == ["run"] {
            assert!(site.run(&["stop"]).status.success());
        } else {
            signal(&child, "-TERM");
        }
        let code = tokio::task::block_in_place(|| child.wait().unwrap()).code();
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{arguments:?}: {:?}",
            begin.elapsed()
        );
        assert_eq!(
            code,
            Some(if arguments == ["run"] { 0 } else { 3 }),
            "{arguments:?}"
        );
    }
    // A pause is in force as quickly.
    let before = site.simulator.ledger().data_requests;
    let daemon = site.start(&["run"]);
    until("it is asked for", SOON, async || {
        site.simulator.ledger().data_requests > before
    })
    .await;
    let begin = Instant::now();
    site.json(&["org", "pause", "10001"], 0);
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(end(daemon), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_whose_other_side_does_not_answer_keeps_nobody_from_stopping() {
    let site = Site::new(Kind::Sqlite, world(100, 1_408)).await;
    let server = url::Url::parse(&site.simulator.base_url())
        .unwrap()
        .origin()
        .ascii_serialization();
    let front = Front::at("127.0.0.1:0", &server).await;
    front.hush("/3.0/");
    let table = {
        let (world, url) = (
            site.simulator.world(),
            front.url(&site.simulator.mailchimp_url()),
        );
        let one = &world.organizations[&ORGANIZATION];
        let (key, audience) = (&one.mailchimp_key, &one.mailchimp_audience);
        format!(
            "[plugins.mailchimp]\napi_key = {key:?}\naudience_id = {audience:?}\nbase_url = {url:?}\n"
        )
    };
    let file = site.path().join("organizations/10001.toml");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &table).unwrap();
    let daemon = site.start(&["run"]);
    until("Mailchimp is asked", 2 * SOON, async || {
        front.asked("/3.0/") > 0
    })
    .await;
    let begin = Instant::now();
    assert!(site.run(&["stop"]).status.success());
    // Far below the daemon's own deadline of 30 s, and beyond the 5 s that the other side is given.
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(end(daemon), Some(0));
}
