//! What is shown to whoever may look: names are text and no page shows a secret, changes are heard
//! once, and status is answered whatever is being loaded.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, LONG, TOKEN, loaded, until};
use classy_sync::entities::Entity;
use classy_sync::simulator::{Kind as List, Options};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_is_called_is_text_and_no_page_shows_a_secret() {
    for kind in kinds() {
        let evil = "<img src=x onerror=alert(1)>\"&";
        let site = Site::new(kind, world(80, 205)).await;
        {
            let mut world = site.simulator.world();
            let ids: Vec<i64> = world.organizations[&ORGANIZATION].lists[&List::Campaigns]
                .iter()
                .map(|record| record.id)
                .collect();
            for id in ids {
                world.edit(
                    ORGANIZATION,
                    List::Campaigns,
                    id,
                    &[("name", serde_json::json!(evil).to_string())],
                    true,
                );
            }
        }
        let file = site.path().join("organizations/10001.toml");
        let text = std::fs::read_to_string(&file)
            .unwrap()
            .replace("Test 10001", "<b>Acme</b>");
        std::fs::write(&file, text).unwrap();
        let daemon = Daemon::start(&site, TOKEN).await;
        until("it is loaded", LONG, async || {
            site.is_read(ORGANIZATION).await
        })
        .await;
        let mut all = String::new();
        for path in [
            "/",
            "/alerts",
            "/organizations/10001",
            "/organizations/10001/giving",
            "/login",
            "/metrics",
            "/api/v1/status",
        ] {
            let answer = daemon.get(path).await;
            assert_eq!(answer.status, 200, "{kind:?} {path}: {}", answer.body);
            all.push_str(&answer.body);
        }
        for path in [
            "/api/v1/health",
            "/api/v1/organizations",
            "/api/v1/organizations/10001",
            "/api/v1/alerts?all=true",
            "/api/v1/runs",
        ] {
            let answer = daemon.get(path).await;
            assert!(
                answer.json().is_array() || answer.json().is_object(),
                "{path}"
            );
            all.push_str(&answer.body);
        }
        assert!(
            all.contains("&lt;img src=x") && all.contains("&lt;b&gt;Acme"),
            "{kind:?}"
        );
        // JSON is not a page; in pages neither may be markup.
        assert!(
            !all.contains("<img src=x")
                && all.matches("<b>Acme").count() == all.matches("\"<b>Acme</b>\"").count()
        );
        assert!(!all.contains("Not shown"), "{kind:?}: a section is missing");
        all.push_str(&Daemon::log(&site));
        for secret in [TOKEN, "secret-of-10001", crate::site::KEY, "AAECAwQF"] {
            assert!(!all.contains(secret), "{kind:?}: {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_hears_everything_once_and_then_what_changes() {
    let (site, daemon) = loaded(Kind::Sqlite, 208).await;
    let first = daemon.hear("\"entity\":\"transactions\"", LONG).await;
    assert_eq!(
        (
            first.matches("event: health").count(),
            first.matches("event: feed").count()
        ),
        (1, Entity::COUNT),
        "{first}"
    );
    // The same feed again, since its run count rose.
    let mut sync = site.command(&["sync", "--entity", "campaigns"]);
    let syncs = tokio::task::spawn_blocking(move || {
        (0..6).all(|_| sync.output().unwrap().status.success())
    });
    let heard = daemon.hear("\"runs\":7", LONG).await;
    assert!(syncs.await.unwrap());
    assert!(heard.matches("event: feed").count() >= 5, "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_organizations_load_and_status_is_answered_all_the_while() {
    let organizations: Vec<i64> = (20_001..=20_020).collect();
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations,
            ..world(400, 207)
        },
    )
    .await;
    let daemon = Daemon::start(&site, "").await;
    // On a thread of its own: this test's runtime is busy with the simulated API.
    let address = daemon.base.trim_start_matches("http://").to_owned();
    let ask = move || {
        let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
        let mut took = Vec::new();
        for round in 0..300 {
            let path = ["/api/v1/status", "/api/v1/health", "/metrics"][round % 3];
            let begin = std::time::Instant::now();
            stream
                .get_mut()
                .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
                .unwrap();
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).unwrap();
                length = line
                    .strip_prefix("content-length: ")
                    .map_or(length, |text| text.trim().parse().unwrap());
            }
            std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).unwrap();
            took.push(begin.elapsed());
            std::thread::sleep(Duration::from_millis(10));
        }
        took
    };
    let mut took = tokio::task::spawn_blocking(ask).await.unwrap();
    took.sort();
    println!(
        "p50 {:?}, p99 {:?}, longest {:?}",
        took[150], took[297], took[299]
    );
    // Unoptimized, beside other tests: what this machine's scheduler may cost on top of the
    // promised 20 ms.
    assert!(took[270] < Duration::from_millis(250), "{:?}", took[270]);
    let metrics = daemon.get("/metrics").await.body;
    assert!(
        metrics.contains("classy_sync_feed_loaded{feed=\"transactions\"}")
            && !metrics.contains("organization=\"2"),
        "{metrics}"
    );
    std::fs::write(site.path().join("classy-sync.toml"), {
        let text = std::fs::read_to_string(site.path().join("classy-sync.toml")).unwrap();
        text.replace("[http]\n", "[http]\nmetrics_per_organization = true\n")
    })
    .unwrap();
    assert!(site.run(&["reload"]).status.success());
    let metrics = daemon.get("/metrics").await.body;
    assert!(
        metrics.contains("classy_sync_feed_loaded{organization=\"20020\",feed=\"transactions\"}"),
        "{metrics}"
    );
}
