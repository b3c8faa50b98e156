//! What a source sends must not decide over this program's memory: the real program against sources
//! that send far too much.

use crate::backend::Kind;
use crate::classy::double::{Answer, Double};
use crate::site::{Site, feed, world};
use crate::web::{Daemon, until};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use classy_sync::simulator::Options;
use serde_json::Value;
use std::collections::HashMap;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// More than a program without optimizations needs on a busy machine (85 to 113 were measured), and
/// far less than what is sent.
const MOST_MIB: u64 = 130;

/// A source whose supporters are what the function makes of the page's number (1, 2, ...): the
/// records, and `total`. The ids of an organization begin behind those of the one before.
async fn source(page: impl Fn(u32) -> (Vec<String>, usize) + Send + Sync + 'static) -> String {
    let page = Arc::new(page);
    let list = async move |Path((organization, list)): Path<(i64, String)>,
                           Query(query): Query<HashMap<String, String>>|
                -> Response {
        let number = query
            .get("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(1);
        // Nothing changes after it was read.
        let is_empty = list != "supporters" || query.contains_key("filter");
        let (records, total) = if is_empty {
            (Vec::new(), 0)
        } else {
            page(number)
        };
        let begin = format!("{{\"id\":{}", organization - 10_000);
        let records: Vec<String> = records
            .iter()
            .map(|record| record.replacen("{\"id\":", &begin, 1))
            .collect();
        let body = format!("{{\"data\":[{}],\"total\":{total}}}", records.join(","));
        ([("content-type", "application/json")], Bytes::from(body)).into_response()
    };
    let token = async || {
        (
            [("content-type", "application/json")],
            r#"{"access_token":"0123456789abcdef","expires_in":7200,"token_type":"bearer"}"#,
        )
    };
    let router = Router::new()
        .route("/oauth2/auth", axum::routing::post(token))
        .route("/2.0/organizations/{id}/{list}", axum::routing::get(list));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(tcp, router).await });
    format!("http://{address}")
}

/// A site whose organizations are read from that source.
async fn site(source: &str, organizations: std::ops::Range<i64>) -> Site {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001],
            ..world(1, 1)
        },
    )
    .await;
    for id in organizations {
        site.write_organization(
            id,
            "an-app",
            "a-secret",
            &format!("{source}/2.0"),
            &format!("{source}/oauth2/auth"),
        );
    }
    site
}

/// Syncs to the end, and answers with the report and the most memory that was ever used, in MiB.
async fn sync(site: &Site) -> (Output, Value, u64) {
    let child = site
        .command(&["--output", "json", "sync"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let mut peak = 0;
    while !ended.is_finished() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        });
        peak = peak.max(high.unwrap_or(0) / 1_024);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = ended.await.unwrap();
    println!("the most memory: {peak} MiB");
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report, peak)
}

