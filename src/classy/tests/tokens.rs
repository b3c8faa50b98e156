//! The token: one refresh for any number of requests, early enough, and no hammering.

use super::*;
use crate::domain::Remedy;
use std::sync::atomic::{AtomicUsize, Ordering};

const REFUSED: (u16, &str) = (
    401,
    r#"{"error":"invalid_token","error_description":"The access token is invalid or has expired"}"#,
);

fn refused() -> Result<Reply, Error> {
    Ok(Reply::scripted(REFUSED.0, &[], REFUSED.1))
}

/// Accepts only tokens from `valid_from` on.
fn choosy(valid_from: Arc<AtomicUsize>) -> (Client, Arc<Script>) {
    client(move |_, seen| {
        let number: usize = seen
            .bearer
            .as_deref()
            .unwrap()
            .strip_prefix("Bearer token-")
            .unwrap()
            .parse()
            .unwrap();
        if number >= valid_from.load(Ordering::Relaxed) {
            ok(ONE)
        } else {
            refused()
        }
    })
}

async fn hundred(client: &Client) -> Vec<Result<Page<Supporter>, Error>> {
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { first_page(&client).await })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_ask_for_one_token() {
    let (client, script) = choosy(Arc::new(AtomicUsize::new(1)));
    assert!(hundred(&client).await.iter().all(Result::is_ok));
    assert_eq!(
        (client.stats().token_requests, data(&script).len()),
        (1, 100)
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_refusals_of_one_token_cause_one_refresh() {
    let valid_from = Arc::new(AtomicUsize::new(1));
    let (client, script) = choosy(valid_from.clone());
    first_page(&client).await.unwrap();
    valid_from.store(2, Ordering::Relaxed);
    assert!(hundred(&client).await.iter().all(Result::is_ok));
    assert_eq!(
        (client.stats().token_requests, data(&script).len()),
        (2, 201)
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_401_the_same_request_is_sent_with_a_new_token() {
    let valid_from = Arc::new(AtomicUsize::new(2));
    let (client, script) = choosy(valid_from);
    client
        .page::<Supporter>(
            Query::Since("2025-04-20T00:00:00Z".parse().unwrap()),
            3,
            100,
        )
        .await
        .unwrap();
    let seen = data(&script);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].url, seen[1].url);
    assert_eq!(
        (seen[0].bearer.as_deref(), seen[1].bearer.as_deref()),
        (Some("Bearer token-1"), Some("Bearer token-2"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_is_refused_suspends_and_stops_asking() {
    let (client, script) = choosy(Arc::new(AtomicUsize::new(usize::MAX)));
    let error = first_page(&client).await.unwrap_err();
    assert_eq!(
        (error.clone(), error.remedy()),
        (Error::TokenRefused, Remedy::Suspend)
    );
    assert!(
        hundred(&client)
            .await
            .iter()
            .all(|result| *result == Err(Error::TokenRefused))
    );
    assert_eq!(
        (client.stats().token_requests, data(&script).len()),
        (3, 3),
        "twice, and a control question"
    );
}

#[tokio::test(start_paused = true)]
async fn bad_credentials_are_tried_once_by_a_hundred_requests() {
    for (status, body) in [
        (
            400,
            r#"{"error":{"client_id":["The client id field is required."]},"queries_log":[]}"#,
        ),
        (400, r#"{"error":"Invalid client authentication"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (403, r#"{"error":"This action is unauthorized."}"#),
    ] {
        let (transport, script) =
            Transport::scripted(move |_| Ok(Reply::scripted(status, &[], body)));
        let client = Client::new(&transport, settings()).unwrap();
        let refused = Error::CredentialsRefused { status };
        assert!(
            hundred(&client)
                .await
                .iter()
                .all(|result| *result == Err(refused.clone()))
        );
        assert_eq!(
            (script.seen.lock().unwrap().len(), refused.remedy()),
            (1, Remedy::Suspend)
        );
        assert_eq!(client.probe().await.unwrap_err(), refused);
        assert_eq!(client.stats().token_requests, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_at_the_token_address_is_met_by_one_who_waits_for_all() {
    for reply in [(503, ""), (500, ""), (429, ""), (502, "<html></html>")] {
        let mut asked = 0;
        let (transport, script) = Transport::scripted(move |seen| {
            if !is_token(seen) {
                return ok(ONE);
            }
            asked += 1;
            Ok(if asked <= 3 {
                Reply::scripted(reply.0, &[], reply.1)
            } else {
                token(1, 7200)
            })
        });
        let client = Client::new(&transport, settings()).unwrap();
        assert!(
            hundred(&client).await.iter().all(Result::is_ok),
            "{reply:?}"
        );
        assert_eq!(
            (client.stats().token_requests, data(&script).len()),
            (4, 100)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_failed_refresh_shares_its_failure() {
    let (transport, _) = Transport::scripted(|_| Ok(Reply::scripted(503, &[], "")));
    let client = Client::new(&transport, settings()).unwrap();
    assert!(
        hundred(&client)
            .await
            .iter()
            .all(|result| *result == Err(Error::Unavailable { status: 503 }))
    );
    assert_eq!(client.stats().token_requests, 8);
}

#[tokio::test(start_paused = true)]
async fn the_edge_redirects_and_nonsense_at_the_token_address_are_told_apart() {
    for (reply, asked, error) in [
        (
            Reply::scripted(403, &[], "<html>"),
            3,
            Error::EdgeBlocked {
                host: "api.example.org".to_owned(),
                status: 403,
            },
        ),
        (
            Reply::scripted(307, &[("location", "https://evil.example/")], ""),
            8,
            Error::Redirect {
                host: "evil.example".to_owned(),
            },
        ),
        (
            Reply::scripted(404, &[], ""),
            1,
            Error::NoTokens { status: 404 },
        ),
        (
            Reply::scripted(405, &[], ""),
            1,
            Error::NoTokens { status: 405 },
        ),
        (
            Reply::scripted(200, &[], r#"{"expires_in":7200}"#),
            8,
            Error::Protocol {
                path: "/oauth2/auth".to_owned(),
                what: "access_token is missing".to_owned(),
            },
        ),
        (
            Reply::scripted(200, &[], r#"{"access_token":""}"#),
            8,
            Error::Protocol {
                path: "/oauth2/auth".to_owned(),
                what: "access_token is empty".to_owned(),
            },
        ),
        (
            Reply::scripted(200, &[], r#"{"access_token":"a\nb"}"#),
            8,
            Error::Protocol {
                path: "/oauth2/auth".to_owned(),
                what: "access_token does not fit into a header".to_owned(),
            },
        ),
        (
            Reply::scripted(200, &[], "<html>"),
            8,
            Error::Protocol {
                path: "/oauth2/auth".to_owned(),
                what: "not a token reply".to_owned(),
            },
        ),
    ] {
        let shown = error.to_string();
        let (transport, script) = Transport::scripted(move |_| Ok(reply.clone()));
        let client = Client::new(&transport, settings()).unwrap();
        assert_eq!(first_page(&client).await.unwrap_err(), error, "{shown}");
        assert_eq!(script.seen.lock().unwrap().len(), asked, "{shown}");
    }
}

/// Token requests made by a first request, and by a second one so many seconds later.
async fn asked_after(expires_in: &str, later: u64) -> u64 {
    let body = match expires_in {
        "" => r#"{"access_token":"t"}"#.to_owned(),
        value => format!(r#"{{"access_token":"t","expires_in":{value}}}"#),
    };
    let (transport, _) = Transport::scripted(move |seen| {
        if is_token(seen) {
            Ok(Reply::scripted(200, &[], &body))
        } else {
            ok(ONE)
        }
    });
    let client = Client::new(&transport, settings()).unwrap();
    first_page(&client).await.unwrap();
    tokio::time::advance(seconds(later)).await;
    first_page(&client).await.unwrap();
    client.stats().token_requests
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_a_little_before_its_end_whatever_is_said_about_it() {
    for (expires_in, refreshed_after) in [
        ("3600", 3540),
        ("7200", 7140),
        ("7200.0", 7140),
        (r#""3600""#, 3540),
        ("100", 90),
        ("", 270),
        ("0", 270),
        ("-5", 270),
        ("null", 270),
        (r#""soon""#, 270),
        ("20", 18),
        ("2", 2),
        ("1000000000000", 86_340),
        ("1e300", 86_340),
    ] {
        let asked = (
            asked_after(expires_in, refreshed_after - 1).await,
            asked_after(expires_in, refreshed_after).await,
        );
        assert_eq!(asked, (1, 2), "{expires_in}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_serves_to_its_end_while_the_token_address_is_down() {
    let mut asked = 0;
    let (transport, script) = Transport::scripted(move |seen| {
        if !is_token(seen) {
            return ok(ONE);
        }
        asked += 1;
        Ok(if asked == 1 {
            token(1, 1000)
        } else {
            Reply::scripted(503, &[], "")
        })
    });
    let client = Client::new(&transport, settings()).unwrap();
    first_page(&client).await.unwrap();
    tokio::time::advance(seconds(950)).await;
    assert!(hundred(&client).await.iter().all(Result::is_ok));
    assert_eq!(
        (client.stats().token_requests, data(&script).len()),
        (2, 101)
    );
    tokio::time::advance(seconds(51)).await;
    assert_eq!(
        first_page(&client).await.unwrap_err(),
        Error::Unavailable { status: 503 }
    );
    assert_eq!(data(&script).len(), 101);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_read_after_the_wait() {
    let mut settings = settings();
    settings.retries.patience = seconds(4000);
    let mut tokens = 0;
    let (transport, script) = Transport::scripted(move |seen| {
        if is_token(seen) {
            tokens += 1;
            return Ok(token(tokens, 1800));
        }
        let headers = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "784115377"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        Ok(Reply::scripted(200, &headers, ONE))
    });
    let client = Client::new(&transport, settings).unwrap();
    first_page(&client).await.unwrap();
    // Sent an hour later, when the token that is valid now is long over.
    first_page(&client).await.unwrap();
    assert_eq!(waits(&script), [seconds(3600)]);
    assert_eq!(data(&script)[1].bearer.as_deref(), Some("Bearer token-2"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_cancelled_leaves_the_turn_to_the_next() {
    let (client, _) = client(|_, _| ok(ONE));
    let mut cancelled = Box::pin(first_page(&client));
    assert!(futures_util::poll!(cancelled.as_mut()).is_pending());
    drop(cancelled);
    first_page(&client).await.unwrap();
}

#[test]
fn nothing_shows_a_secret() {
    let (transport, _) = Transport::scripted(|_| ok(ONE));
    let mut settings = settings();
    settings
        .headers
        .push(("x-integration-id".to_owned(), "hidden-value".to_owned()));
    let client = Client::new(&transport, settings.clone()).unwrap();
    let shown = format!("{settings:?} {client:?} {:?}", client.stats());
    assert!(
        !shown.contains("a-secret-word") && !shown.contains("hidden-value"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_that_end_early_are_renewed_however_often() {
    // Each token is good for three requests.
    let mut used = std::collections::HashMap::new();
    let (client, script) = client(move |_, seen| {
        let times = used.entry(seen.bearer.clone()).or_insert(0);
        *times += 1;
        if *times <= 3 { ok(ONE) } else { refused() }
    });
    for _ in 0..50 {
        first_page(&client).await.unwrap();
    }
    assert_eq!(
        (client.stats().token_requests, data(&script).len()),
        (17, 66)
    );
}
