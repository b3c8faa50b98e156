//! The table of answers, row by row: how often a request is repeated, and what its caller is told.

use super::*;
use crate::domain::Remedy;

const RETRY: Remedy = Remedy::Retry { after: None };
const SLOWLY: Remedy = Remedy::Retry {
    after: Some(Duration::from_secs(600)),
};

async fn always(row: Row) -> (Error, usize) {
    let (client, script) = client(move |_, _| Ok(Reply::scripted(row.0, row.1, row.2)));
    let error = first_page(&client).await.unwrap_err();
    let sent = data(&script).len();
    assert_eq!(client.stats().data_requests, sent as u64);
    assert_eq!(client.stats().retries, sent as u64 - 1);
    (error, sent)
}

#[tokio::test(start_paused = true)]
async fn refusals_are_final_at_once() {
    let filter = r#"{"error":"Invalid value and/or operator for updated_at filtering condition."}"#;
    for (row, remedy, text) in [
        (
            row(400, &[], filter),
            Remedy::Skip,
            "Classy did not accept the request for /2.0/organizations/10001/supporters (status 400)",
        ),
        (
            row(403, &[], JSON_403),
            Remedy::Skip,
            "no permission for /2.0/organizations/10001/supporters",
        ),
        (
            row(404, &[], r#"{"error":"The resource cannot be found"}"#),
            Remedy::Skip,
            "nothing at /2.0/organizations/10001/supporters",
        ),
        (
            row(405, &[], "{}"),
            Remedy::Skip,
            "Classy did not accept the request for /2.0/organizations/10001/supporters (status 405)",
        ),
        (
            row(422, &[], r#"{"error":"no"}"#),
            Remedy::Skip,
            "Classy did not accept the request for /2.0/organizations/10001/supporters (status 422)",
        ),
    ] {
        let (error, sent) = always(row).await;
        assert_eq!(
            (error.to_string().as_str(), error.remedy(), sent),
            (text, remedy, 1),
            "{row:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_asked_about_again_and_never_followed() {
    for (row, text) in [
        (
            row(
                302,
                &[("location", "https://user:pw@evil.example:444/x?token=1")],
                "",
            ),
            "unexpected redirect to evil.example:444",
        ),
        (
            row(307, &[("location", "/elsewhere?a=b")], ""),
            "unexpected redirect to api.example.org",
        ),
        (row(303, &[], ""), "unexpected redirect to an unknown place"),
    ] {
        let (error, sent) = always(row).await;
        assert_eq!(
            (error.to_string().as_str(), error.remedy(), sent),
            (text, SLOWLY, 8),
            "{row:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_at_the_source_is_tried_eight_times() {
    for status in [300, 304, 408, 425, 500, 502, 503, 504, 520, 522, 524, 599] {
        let (error, sent) = always(row(status, &[], "<html>oops</html>")).await;
        assert_eq!(
            (error.clone(), error.remedy(), sent),
            (Error::Unavailable { status }, RETRY, 8)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_understood_is_never_no_records() {
    for (body, what) in [
        ("", "an empty body"),
        (
            "<!DOCTYPE html><html>maintenance</html>",
            "HTML instead of JSON",
        ),
        (r#"{"data":[{"id":1},{"id"#, "JSON that ends too early"),
        (r#"{"data":[],"total":0"#, "JSON that ends too early"),
        (r#"{"total":0}"#, "data is missing"),
        (r#"{"data":null,"total":0}"#, "data is missing"),
        (r#"{"data":{},"total":0}"#, "data is not a list"),
        (r#"{"data":"","total":0}"#, "data is not a list"),
        (r#"{"error":"something"}"#, "an error with status 200"),
        (
            r#"{"error":{"a":["b"]},"data":null}"#,
            "an error with status 200",
        ),
        ("[]", "a bare list"),
        ("[[],0]", "a bare list"),
        ("null", "not an object with data"),
        ("7", "not an object with data"),
        ("maintenance", "not JSON"),
        (r#"{"data":[]}"#, "total is not a count"),
        (r#"{"data":[],"total":null}"#, "total is not a count"),
        (r#"{"data":[],"total":-1}"#, "total is not a count"),
        (r#"{"data":[],"total":"many"}"#, "total is not a count"),
    ] {
        let (error, sent) = always(row(200, &[], body)).await;
        let Error::Protocol { what: found, .. } = &error else {
            panic!("{body}: {error}")
        };
        assert_eq!(
            (found.as_str(), error.remedy(), sent),
            (what, RETRY, 8),
            "{body}"
        );
    }
    let deep: &'static str =
        Box::leak(format!(r#"{{"data":[{}"#, "[".repeat(100_000)).into_boxed_str());
    assert!(matches!(
        always(row(200, &[], deep)).await,
        (Error::Protocol { .. }, 8)
    ));
    assert!(matches!(
        always(row(204, &[], "")).await,
        (Error::Protocol { .. }, 8)
    ));
}

#[tokio::test(start_paused = true)]
async fn the_edge_is_asked_again_rarely_and_slowly_and_named() {
    for row in [
        row(
            403,
            &[("content-type", "text/html; charset=UTF-8")],
            "<title>Just a moment...</title>",
        ),
        row(403, &[("cf-mitigated", "challenge")], JSON_403),
        row(403, &[], "error code: 1020"),
        row(429, &[("cf-mitigated", "challenge")], "<html></html>"),
        row(503, &[("cf-mitigated", "challenge")], "<html></html>"),
    ] {
        let (client, script) = client(move |_, _| Ok(Reply::scripted(row.0, row.1, row.2)));
        let error = first_page(&client).await.unwrap_err();
        assert_eq!(
            error,
            Error::EdgeBlocked {
                host: "api.example.org".to_owned(),
                status: row.0
            },
            "{row:?}"
        );
        assert!(
            error.hint().unwrap().contains("x-integration-id")
                && error.hint().unwrap().contains("not a permission error")
        );
        assert!(
            matches!(error.remedy(), Remedy::Retry { after: Some(after) } if after >= seconds(60))
        );
        assert_eq!(waits(&script).len(), 2);
        assert!(
            waits(&script).iter().all(|wait| *wait >= seconds(30)),
            "{:?}",
            waits(&script)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_told_within_three_seconds() {
    let unreachable = || Error::Unreachable {
        host: "api.example.org".to_owned(),
        detail: "connection refused".to_owned(),
    };
    let (transport, script) = Transport::scripted(move |_| Err(unreachable()));
    let client = Client::new(&transport, settings()).unwrap();
    let start = tokio::time::Instant::now();
    let error = first_page(&client).await.unwrap_err();
    assert_eq!((error.clone(), error.remedy()), (unreachable(), RETRY));
    assert_eq!(script.seen.lock().unwrap().len(), 3);
    assert!(start.elapsed() < seconds(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bad_certificate_is_not_tried_again() {
    let (client, script) = client(|_, _| {
        Err(Error::Untrusted {
            host: "api.example.org".to_owned(),
            detail: "invalid peer certificate".to_owned(),
        })
    });
    assert!(matches!(
        first_page(&client).await.unwrap_err().remedy(),
        Remedy::Retry { after: Some(_) }
    ));
    assert_eq!(data(&script).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_mended_by_asking_again() {
    let (client, _) = client(|before, _| {
        if before < 5 {
            Err(Error::Interrupted {
                host: "h".to_owned(),
                midway: true,
                detail: "reset".to_owned(),
            })
        } else {
            ok(ONE)
        }
    });
    assert_eq!(first_page(&client).await.unwrap().total, 1);
    assert_eq!(client.stats().retries, 5);
}

#[tokio::test(start_paused = true)]
async fn a_first_look_gives_up_early() {
    for (row, sent) in [
        (row(503, &[], ""), 2),
        (row(403, &[], "<html>"), 1),
        (row(429, &[("retry-after", "60")], ""), 1),
        (row(200, &[], "<html>"), 2),
    ] {
        let (client, script) = client(move |_, _| Ok(Reply::scripted(row.0, row.1, row.2)));
        let start = tokio::time::Instant::now();
        client.probe().await.unwrap_err();
        assert_eq!(data(&script).len(), sent, "{row:?}");
        assert!(start.elapsed() < seconds(3));
    }
    let (client, script) = client(|_, _| ok(r#"{"data":[],"total":"75"}"#));
    let probe = client.probe().await.unwrap();
    assert_eq!(
        (probe.campaigns, probe.date.unwrap().timestamp()),
        (75, 784_111_777)
    );
    assert!(
        data(&script)[0]
            .url
            .ends_with("/organizations/10001/campaigns?page=1&per_page=1&sort=id%3Aasc")
    );
}
