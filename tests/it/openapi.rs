//! The interface as it answers, held against the interface as it is described: every status with
//! its body. Refusals are in `one_shape`.

use crate::backend::Kind;
use crate::described::{Described, ELSEWHERE};
use crate::peers::Listener;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, TOKEN, until};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn signed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]

async fn every_answer_is_described_and_every_description_is_answered() {
    let site = Site::new(Kind::Sqlite, world(40, 401)).await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n", listener.url));
    let file = site.path().join("organizations/10001.toml");
    let key = "plJ3nmyCDGBKInavdOK15jsl";
    let text = std::fs::read_to_string(&file).unwrap()
        + &format!(
            "[hooks]\nclassy = \"whsec_{key}\"\nmailchimp = \"hush-hush\"\n[plugins.webhook]\nurl = {:?}\nsecret = \"a-webhook-secret\"\n",
            listener.url
        );
    std::fs::write(&file, text).unwrap();
    let daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let bearer = format!("Bearer {TOKEN}");
    let right = ("authorization", bearer.as_str());
    let document = daemon
        .ask(Method::GET, "/api/v1/openapi.json", &[right], "")
        .await
        .json();
    let mut described = Described {
        document,
        seen: BTreeSet::new(),
    };
    let operations: Vec<(String, String, bool)> = described.document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let open = |operation: &Value| operation["security"] == json!([]);
            methods
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (method.clone(), path.clone(), open(operation)))
        })
        .collect();
    let filled = |path: &str, id: &str| {
        path.replace("{classy_id}", id)
            .replace("{id}", id)
            .replace("{plugin}", "webhook")
    };
    let as_method = |method: &str| Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();

    // Nobody; whom there is not; what is no number; parameters that there are not.
    for (method, path, is_open) in &operations {
        let described_codes = described.document["paths"][path][method]["responses"].clone();
        if !is_open {
            let refused = daemon
                .ask(as_method(method), &filled(path, "10001"), &[], "")
                .await;
            assert_eq!(refused.status, 401, "{method} {path}");
            described.check(method, path, &refused);
        }
        if path.contains("id}") {
            for (id, status) in [("77", 404), ("abc", 400), ("99999999999999999999", 400)] {
                let refused = daemon
                    .ask(as_method(method), &filled(path, id), &[right], "")
                    .await;
                assert_eq!(
                    refused.status, status,
                    "{method} {path} of {id}: {}",
                    refused.body
                );
                described.check(method, path, &refused);
            }
        } else if described_codes["400"].is_object() {
            for query in ["limit=many", "page=-1", "nothing=1"] {
                let refused = daemon
                    .ask(as_method(method), &format!("{path}?{query}"), &[right], "")
                    .await;
                assert_eq!(
                    refused.status, 400,
                    "{method} {path} {query}: {}",
                    refused.body
                );
                described.check(method, path, &refused);
            }
        }
    }

    // What is there.
    for (method, path, _) in operations
        .iter()
        .filter(|(method, path, _)| method == "get" && !path.ends_with("/events"))
    {
        let answer = daemon
            .ask(Method::GET, &filled(path, "10001"), &[right], "")
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        described.check(method, path, &answer);
    }

    // Orders, of programs and of forms.
    let organization = "/api/v1/organizations/{classy_id}";
    let orders = [
        format!("{organization}/sync"),
        format!("{organization}/pause"),
        format!("{organization}/resume"),
    ];
    let approve = format!("{organization}/plugins/{{plugin}}/approve");
    for (headers, body, status) in [
        (vec![right], "", 400),
        (vec![right], "{\"plan\": \"0\"}", 409),
        (vec![right, FORM], "plan=0", 409),
        (vec![right, FORM], "plan=0&supporter=x", 400),
    ] {
        let answer = daemon
            .ask(Method::POST, &filled(&approve, "10001"), &headers, body)
            .await;
        assert_eq!(answer.status, status, "{}", answer.body);
        described.check("post", &approve, &answer);
    }
    for path in orders.iter().chain([
        &"/api/v1/reload".to_owned(),
        &"/api/v1/look".to_owned(),
        &"/api/v1/alerts/test".to_owned(),
    ]) {
        for (headers, status) in [(vec![right], 200), (vec![right, FORM], 303)] {
            let answer = daemon
                .ask(Method::POST, &filled(path, "10001"), &headers, "")
                .await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            described.check("post", path, &answer);
        }
    }
    let sync = &orders[0];
    let condition = async || {
        daemon
            .ask(Method::GET, "/api/v1/organizations/10001", &[right], "")
            .await
            .json()["condition"]
            .clone()
    };
    until("it is served again", LONG, async || {
        condition().await == "serving"
    })
    .await;
    for (body, status) in [
        ("{\"nonsense\":1}".to_owned(), 400),
        ("{".to_owned(), 400),
        ("x".repeat(70_000), 413),
    ] {
        let answer = daemon
            .ask(Method::POST, &filled(sync, "10001"), &[right], &body)
            .await;
        assert_eq!(answer.status, status, "{}", answer.body);
        described.check("post", sync, &answer);
    }
    let order = json!({ "entities": ["supporters"], "full": true, "since": null, "no_plugins": true, "plugin": null, "reason": "http" });
    described.validate(
        &json!({ "$ref": "#/components/schemas/SyncOrder" }),
        &order,
        "an order",
    );
    assert_eq!(
        daemon
            .ask(
                Method::POST,
                &filled(sync, "10001"),
                &[right],
                &order.to_string()
            )
            .await
            .status,
        200
    );

    // Webhooks.
    let at = chrono::Utc::now().timestamp().to_string();
    let base64 = &base64::engine::general_purpose::STANDARD;
    let mac = signed(
        &base64::Engine::decode(base64, key).unwrap(),
        &format!("id.{at}.{{}}"),
    );
    let signature = format!("v1,{}", base64::Engine::encode(base64, mac));
    let hex: String = signed(b"hush-hush", &format!("{at}.{{}}"))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let to_mailchimp = format!("t={at},v1={hex}");
    let classy = [
        ("webhook-id", "id"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    for (name, headers) in [
        ("classy", &classy[..]),
        (
            "mailchimp",
            &[("x-mailchimp-signature", to_mailchimp.as_str())],
        ),
    ] {
        let path = format!("/hooks/{name}/{{classy_id}}");
        for (headers, body, status) in [
            (headers, "{}", 204),
            (&[], "{}", 401),
            (headers, &*"x".repeat(1_100_000), 413),
        ] {
            let answer = daemon
                .ask(Method::POST, &filled(&path, "10001"), headers, body)
                .await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            described.check("post", &path, &answer);
        }
    }

    // What is wrong: a file, somebody's credentials, the way of alerts.
    let main = site.path().join("classy-sync.toml");
    let before = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, before.replace("[http]", "[http]\nnonsense = 1")).unwrap();
    described.check(
        "post",
        "/api/v1/reload",
        &daemon.post("/api/v1/reload", &[right]).await,
    );
    std::fs::write(&main, before).unwrap();
    site.write_organization(
        10_001,
        "client-10001",
        "wrong",
        &site.simulator.base_url(),
        &site.simulator.token_url(),
    );
    assert_eq!(daemon.post("/api/v1/reload", &[right]).await.status, 200);
    until("its credentials are refused", LONG, async || {
        daemon
            .ask(Method::GET, "/api/v1/health", &[right], "")
            .await
            .status
            == 503
    })
    .await;
    described.check(
        "get",
        "/api/v1/health",
        &daemon
            .ask(Method::GET, "/api/v1/health", &[right], "")
            .await,
    );
    let open = async || {
        daemon
            .ask(Method::GET, "/api/v1/alerts", &[right], "")
            .await
            .json()
    };
    until("an alert is open", LONG, async || {
        open().await[0]["id"].as_i64().is_some_and(|id| id > 0)
    })
    .await;
    described.check(
        "get",
        "/api/v1/alerts",
        &daemon
            .ask(Method::GET, "/api/v1/alerts?all=true&limit=1", &[right], "")
            .await,
    );
    let acknowledge = format!("/api/v1/alerts/{}/ack", open().await[0]["id"]);
    for headers in [vec![right], vec![right, FORM]] {
        described.check(
            "post",
            "/api/v1/alerts/{id}/ack",
            &daemon.post(&acknowledge, &headers).await,
        );
    }
    listener.answer_with(500);
    described.check(
        "post",
        "/api/v1/alerts/test",
        &daemon.post("/api/v1/alerts/test", &[right]).await,
    );

    // Streams, until there are too many.
    let mut streams = Vec::new();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    loop {
        let stream = client
            .get(format!("{}/api/v1/events", daemon.base))
            .header(right.0, right.1)
            .send()
            .await
            .unwrap();
        if stream.status() != 200 {
            break;
        }
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        described.seen.insert((
            "get".to_owned(),
            "/api/v1/events".to_owned(),
            "200".to_owned(),
        ));
        streams.push(stream);
    }
    described.check(
        "get",
        "/api/v1/events",
        &daemon
            .ask(Method::GET, "/api/v1/events", &[right], "")
            .await,
    );
    assert_eq!(streams.len(), 64);

    let mut missing = Vec::new();
    for (method, path, _) in &operations {
        for status in described.document["paths"][path][method]["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "default")
        {
            let is_seen = described
                .seen
                .contains(&(method.clone(), path.clone(), status.clone()));
            if !is_seen
                && !ELSEWHERE.iter().any(|(m, p, s, _)| {
                    (m, p, s) == (&method.as_str(), &path.as_str(), &status.as_str())
                })
            {
                missing.push(format!("{method} {path} {status}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "described and never answered: {missing:?}"
    );
}
