//! Webhooks (simulator 38).

use super::{Api, ORGANIZATION, id_at};
use axum::http::{HeaderMap, StatusCode};
use classy_sync::simulator::{Fault, Kind, Options, Webhook};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Somebody who listens, and takes nothing of the first few.
async fn listener(refuses: usize) -> (Webhook, Heard) {
    let heard = Heard::default();
    let all = Arc::clone(&heard);
    let take = move |headers: HeaderMap, body: String| {
        let mut all = all.lock().unwrap();
        all.push((headers, body));
        std::future::ready(if all.len() <= refuses {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::NO_CONTENT
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/hooks/classy/10001",
        listener.local_addr().unwrap()
    )
    .parse()
    .unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
    (
        Webhook {
            url,
            secret: "whsec_plJ3nmyCDGBKInavdOK15jsl".to_owned(),
        },
        heard,
    )
}

async fn wait_for(
    heard: &Heard,
    enough: impl Fn(&[(HeaderMap, String)]) -> bool,
) -> Vec<(HeaderMap, String)> {
    for _ in 0..500 {
        if enough(&heard.lock().unwrap()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    heard.lock().unwrap().clone()
}

fn change(api: &Api, kind: Kind, place: usize, touch: bool) -> i64 {
    let id = id_at(&api.simulator, kind, place);
    let field = if kind == Kind::Supporters {
        ("city", "\"Elsewhere\"")
    } else {
        ("status", "\"failed\"")
    };
    api.simulator.world().edit(
        ORGANIZATION,
        kind,
        id,
        &[(field.0, field.1.to_owned())],
        touch,
    );
    id
}

#[tokio::test]
async fn what_is_made_or_changed_is_told_with_its_record_and_signed() {
    let (webhook, heard) = listener(0).await;
    let api = Api::with(Options {
        supporters: 20,
        webhook: Some(webhook),
        ..Options::default()
    })
    .await;
    let changed =
        [Kind::Supporters, Kind::Plans, Kind::Transactions].map(|kind| change(&api, kind, 1, true));
    change(&api, Kind::Campaigns, 1, true);
    change(&api, Kind::Supporters, 2, false);
    api.simulator.world().add(ORGANIZATION, Kind::Transactions);
    let told = wait_for(&heard, |told| told.len() >= 4).await;
    let types: Vec<Value> = told
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["eventType"].clone())
        .collect();
    let expected = [
        "supporter.updated",
        "recurring_donation_plan.updated",
        "transaction.updated",
        "transaction.created",
    ];
    assert_eq!(
        types, expected,
        "nothing of campaigns, nothing of silent changes"
    );
    let mut ids = BTreeSet::new();
    for ((headers, body), id) in told.iter().zip(changed) {
        let data = &serde_json::from_str::<Value>(body).unwrap()["data"];
        assert_eq!(data["id"], id);
        assert!(data["city"] == "Elsewhere" || data["status"] == "failed");
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert!(
            (header("svix-timestamp").parse::<i64>().unwrap() - api.simulator.world().now()).abs()
                < 10
        );
        assert!(
            header("svix-signature").starts_with("v1,")
                && header("content-type") == "application/json"
        );
        assert!(ids.insert(header("svix-id")));
    }
    // Turned off, it is silent.
    assert_eq!(
        api.control("options", json!({"webhook": null}))
            .await
            .status,
        200
    );
    change(&api, Kind::Supporters, 3, true);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(heard.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_refused_one_is_sent_again() {
    let (webhook, heard) = listener(2).await;
    let api = Api::with(Options {
        supporters: 20,
        webhook: Some(webhook),
        ..Options::default()
    })
    .await;
    change(&api, Kind::Supporters, 1, true);
    let told = wait_for(&heard, |told| told.len() >= 3).await;
    assert_eq!(told.len(), 3);
    assert!(
        told.iter()
            .all(|one| one.1 == told[0].1 && one.0["svix-id"] == told[0].0["svix-id"])
    );
}

#[tokio::test]
async fn in_disorder_they_come_twice_late_or_never() {
    let (webhook, heard) = listener(0).await;
    let api = Api::with(Options {
        supporters: 200,
        webhook: Some(webhook),
        faults: vec![Fault::WebhookDisorder],
        ..Options::default()
    })
    .await;
    let changed: Vec<i64> = (0..60)
        .map(|place| change(&api, Kind::Supporters, place, true))
        .collect();
    wait_for(&heard, |told| told.len() >= 45).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told: Vec<(String, i64)> = heard
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, body)| {
            let id = serde_json::from_str::<Value>(body).unwrap()["data"]["id"]
                .as_i64()
                .unwrap();
            (headers["svix-id"].to_str().unwrap().to_owned(), id)
        })
        .collect();
    let mut times = BTreeMap::<&String, usize>::new();
    told.iter()
        .for_each(|(message, _)| *times.entry(message).or_default() += 1);
    assert!(times.values().any(|times| *times == 2), "twice");
    assert!(!told.iter().map(|(_, id)| id).is_sorted(), "late");
    let heard: BTreeSet<i64> = told.iter().map(|(_, id)| *id).collect();
    assert!(
        heard.len() < changed.len() - 5 && heard.len() > 20,
        "never: {} of 60",
        heard.len()
    );
}
