//! Whatever is asked wrongly is refused in one shape.

use crate::backend::Kind;
use crate::described::Described;
use crate::site::{Site, world};
use crate::web::{Daemon, TOKEN};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

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
        "/organization",
    ] {
        refused(Method::GET, path, &[], 404).await;
    }
    let home = daemon.ask(Method::GET, "/organizations", &[], "").await;
    assert_eq!((home.status, home.headers["location"].as_str()), (307, "/"));
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
    refused(
        Method::GET,
        "/api/v1/status",
        &[("host", "127.0.0.1"), ("host", "x.org")],
        400,
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
