//! Webhooks of an audience (simulator 37).

use super::{Chimp, person};
use axum::http::{HeaderMap, Method, StatusCode};
use classy_sync::simulator::{Act, Fault};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Somebody who listens and answers events with these, the last one for ever.
async fn listener(answers: &'static [u16]) -> (String, Heard) {
    let heard = Heard::default();
    let all = Arc::clone(&heard);
    let take = move |method: Method, headers: HeaderMap, body: String| {
        let mut all = all.lock().unwrap();
        let status = if method == Method::GET {
            200
        } else {
            answers[all.len().min(answers.len() - 1)]
        };
        if method == Method::POST {
            all.push((headers, body));
        }
        std::future::ready(StatusCode::from_u16(status).unwrap())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
    (url, heard)
}

async fn heard(heard: &Heard, count: usize) -> Vec<(HeaderMap, BTreeMap<String, String>)> {
    for _ in 0..300 {
        if heard.lock().unwrap().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let form = |body: &str| {
        url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect()
    };
    heard
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, body)| (headers.clone(), form(body)))
        .collect()
}

async fn hook(chimp: &Chimp, url: &str, api: bool) -> Value {
    let events = json!({"subscribe": true, "unsubscribe": true, "profile": true, "cleaned": true, "upemail": true});
    let body =
        json!({"url": url, "events": events, "sources": {"user": true, "admin": true, "api": api}});
    let answer = chimp.post("/lists/A/webhooks", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn what_people_do_is_told_signed_and_what_the_program_does_is_not() {
    let chimp = Chimp::new(&[]).await;
    let (url, told) = listener(&[200]).await;
    let made = hook(&chimp, &url, false).await;
    let secret = made["signing_secret"].as_str().unwrap();
    assert_eq!(
        chimp.get("/lists/A/webhooks").await.json()["webhooks"][0].get("signing_secret"),
        None,
        "told once"
    );
    assert_eq!(
        chimp
            .post("/lists/A/webhooks", json!({"url": url}))
            .await
            .status,
        400,
        "one for each address"
    );
    assert_eq!(
        chimp
            .post(
                "/lists/A/webhooks",
                json!({"url": "http://127.0.0.1:9/none"})
            )
            .await
            .status,
        400,
        "nobody answers there"
    );
    chimp
        .subscribe(json!([person("quiet@x.org", "Quiet")]))
        .await;
    chimp.sign_up("a@x.org");
    chimp.act(Act::Rename {
        email: "a@x.org".to_owned(),
        to: "b@x.org".to_owned(),
    });
    chimp.act(Act::Unsubscribe("b@x.org".to_owned()));
    let all = heard(&told, 3).await;
    let types: Vec<&str> = all.iter().map(|(_, form)| form["type"].as_str()).collect();
    assert_eq!(types, ["subscribe", "upemail", "unsubscribe"]);
    assert_eq!(
        (
            all[0].1["data[email]"].as_str(),
            all[0].1["data[merges][FNAME]"].as_str()
        ),
        ("a@x.org", "")
    );
    assert_eq!(
        (
            all[1].1["data[old_email]"].as_str(),
            all[1].1["data[new_email]"].as_str()
        ),
        ("a@x.org", "b@x.org")
    );
    assert_eq!(
        (
            all[2].1["data[action]"].as_str(),
            all[2].1["data[list_id]"].as_str()
        ),
        ("unsub", chimp.audience.as_str())
    );
    for (headers, body) in told.lock().unwrap().iter() {
        let signature = headers["x-mailchimp-signature"].to_str().unwrap();
        let (at, hex) = signature
            .strip_prefix("t=")
            .unwrap()
            .split_once(",v1=")
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{at}.{body}").as_bytes());
        let expected: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, expected);
    }
}

#[tokio::test]
async fn a_refused_one_comes_again_and_a_gone_one_never() {
    let chimp = Chimp::new(&[]).await;
    let (url, told) = listener(&[500, 200, 410]).await;
    hook(&chimp, &url, true).await;
    chimp.subscribe(json!([person("a@x.org", "Ada")])).await;
    let all = heard(&told, 2).await;
    assert_eq!((all.len(), &all[0].1), (2, &all[1].1), "the same again");
    chimp.sign_up("b@x.org");
    heard(&told, 3).await;
    for _ in 0..100 {
        if chimp.simulator.mailchimp().audiences[&chimp.audience]
            .members()
            .count()
            == 2
            && chimp.get("/lists/A/webhooks").await.json()["total_items"] == 0
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("410 should have ended it");
}

#[tokio::test]
async fn in_disorder_they_come_twice_late_or_never() {
    let chimp = Chimp::new(&[Fault::MailchimpWebhookDisorder]).await;
    let (url, told) = listener(&[200]).await;
    hook(&chimp, &url, true).await;
    for number in 0..60 {
        chimp.sign_up(&format!("p{number}@x.org"));
    }
    heard(&told, 45).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let all = heard(&told, 0).await;
    let mut times = BTreeMap::<&String, usize>::new();
    all.iter()
        .for_each(|(_, form)| *times.entry(&form["data[email]"]).or_default() += 1);
    assert!(times.values().any(|times| *times == 2), "twice");
    assert!(
        (20..55).contains(&times.len()),
        "never: {} of 60",
        times.len()
    );
}
