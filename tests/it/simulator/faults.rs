//! What goes wrong, by name (simulator 33, 34, 36). What is turned at run time is in `dials`.

use super::{Answer, Api, ORGANIZATION};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Asks until a fault has shown each of its faces, and answers with those that were not as they
/// should.
async fn struck(api: &Api, times: usize, good: impl Fn(&Answer) -> bool) -> Vec<Answer> {
    let mut bad = Vec::new();
    let mut before = false;
    for _ in 0..times {
        let answer = api.list(Kind::Supporters, &[]).await;
        let is_good = good(&answer);
        assert!(is_good || !before, "never the same list twice in a row");
        before = !is_good;
        if !is_good {
            bad.push(answer);
        }
    }
    assert!(!bad.is_empty());
    bad
}

fn whole(answer: &Answer) -> bool {
    answer.status == 200
        && serde_json::from_str::<Value>(&answer.text).is_ok_and(|body| body["data"].is_array())
}

#[tokio::test]
async fn errors_of_the_server_come_in_all_shapes() {
    let api = Api::new(30, &[Fault::ServerErrors]).await;
    let bad = struck(&api, 150, whole).await;
    let statuses: BTreeSet<u16> = bad.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([500, 502, 503, 504, 520]));
    for answer in bad {
        match answer.status {
            500 => assert_eq!(answer.text, ""),
            _ => assert!(
                answer.text.contains("<html>")
                    && answer
                        .header("content-type")
                        .unwrap()
                        .starts_with("text/html")
            ),
        }
    }
    let ledger = api.simulator.ledger();
    assert!(
        ledger
            .requests
            .iter()
            .any(|entry| entry.status == 520 && entry.fault.as_deref() == Some("server-errors"))
    );
}

#[tokio::test]
async fn bodies_with_status_200_can_be_anything() {
    for (fault, says) in [
        (Fault::Html200, &["<!DOCTYPE html>"][..]),
        (Fault::WrongShape200, &["\"error\"", "\"data\":null"]),
        (Fault::InvalidJson, &["\"current_page\"=1"]),
        (Fault::TruncatedBody, &["{\"current_page\":1,\"data\":["]),
    ] {
        let api = Api::new(30, &[fault]).await;
        let bad = struck(&api, 60, whole).await;
        assert!(bad.iter().all(|answer| answer.status == 200), "{fault}");
        assert!(
            says.iter()
                .all(|text| bad.iter().any(|answer| answer.text.contains(text))),
            "{fault}"
        );
    }
}

