//! The way in: who may do what, from where, with what. What is shown to whoever is in is in
//! `shown`.

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, LONG, TOKEN, loaded, until};
use classy_sync::entities::Entity;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;

const ORDERS: [&str; 8] = [
    "/api/v1/organizations/10001/sync",
    "/api/v1/organizations/10001/pause",
    "/api/v1/organizations/10001/resume",
    "/api/v1/organizations/10001/plugins/webhook/approve",
    "/api/v1/alerts/1/ack",
    "/api/v1/alerts/test",
    "/api/v1/reload",
    "/logout",
];

#[tokio::test(flavor = "multi_thread")]
async fn orders_without_the_token_or_with_a_wrong_one_change_nothing() {
    let (site, daemon) = loaded(Kind::Sqlite, 201).await;
    let before = site.numbers("SELECT COUNT(*) AS n FROM audit_log UNION ALL SELECT COUNT(*) FROM sync_runs WHERE reason = 'http'").await;
    let wrong = format!("Bearer {TOKEN}x");
    let session = "classy_sync_session=9999999999.00";
    let tries: [&[(&str, &str)]; 7] = [
        &[],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer wrong")],
        &[("authorization", &wrong)],
        &[("authorization", TOKEN)],
        &[("cookie", session), ("origin", &daemon.base)],
        &[("authorization", "Basic YTph")],
    ];
    for path in ORDERS {
        for headers in tries {
            assert_eq!(
                daemon.post(path, headers).await.status,
                401,
                "{path} {headers:?}"
            );
        }
    }
    let after = site.numbers("SELECT COUNT(*) AS n FROM audit_log UNION ALL SELECT COUNT(*) FROM sync_runs WHERE reason = 'http'").await;
    assert_eq!(before, after);
    let right = format!("Bearer {TOKEN}");
    let right: &[(&str, &str)] = &[("authorization", &right)];
    let synced = daemon.post(ORDERS[0], right).await;
    assert_eq!(
        (
            synced.status,
            synced.json()["feeds"].as_array().unwrap().len()
        ),
        (200, Entity::COUNT),
        "{synced:?}"
    );
    assert_eq!(daemon.post(ORDERS[1], right).await.status, 200);
    until("it is paused", LONG, async || {
        daemon.get("/api/v1/status").await.json()["organizations"][0]["condition"] == "paused"
    })
    .await;
    assert_eq!(daemon.post(ORDERS[2], right).await.status, 200);
    until("it is served", LONG, async || {
        daemon.get("/api/v1/status").await.json()["organizations"][0]["condition"] == "serving"
    })
    .await;
    assert!(
        site.number("SELECT COUNT(*) AS n FROM audit_log WHERE actor = 'http'")
            .await
            >= 3,
        "orders are noted"
    );
    assert_eq!(
        daemon
            .post("/api/v1/organizations/77/pause", right)
            .await
            .status,
        404
    );
    assert_eq!(
        daemon.post("/api/v1/alerts/4711/ack", right).await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_logs_in_once_and_other_sites_cannot_use_its_session() {
    let (_site, daemon) = loaded(Kind::Sqlite, 202).await;
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", daemon.base.as_str()),
    ];
    assert_eq!(
        daemon
            .ask(Method::POST, "/login", &form, "token=wrong")
            .await
            .status,
        401
    );
    let foreign = [form[0], ("origin", "http://evil.example")];
    assert_eq!(
        daemon
            .ask(Method::POST, "/login", &foreign, &format!("token={TOKEN}"))
            .await
            .status,
        403
    );
    let entered = daemon
        .ask(Method::POST, "/login", &form, &format!("token={TOKEN}"))
        .await;
    let cookie = entered.headers["set-cookie"].clone();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap();
    let pause = "/api/v1/organizations/10001/pause";
    assert_eq!(
        daemon.post(pause, &[("cookie", session)]).await.status,
        401,
        "without an origin"
    );
    assert_eq!(
        daemon
            .post(
                pause,
                &[("cookie", session), ("origin", "http://evil.example")]
            )
            .await
            .status,
        401
    );
    let own = [
        ("cookie", session),
        form[0],
        form[1],
        ("referer", &format!("{}/organizations/10001", daemon.base)),
    ];
    let paused = daemon.ask(Method::POST, pause, &own, "").await;
    assert_eq!(
        (paused.status, paused.headers["location"].as_str()),
        (303, "/organizations/10001")
    );
    let page = daemon
        .ask(
            Method::GET,
            "/organizations/10001",
            &[("cookie", session)],
            "",
        )
        .await
        .body;
    assert!(page.contains("Log out") && !page.contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_orders_come_by_the_socket_only_and_names_of_other_sites_are_not_ours() {
    let site = Site::new(Kind::Sqlite, world(40, 203)).await;
    let daemon = Daemon::start(&site, "").await;
    for path in ORDERS {
        assert_eq!(
            daemon
                .post(path, &[("authorization", "Bearer ")])
                .await
                .status,
            401,
            "{path}"
        );
    }
    assert_eq!(daemon.by_socket(Method::POST, ORDERS[1]).await.status, 200);
    for path in [
        "/",
        "/metrics",
        "/api/v1/status",
        "/api/v1/events",
        "/api/v1/openapi.json",
    ] {
        assert_eq!(
            daemon
                .ask(Method::GET, path, &[("host", "rebound.example:8460")], "")
                .await
                .status,
            401,
            "{path}"
        );
    }
    let page = daemon.get("/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.headers["content-security-policy"].contains("default-src 'none'"),
        "{:?}",
        page.headers
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(daemon.get("/nowhere").await.status, 404);
    let large = "x".repeat(200_000);
    let by_socket = daemon
        .ask(Method::POST, "/hooks/classy/10001", &[], &large.repeat(6))
        .await;
    assert_eq!(by_socket.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn elsewhere_than_on_loopback_everything_but_the_pulse_needs_the_token() {
    let site = Site::new(Kind::Sqlite, world(40, 204)).await;
    let main = site.path().join("classy-sync.toml");
    let text = std::fs::read_to_string(&main)
        .unwrap()
        .replace("127.0.0.1:0", "0.0.0.0:0");
    std::fs::write(&main, text).unwrap();
    let refused = site.run(&["run"]);
    assert_eq!(refused.status.code(), Some(78));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains("http.token") && told.contains("http.listen"),
        "{told}"
    );
    let mut daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    daemon.base = daemon.base.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(daemon.get("/livez").await.status, 200);
    for path in [
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/api/v1/health",
        "/api/v1/alerts",
        "/api/v1/runs",
        "/api/v1/events",
        "/",
    ] {
        assert_eq!(daemon.get(path).await.status, 401, "{path}");
    }
    let page = daemon
        .ask(Method::GET, "/", &[("accept", "text/html")], "")
        .await;
    assert_eq!(
        (page.status, page.headers["location"].as_str()),
        (303, "/login")
    );
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(
        daemon
            .ask(Method::GET, "/metrics", &[("authorization", &bearer)], "")
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_hurries_a_feed_and_an_unsigned_one_nothing() {
    let site = Site::new(Kind::Sqlite, world(60, 206)).await;
    let file = site.path().join("organizations/10001.toml");
    let key = "plJ3nmyCDGBKInavdOK15jsl";
    let text = std::fs::read_to_string(&file).unwrap()
        + &format!("[hooks]\nclassy = \"whsec_{key}\"\nmailchimp = \"hush-hush-hush\"\n");
    std::fs::write(&file, text).unwrap();
    let daemon = Daemon::start(&site, "").await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let body = r#"{"eventType":"transaction.updated","data":{"id":1}}"#;
    let (id, at) = ("msg_1", chrono::Utc::now().timestamp().to_string());
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&bytes).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let right = format!(
        "v1,{}",
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            mac.finalize().into_bytes()
        )
    );
    let names = [
        ["svix-id", "svix-timestamp", "svix-signature"],
        ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ];
    let send_as =
        async |[id_name, at_name, signature_name]: [&str; 3], path: &str, signature: &str| {
            let headers = [
                (id_name, id),
                (at_name, at.as_str()),
                (signature_name, signature),
            ];
            daemon.ask(Method::POST, path, &headers, body).await.status
        };
    let send = async |path: &str, signature: &str| send_as(names[0], path, signature).await;
    assert_eq!(send("/hooks/classy/10001", "v1,AAAA").await, 401);
    assert_eq!(send("/hooks/classy/77", &right).await, 404);
    assert_eq!(daemon.get("/hooks/mailchimp/10001").await.status, 200);
    assert_eq!(daemon.get("/hooks/mailchimp/77").await.status, 404);
    assert_eq!(
        daemon
            .post(
                "/hooks/mailchimp/10001",
                &[("x-mailchimp-signature", "t=1,v1=00")]
            )
            .await
            .status,
        401
    );
    let hurried = "SELECT COUNT(*) AS n FROM sync_runs WHERE reason = 'webhook'";
    assert_eq!(site.number(hurried).await, 0);
    site.simulator.world().live(ORGANIZATION, 20);
    assert_eq!(send("/hooks/classy/10001", &right).await, 204);
    until("the feed looked", LONG, async || {
        site.number(hurried).await == 1
    })
    .await;
    assert_eq!(site.number("SELECT COUNT(*) AS n FROM sync_runs WHERE reason = 'webhook' AND entity = 'transactions'").await, 1);
    // Under the names of Standard Webhooks, with the signature of an old key beside it, and again,
    // as a replay.
    for signature in [right.clone(), format!("v1,AAAA {right}"), right.clone()] {
        assert_eq!(
            send_as(names[1], "/hooks/classy/10001", &signature).await,
            204
        );
    }
    until("the feed looked again", LONG, async || {
        site.number(hurried).await >= 2
    })
    .await;
    let mixed = [names[1][0], names[0][1], names[0][2]];
    assert_eq!(send_as(mixed, "/hooks/classy/10001", &right).await, 401);
}
