//! The interface as it answers, held against the interface as it is described: every status with
//! its body, each refusal in one shape.

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Answer, Daemon, Listener, TOKEN, until};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What is described and was not seen here, and why.
const ELSEWHERE: [(&str, &str, &str, &str); 6] = [
    (
        "get",
        "/readyz",
        "503",
        "only while a process starts or stops, or when nobody watches",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/sync",
        "409",
        "needs another process that holds the organization",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "200",
        "needs an audience; see `held`",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "303",
        "needs an audience; see `held`",
    ),
    (
        "post",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
        "502",
        "needs a file that goes wrong between two looks",
    ),
    (
        "get",
        "/api/v1/organizations/{classy_id}/plugins/{plugin}/held",
        "502",
        "needs a file that goes wrong between two looks",
    ),
];

/// The description, and what was seen of it.
struct Described {
    document: Value,
    seen: BTreeSet<(String, String, String)>,
}

impl Described {
    fn validate(&self, schema: &Value, body: &Value, what: &str) {
        let mut whole = schema.clone();
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&whole).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{what}: {wrong:?}\n{body:#}");
    }

    /// The answer is described, and is as described.
    fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let (status, what) = (
            answer.status.to_string(),
            format!("{method} {path}: {}", answer.status),
        );
        let mut described = &self.document["paths"][path][method]["responses"][&status];
        assert!(
            described.is_object(),
            "{what} is not described: {}",
            answer.body
        );
        if let Some(name) = described["$ref"].as_str() {
            described = &self.document["components"]["responses"][name.rsplit('/').next().unwrap()];
        }
        let content = described["content"].as_object();
        let kind = answer
            .headers
            .get("content-type")
            .map(|kind| kind.split(';').next().unwrap().to_owned());
        match content.and_then(|content| content.iter().next()) {
            None => assert!(answer.body.is_empty(), "{what}: {}", answer.body),
            Some((described_kind, media)) => {
                assert_eq!(kind.as_ref(), Some(described_kind), "{what}");
                if described_kind == "application/json" {
                    self.validate(&media["schema"], &answer.json(), &what);
                }
            }
        }
        self.seen
            .insert((method.to_owned(), path.to_owned(), status));
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_wrongly_is_refused_in_one_shape() {
    let site = Site::new(Kind::Sqlite, world(20, 402)).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    let bearer = format!("Bearer {TOKEN}");
    let right = ("authorization", bearer.as_str());
    let described = Described {
        document: daemon.get("/api/v1/openapi.json").await.json(),
        seen: BTreeSet::new(),
    };
    let error = json!({ "$ref": "#/components/schemas/Error" });
    let refused = async |method: Method, path: &str, headers: &[(&str, &str)], status: u16| {
        let answer = daemon.ask(method.clone(), path, headers, "").await;
        assert_eq!(
            answer.status, status,
            "{method} {path:.60}: {}",
            answer.body
        );
        assert_eq!(
            answer.headers["content-type"], "application/json",
            "{method} {path:.60}"
        );
        described.validate(&error, &answer.json(), path);
        answer
    };
    let paths = described.document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let path = path
            .replace("{classy_id}", "10001")
            .replace("{id}", "1")
            .replace("{plugin}", "webhook");
        let wrong = refused(Method::DELETE, &path, &[right], 405).await;
        for method in methods.as_object().unwrap().keys() {
            assert!(
                wrong.headers["allow"].contains(&method.to_uppercase()),
                "{path}: {:?}",
                wrong.headers
            );
        }
        let options = daemon.ask(Method::OPTIONS, &path, &[right], "").await;
        assert_eq!(
            (options.status, &options.headers["allow"]),
            (204, &wrong.headers["allow"]),
            "{path}"
        );
        let slash = refused(Method::GET, &format!("{path}/"), &[right], 404).await;
        assert_eq!(slash.json()["hint"], format!("did you mean {path}?"));
        if methods.get("get").is_some() && path != "/api/v1/events" {
            let (get, head) = (
                daemon.get(&path).await,
                daemon.ask(Method::HEAD, &path, &[], "").await,
            );
            assert_eq!(
                (get.status, "", get.headers.get("content-type")),
                (
                    head.status,
                    head.body.as_str(),
                    head.headers.get("content-type")
                ),
                "{path}"
            );
        }
    }
    for path in [
        "/nowhere",
        "/api/v1",
        "/api/v1/nothing",
        "//api/v1/status",
        "/api/v1/../v1/status/",
        "/%2e%2e/etc/passwd",
        "/organizations",
    ] {
        refused(Method::GET, path, &[], 404).await;
    }
    refused(
        Method::GET,
        &format!("/api/v1/status?{}", "x".repeat(5_000)),
        &[],
        414,
    )
    .await;
    refused(
        Method::GET,
        "/api/v1/status",
        &[("x-large", &"x".repeat(20_000))],
        431,
    )
    .await;
    refused(Method::GET, "/organizations/abc", &[], 400).await;
    // A browser is shown a page, and every answer keeps to itself.
    let page = ("accept", "text/html,application/xhtml+xml");
    for (path, status) in [
        ("/", 200),
        ("/nowhere", 404),
        ("/organizations/abc", 400),
        ("/organizations/77", 404),
        ("/login", 200),
        ("/alerts", 200),
    ] {
        let answer = daemon.ask(Method::GET, path, &[page], "").await;
        assert!(
            answer.status == status && answer.headers["content-type"].starts_with("text/html"),
            "{path}: {answer:?}"
        );
        let policy = &answer.headers["content-security-policy"];
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe"),
            "{policy}"
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
    }
    for path in [
        "/api/v1/status",
        "/metrics",
        "/livez",
        "/api/v1/nothing",
        "/api/v1/organizations/10001",
    ] {
        let answer = daemon.get(path).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
    }
}
