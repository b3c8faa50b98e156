//! Showing the token: wrong ones are slow and told in the log, right ones never wait, and a session
//! ends where it should.

use crate::backend::Kind;
use crate::site::{Site, world};
use crate::web::{Daemon, TOKEN};
use reqwest::Method;
use std::time::{Duration, Instant};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn log_in(daemon: &Daemon, origin: &str) -> (u16, String) {
    let entered = daemon
        .ask(
            Method::POST,
            "/login",
            &[("origin", origin), FORM],
            &format!("token={TOKEN}"),
        )
        .await;
    (
        entered.status,
        entered
            .headers
            .get("set-cookie")
            .cloned()
            .unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_logout_and_with_its_process() {
    let site = Site::new(Kind::Sqlite, world(5, 940)).await;
    let daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    let (_, cookie) = log_in(&daemon, &daemon.base).await;
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Strict")
            && !cookie.contains("Secure"),
        "{cookie}"
    );
    let session = cookie.split(';').next().unwrap().to_owned();
    let status = async |daemon: &Daemon, session: &str| {
        daemon
            .ask(Method::GET, "/api/v1/status", &[("cookie", session)], "")
            .await
            .status
    };
    assert_eq!(status(&daemon, &session).await, 200);
    let (_, other) = log_in(&daemon, &daemon.base).await;
    let other = other.split(';').next().unwrap().to_owned();
    assert_ne!(session, other);
    let left = daemon
        .ask(
            Method::POST,
            "/logout",
            &[("cookie", session.as_str()), ("origin", &daemon.base)],
            "",
        )
        .await;
    assert_eq!(left.status, 303);
    assert_eq!(
        (
            status(&daemon, &session).await,
            status(&daemon, &other).await
        ),
        (401, 200),
        "a copy of the cookie is worth nothing"
    );
    drop(daemon);
    let daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    assert_eq!(status(&daemon, &other).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slow_and_logged_and_keeps_nobody_out() {
    let site = Site::new(Kind::Sqlite, world(5, 941)).await;
    let daemon = Daemon::start_with(&site, TOKEN, &[]).await;
    let begin = Instant::now();
    for guess in ["hunter2-hunter2", "hunter3-hunter3"] {
        let form = [("origin", daemon.base.as_str()), FORM];
        assert_eq!(
            daemon
                .ask(Method::POST, "/login", &form, &format!("token={guess}"))
                .await
                .status,
            401
        );
        let bearer = format!("Bearer {guess}");
        assert_eq!(
            daemon
                .ask(
                    Method::GET,
                    "/api/v1/status",
                    &[("authorization", &bearer)],
                    ""
                )
                .await
                .status,
            401
        );
    }
    // 0.1 + 0.2 + 0.4 + 0.8 s.
    assert!(
        begin.elapsed() >= Duration::from_millis(1_450),
        "{:?}",
        begin.elapsed()
    );
    // Many guess at once from the same address; the owner comes in all the same, and at once.
    let guess = daemon.ask(
        Method::GET,
        "/api/v1/status",
        &[("authorization", "Bearer hunter4-hunter4")],
        "",
    );
    let owner = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begin = Instant::now();
        let bearer = format!("Bearer {TOKEN}");
        let answer = daemon
            .ask(
                Method::GET,
                "/api/v1/status",
                &[("authorization", &bearer)],
                "",
            )
            .await
            .status;
        (
            answer,
            log_in(&daemon, &daemon.base).await.0,
            begin.elapsed(),
        )
    };
    let (refused, (asked, entered, took)) = tokio::join!(guess, owner);
    assert_eq!((refused.status, asked, entered), (401, 200, 303));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let log = Daemon::log(&site);
    assert!(
        log.contains("a wrong token was refused") && log.contains("127.0.0.1"),
        "{log}"
    );
    assert!(!log.contains("hunter") && !log.contains(TOKEN));
}