/// A source that gives a token, and of each list one byte a second.
async fn dripping() -> Double {
    let json = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    Double::new(move |_, request| {
        if request.starts_with("POST") {
            return Answer::Bytes(
                json(r#"{"access_token":"0123456789abcdef","expires_in":7200}"#).into_bytes(),
            );
        }
        let whole = json(&format!(
            "{{\"data\":[{}],\"total\":1}}",
            supporter(1, 2_000)
        ));
        let (head, body) = whole.split_at(whole.find("{\"data").unwrap());
        Answer::Drip(
            head.as_bytes().to_vec(),
            body.as_bytes().to_vec(),
            Duration::from_secs(1),
        )
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_that_drip_do_not_stop_six_quick_ones() {
    let (slow, quick) = (
        vec![10001, 10002],
        vec![10003, 10004, 10005, 10006, 10007, 10008],
    );
    let organizations = [slow.clone(), quick.clone()].concat();
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations,
            ..world(30, 5)
        },
    )
    .await;
    site.configure("[sync]\nmax_concurrent_runs = 2\n");
    let double = dripping().await;
    for id in &slow {
        site.write_organization(
            *id,
            "an-app",
            "a-secret",
            &format!("{}/2.0", double.url()),
            &format!("{}/oauth2/auth", double.url()),
        );
    }
    let begin = std::time::Instant::now();
    let daemon = Daemon::start(&site, "").await;
    until(
        "the quick ones are read",
        Duration::from_secs(60),
        async || {
            for id in &quick {
                if site.runs(*id).await < 4 {
                    return false;
                }
            }
            true
        },
    )
    .await;
    println!("the quick ones were read after {:?}", begin.elapsed());
    // The slow ones were asked, go on, and end as too slow, long before a whole page's deadline.
    assert!(double.count() > 2);
    until(
        "it is told that they are too slow",
        Duration::from_secs(100),
        async || {
            daemon
                .get("/api/v1/organizations/10001")
                .await
                .body
                .contains("is too slow")
        },
    )
    .await;
    assert_eq!(
        daemon.get("/api/v1/organizations/10003").await.json()["verdict"],
        "ok"
    );
}

/// A supporter with a name of this length.
fn supporter(id: u32, name: usize) -> String {
    format!(
        r#"{{"id":{id:06},"first_name":"{}","updated_at":"2025-01-02T03:04:05+0000"}}"#,
        "x".repeat(name)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_150_kb_are_rejected_by_field_and_the_feed_goes_on_in_little_memory() {
    // Two pages of nothing but giants, one with the longest that is taken and one giant, and a
    // short one.
    let source = source(|number| {
        let ids = 100 * (number - 1) + 1..100 * number + 1;
        let records = match number {
            1 | 2 => ids.map(|id| supporter(id, 150_000)).collect(),
            3 => ids
                .map(|id| supporter(id, if id == 250 { 4_001 } else { 4_000 }))
                .collect(),
            4 => ids.take(50).map(|id| supporter(id, 5)).collect(),
            _ => Vec::new(),
        };
        (records, 350)
    })
    .await;
    let site = site(&source, 10001..10002).await;
    let (output, report, peak) = sync(&site).await;
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(feed(&report, "supporters")["rejected"], 201, "{report}");
    assert!(peak < MOST_MIB, "{peak} MiB");
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM supporters").await,
        149
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM supporters WHERE LENGTH(first_name) = 4000")
            .await,
        99
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM rejects WHERE detail LIKE 'first_name: %' AND source_id BETWEEN 1000001 AND 1000250").await,
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_200_000_records_is_a_fault_with_a_name_and_costs_no_memory() {
    let source = source(|number| {
        let ids = 200_000 * (number - 1) + 1..200_000 * number + 1;
        (
            ids.map(|id| format!("{{\"id\":{id:06}}}")).collect(),
            400_000,
        )
    })
    .await;
    let site = site(&source, 10001..10002).await;
    let (output, report, peak) = sync(&site).await;
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let error = feed(&report, "supporters")["error"].to_string();
    assert!(
        error.contains("more than 1000 records, though 100 were asked for"),
        "{report}"
    );
    assert!(
        feed(&report, "transactions")["error"].is_null(),
        "the other feeds are read: {report}"
    );
    assert!(peak < MOST_MIB, "{peak} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_costs_no_memory_and_no_record() {
    let payload = format!(
        r#","metadata":{{"a":"{}"}},"deep":{}{}}}"#,
        "y".repeat(400_000),
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let source = source(move |number| {
        let ids = 100 * (number - 1) + 1..(100 * number + 1).min(151);
        let records = ids
            .map(|id| supporter(id, 10))
            .map(|record| record.trim_end_matches('}').to_owned() + &payload)
            .collect();
        (records, 150)
    })
    .await;
    let site = site(&source, 10001..10002).await;
    let (output, _, peak) = sync(&site).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(peak < MOST_MIB, "{peak} MiB");
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM supporters WHERE LENGTH(first_name) = 10")
            .await,
        150
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_longest_texts_are_stored_exactly_and_not_gathered_in_memory() {
    // 1,500 records with four texts of the longest kind: 24 MB, and twice that as rows.
    let long = |letter: &str| letter.repeat(4_000);
    let texts = format!(
        r#","last_name":"{}","city":"{}","address1":"{}"}}"#,
        long("b"),
        long("c"),
        long("d")
    );
    let source = source(move |number| {
        let ids = 100 * (number - 1) + 1..(100 * number + 1).min(1_501);
        let records = ids
            .map(|id| supporter(id, 4_000))
            .map(|record| record.trim_end_matches('}').to_owned() + &texts)
            .collect();
        (records, 1_500)
    })
    .await;
    let site = site(&source, 10001..10005).await;
    let (output, _, peak) = sync(&site).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Gathered, it would be 570 and more.
    assert!(peak < 200, "{peak} MiB");
    let whole = format!(
        "SELECT COUNT(*) AS n FROM supporters WHERE LENGTH(first_name) = 4000 AND last_name = '{}' AND city = '{}' AND address1 = '{}'",
        long("b"),
        long("c"),
        long("d")
    );
    assert_eq!(site.number(&whole).await, 4 * 1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_sends_far_too_much_at_once_is_read_in_little_memory() {
    let source = source(|number| {
        let ids = 100 * (number - 1) + 1..(100 * number + 1).min(201);
        (
            ids.map(|id| supporter(id, if id % 2 == 0 { 4_000 } else { 150_000 }))
                .collect(),
            200,
        )
    })
    .await;
    let site = site(&source, 10001..10021).await;
    let (output, _, peak) = sync(&site).await;
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(peak < MOST_MIB, "{peak} MiB");
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM supporters WHERE LENGTH(first_name) = 4000")
            .await,
        20 * 100
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM rejects WHERE detail LIKE 'first_name: %'")
            .await,
        20 * 100
    );
}
