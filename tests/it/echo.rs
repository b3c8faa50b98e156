//! Others who repeat our secrets to us: whatever they answer, nobody reads a secret in what this
//! program says.

use crate::backend::Kind;
use crate::peers::Listener;
use crate::site::{Site, world};
use crate::web::{Daemon, until};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Words, as a person may choose them: they look like no key.
const CLIENT: &str = "correct-horse-battery";
const KEY: &str = "staple-of-the-stable-us";
const HOOK: &str = "seventeen-singing-seals";
const TOKEN: &str = "purple-monkey-dishwasher";
const ALL: [&str; 4] = [CLIENT, KEY, HOOK, TOKEN];

/// What the others repeat is given to the process that hears it, or it could not know it again.
type Words = Arc<Mutex<Vec<&'static str>>>;

/// Answers every request with what was sent and with secrets, in each place of an answer that
/// somebody may show.
async fn echo() -> (String, Arc<AtomicU16>, Words) {
    let (status, words) = (Arc::new(AtomicU16::new(400)), Words::default());
    let answer = async |State((status, words)): State<(Arc<AtomicU16>, Words)>,
                        request: Request|
           -> Response {
        let words = words.lock().unwrap().clone();
        let (parts, body) = request.into_parts();
        let body = String::from_utf8_lossy(&axum::body::to_bytes(body, 1 << 20).await.unwrap())
            .into_owned();
        let text = format!("{} is no good: {:?} {body}", words.join(" "), parts.headers);
        let whole = json!({
            "type": "about:blank", "title": text, "detail": text, "error": text, "error_description": text, "message": text,
            "status": status.load(Ordering::Relaxed), "instance": text, "errors": [{ "field": text, "message": text }],
        });
        let status = StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap();
        (
            status,
            [("location", format!("http://{}.example/", words[0]))],
            axum::Json(whole),
        )
            .into_response()
    };
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", tcp.local_addr().unwrap());
    let router = Router::new()
        .fallback(answer)
        .with_state((Arc::clone(&status), Arc::clone(&words)));
    tokio::spawn(async move { axum::serve(tcp, router).await });
    (url, status, words)
}

fn assert_silent(what: &str, text: &str) {
    for secret in ALL {
        let line = text
            .lines()
            .find(|line| line.to_ascii_lowercase().contains(secret));
        assert!(line.is_none(), "{what}: {secret}: {line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_repeat_of_our_secrets_is_left_out() {
    let site = Site::new(Kind::Sqlite, world(20, 913)).await;
    let (echo, status, words) = echo().await;
    *words.lock().unwrap() = vec![CLIENT];
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    let file = |secret: &str, token: &str| {
        format!(
            "classy_id = 10001\nname = \"One\"\n[classy]\nclient_id = \"client-10001\"\nclient_secret = {secret:?}\nbase_url = {base:?}\n\
             token_url = {token:?}\n[plugins.mailchimp]\napi_key = \"{KEY}-us6\"\naudience_id = \"a1\"\nbase_url = {echo:?}\n\
             [plugins.webhook]\nurl = \"{echo}/hook/{HOOK}\"\nsecret = {HOOK:?}\n"
        )
    };
    let place = site.path().join("organizations/10001.toml");
    let said = |output: &std::process::Output| {
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let mut all = String::new();
    // The token address repeats them, then everybody whom plugins call.
    for answer in [400, 302] {
        status.store(answer, Ordering::Relaxed);
        std::fs::write(&place, file(CLIENT, &format!("{echo}/token"))).unwrap();
        for arguments in [
            &["--log-level", "debug", "org", "test"][..],
            &["--log-level", "debug", "sync"],
        ] {
            all.push_str(&said(&site.run(arguments)));
        }
    }
    status.store(400, Ordering::Relaxed);
    *words.lock().unwrap() = vec![KEY, HOOK];
    std::fs::write(&place, file("secret-of-10001", &token)).unwrap();
    site.run(&["org", "resume", "10001"]);
    for arguments in [
        &["--log-level", "debug", "org", "test"][..],
        &["--log-level", "debug", "sync"],
        &["plugin", "run"],
        &["audit"],
    ] {
        all.push_str(&said(&site.run(arguments)));
    }
    assert!(
        all.contains("(hidden)"),
        "something of what they say is shown: {all}"
    );
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n", listener.url));
    words.lock().unwrap().push(TOKEN);
    let daemon = Daemon::start(&site, TOKEN).await;
    until("somebody is told", LONG, async || {
        !listener.heard().is_empty()
    })
    .await;
    let paths = [
        "/",
        "/alerts",
        "/organizations/10001",
        "/api/v1/health",
        "/api/v1/status",
        "/api/v1/alerts",
        "/api/v1/runs",
        "/metrics",
    ];
    for path in paths {
        all.push_str(&daemon.get(path).await.body);
    }
    for arguments in [
        &["status"][..],
        &["health"],
        &["alerts", "list"],
        &["plugin", "list"],
        &["history"],
    ] {
        all.push_str(&said(&site.run(arguments)));
    }
    all.push_str(&listener.heard().join("\n"));
    all.push_str(&Daemon::log(&site));
    assert_silent("everything", &all);
    drop(daemon);
    for end in ["", "-wal"] {
        let bytes = std::fs::read(site.path().join(format!("test.db{end}"))).unwrap_or_default();
        for secret in ALL.iter().filter(|secret| **secret != KEY) {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes()),
                "test.db{end}: {secret}"
            );
        }
    }
}
