//! Clients that mean no good, or know no better: silent, slow, deaf, or let in by a proxy.

use crate::backend::Kind;
use crate::site::{Site, world};
use crate::web::{Daemon, TOKEN};
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// What is answered while others hold connections open, with room for a busy machine.
const SOON: Duration = Duration::from_secs(2);
/// Everything that can be read.
const READABLE: [&str; 13] = [
    "/readyz",
    "/metrics",
    "/api/v1/status",
    "/api/v1/health",
    "/api/v1/organizations",
    "/api/v1/organizations/10001",
    "/api/v1/alerts",
    "/api/v1/runs",
    "/api/v1/events",
    "/api/v1/openapi.json",
    "/",
    "/alerts",
    "/organizations/10001",
];

async fn site(seed: u64) -> Site {
    Site::new(Kind::Sqlite, world(20, seed)).await
}

/// Asks on a connection of its own; answers with the status line's number.
async fn ask(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, path: &str) -> String {
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer)
        .chars()
        .skip(9)
        .take(3)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_clients_that_never_go_on_keep_nobody_out() {
    let site = site(301).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    let (address, socket) = (
        daemon.base.trim_start_matches("http://").to_owned(),
        site.path().join("classy-sync.sock"),
    );
    let flood = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let begun = [
        "",
        "G",
        "GET /livez HTTP/1.1\r\nhost: lo",
        "POST /hooks/classy/10001 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n{",
        "POST /login HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nto",
        "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n",
        &flood,
    ];
    for (kind, first) in begun.into_iter().enumerate() {
        // A flood costs work, each answer of it, and this is an unoptimized program beside others.
        let soon = if first == flood { 6 * SOON } else { SOON };
        let (mut by_tcp, mut by_socket) = (Vec::new(), Vec::new());
        for _ in 0..400 {
            let mut one = TcpStream::connect(&address).await.unwrap();
            // It may have been closed by now, to make room.
            let _ = one.write_all(first.as_bytes()).await;
            by_tcp.push(one);
            let mut one = UnixStream::connect(&socket).await.unwrap();
            let _ = one.write_all(first.as_bytes()).await;
            by_socket.push(one);
        }
        for _ in 0..3 {
            for path in ["/livez", "/readyz"] {
                let begin = Instant::now();
                assert_eq!(
                    ask(TcpStream::connect(&address).await.unwrap(), path).await,
                    "200",
                    "beside kind {kind}"
                );
                assert!(
                    begin.elapsed() < soon,
                    "{path} by TCP beside kind {kind}: {:?}",
                    begin.elapsed()
                );
                let begin = Instant::now();
                assert_eq!(
                    ask(UnixStream::connect(&socket).await.unwrap(), path).await,
                    "200"
                );
                assert!(
                    begin.elapsed() < soon,
                    "{path} by the socket beside kind {kind}: {:?}",
                    begin.elapsed()
                );
            }
        }
        assert!(site.run(&["status"]).status.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_everything_but_the_pulse_needs_it_on_loopback_too() {
    let site = site(302).await;
    let daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(daemon.get("/livez").await.status, 200);
    for path in READABLE {
        let refused = daemon.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(
            refused.json()["hint"].as_str().unwrap().contains("Bearer"),
            "{path}: {refused:?}"
        );
        if path != "/api/v1/events" {
            assert_eq!(
                daemon
                    .ask(Method::GET, path, &[("authorization", &bearer)], "")
                    .await
                    .status,
                200,
                "{path}"
            );
            assert_eq!(
                daemon.by_socket(Method::GET, path).await.status,
                200,
                "{path}"
            );
        }
    }
    let page = [("accept", "text/html")];
    let sent = daemon.ask(Method::GET, "/", &page, "").await;
    assert_eq!(
        (sent.status, sent.headers["location"].as_str()),
        (303, "/login")
    );
    let login = daemon.ask(Method::GET, "/login", &page, "").await;
    assert!(
        login.status == 200 && login.body.contains("name=\"token\""),
        "{login:?}"
    );
    // Whoever may not look is not told how it is, whatever the page.
    for path in ["/login", "/nowhere"] {
        let body = daemon.ask(Method::GET, path, &page, "").await.body;
        assert!(
            !body.contains("badge") && !body.contains("Alerts"),
            "{path}: {body}"
        );
    }
    // The command line goes by the socket.
    for command in [
        &["status"][..],
        &["health"],
        &["sync"],
        &["alerts", "list"],
        &["reload"],
    ] {
        let done = site.run(command);
        assert!(
            done.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_lets_in_is_nobody_local() {
    let site = site(303).await;
    let forwarded = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "via",
        "cf-connecting-ip",
    ];
    for (token, variables) in [
        ("", &[][..]),
        (TOKEN, &[("CLASSY_SYNC__HTTP__OPEN_ON_LOOPBACK", "true")]),
    ] {
        let daemon = Daemon::start_with(&site, token, variables).await;
        for path in READABLE {
            for name in forwarded {
                assert_eq!(
                    daemon
                        .ask(Method::GET, path, &[(name, "127.0.0.1")], "")
                        .await
                        .status,
                    401,
                    "{path} {name}"
                );
            }
            assert_eq!(
                daemon
                    .ask(Method::GET, path, &[("host", "rebound.example")], "")
                    .await
                    .status,
                401,
                "{path}"
            );
        }
        for path in READABLE
            .into_iter()
            .filter(|path| *path != "/api/v1/events")
        {
            assert_eq!(daemon.get(path).await.status, 200, "{path}");
        }
        let address = daemon.base.trim_start_matches("http://").to_owned();
        let mut nginx = TcpStream::connect(&address).await.unwrap();
        let asked =
            format!("GET /api/v1/status HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        nginx.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = String::new();
        nginx.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_token_is_configured_nobody_is_asked_for_one() {
    let site = site(304).await;
    let daemon = Daemon::start_with(&site, "", &[]).await;
    let page = ("accept", "text/html");
    let here = daemon.ask(Method::GET, "/login", &[page], "").await;
    assert!(
        here.status == 200
            && !here.body.contains("<form")
            && here.body.contains("CLASSY_SYNC_HTTP_TOKEN"),
        "{here:?}"
    );
    let elsewhere = daemon
        .ask(
            Method::GET,
            "/",
            &[page, ("x-forwarded-for", "192.0.2.1")],
            "",
        )
        .await;
    assert!(
        elsewhere.status == 401
            && !elsewhere.body.contains("<form")
            && elsewhere.body.contains("http.token"),
        "{elsewhere:?}"
    );
    assert!(!elsewhere.body.contains("badge"), "{elsewhere:?}");
    let origin = ("origin", daemon.base.as_str());
    let tried = daemon
        .ask(
            Method::POST,
            "/login",
            &[
                origin,
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            "token=",
        )
        .await;
    assert!(
        tried.status == 401 && !tried.headers.contains_key("set-cookie"),
        "{tried:?}"
    );
}