/// Reads to the end.
async fn rest(response: &mut reqwest::Response) -> reqwest::Result<()> {
    while response.chunk().await?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn a_connection_can_end_in_the_middle_or_never_answer() {
    let api = Api::new(30, &[Fault::Reset]).await;
    let url = api.url("/2.0/organizations/10001/supporters");
    let mut broken = 0;
    for _ in 0..40 {
        let mut response = api
            .http
            .get(&url)
            .bearer_auth(&api.token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(
            response
                .chunk()
                .await
                .unwrap()
                .unwrap()
                .starts_with(b"{\"current_page\":1"),
            "it begins well"
        );
        broken += usize::from(rest(&mut response).await.is_err());
    }
    assert!((1..=20).contains(&broken), "{broken}");
    let api = Api::new(30, &[Fault::Hang]).await;
    let url = api.url("/2.0/organizations/10001/supporters");
    let mut silent = 0;
    for _ in 0..20 {
        let ask = api
            .http
            .get(&url)
            .bearer_auth(&api.token)
            .timeout(Duration::from_millis(300))
            .send();
        silent += usize::from(ask.await.is_err_and(|error| error.is_timeout()));
    }
    assert!((1..=10).contains(&silent), "{silent}");
}

#[tokio::test]
async fn answers_can_be_slow() {
    let options = Options {
        supporters: 30,
        latency: Duration::from_millis(40),
        ..Options::default()
    };
    let api = Api::with(Options {
        supporters_latency: Duration::from_millis(200),
        ..options
    })
    .await;
    let took = async |path: &str| {
        let begin = Instant::now();
        assert_eq!(api.get(path).await.status, 200);
        begin.elapsed()
    };
    assert!(took("/organizations/10001/campaigns").await >= Duration::from_millis(40));
    assert!(took("/organizations/10001/supporters").await >= Duration::from_millis(240));
    let dials = api
        .control(
            "options",
            json!({"latency_ms": 0, "supporters_latency_ms": 0}),
        )
        .await;
    assert_eq!(
        (dials.status, &dials.json()["token_life_s"]),
        (200, &json!(7200))
    );
    assert!(took("/organizations/10001/supporters").await < Duration::from_millis(200));
    api.simulator.world().set_faults(vec![Fault::Slow]);
    let mut slow = 0;
    for _ in 0..12 {
        slow += usize::from(took("/organizations/10001/campaigns").await >= Duration::from_secs(1));
    }
    assert!((1..=6).contains(&slow), "{slow}");
}

#[tokio::test]
async fn bodies_can_be_packed_and_without_a_length() {
    let api = Api::new(30, &[]).await;
    let url = api.url("/2.0/organizations/10001/supporters?sort=id");
    let ask = async |encodings: &str| {
        let response = api
            .http
            .get(&url)
            .bearer_auth(&api.token)
            .header("accept-encoding", encodings)
            .send()
            .await
            .unwrap();
        let headers = response.headers().clone();
        (headers, response.bytes().await.unwrap())
    };
    let (headers, plain) = ask("br, gzip").await;
    assert!(
        headers.contains_key("content-length") && !headers.contains_key("content-encoding"),
        "not unless asked for"
    );
    api.simulator.world().set_faults(vec![Fault::Packed]);
    for (offered, chosen) in [
        ("br, gzip", Some("br")),
        ("gzip", Some("gzip")),
        ("identity", None),
    ] {
        let (headers, body) = ask(offered).await;
        assert_eq!(
            headers
                .get("content-encoding")
                .map(|value| value.to_str().unwrap()),
            chosen
        );
        assert_eq!(
            (headers.get("content-length"), &headers["transfer-encoding"]),
            (None, &"chunked".parse().unwrap()),
            "{offered}"
        );
        assert!(
            body.len() < plain.len() / 3 || chosen.is_none() && body == plain,
            "{offered}: {} of {}",
            body.len(),
            plain.len()
        );
    }
    // A client that unpacks reads the same.
    let unpacking = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(
        unpacking
            .get(&url)
            .bearer_auth(&api.token)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
        plain
    );
}

#[tokio::test]
async fn redirects_lead_to_a_stranger() {
    let api = Api::new(30, &[Fault::Redirect]).await;
    let bad = struck(&api, 60, whole).await;
    assert_eq!(
        bad.iter()
            .map(|answer| answer.status)
            .collect::<BTreeSet<_>>(),
        BTreeSet::from([302, 307])
    );
    let place = bad[0].header("location").unwrap();
    assert!(
        place.starts_with("http://127.0.0.1:")
            && !place.contains(&api.simulator.address().to_string())
    );
    assert_eq!(api.simulator.ledger().strangers, 0);
}

#[tokio::test]
async fn the_token_endpoint_fails_only_when_told() {
    let api = Api::new(3, &[Fault::ServerErrors, Fault::RateLimit]).await;
    for _ in 0..30 {
        api.new_token(ORGANIZATION).await;
    }
    api.simulator.world().set_faults(vec![
        Fault::ServerErrors,
        Fault::RateLimit,
        Fault::TokenErrors,
    ]);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "client-10001"),
        ("client_secret", "secret-of-10001"),
    ];
    let mut statuses = BTreeSet::new();
    for _ in 0..60 {
        statuses.insert(
            super::sent(api.http.post(api.simulator.token_url()).form(&form))
                .await
                .status,
        );
    }
    assert!(
        statuses.contains(&200)
            && statuses.contains(&429)
            && statuses.iter().any(|status| *status >= 500),
        "{statuses:?}"
    );
}
