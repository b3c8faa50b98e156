//! How long is waited before the next request: as the source says, in every spelling, and as we
//! think where it says nothing.

use super::*;
use crate::domain::Remedy;

#[tokio::test(start_paused = true)]
async fn backoff_stays_below_its_doubling_ceiling() {
    let (client, script) = client(|_, _| Ok(Reply::scripted(503, &[], "")));
    first_page(&client).await.unwrap_err();
    for (wait, ceiling) in waits(&script)
        .iter()
        .zip([0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0])
    {
        // Tokio's timers round up to the next millisecond.
        assert!(
            wait.as_secs_f64() <= ceiling + 0.002,
            "{wait:?} of {ceiling}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_source_names_is_kept_in_every_spelling() {
    for (row, least) in [
        (row(429, &[("retry-after", "120")], ""), 120),
        (row(503, &[("retry-after", "20")], ""), 20),
        (
            row(
                429,
                &[
                    ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                "",
            ),
            60,
        ),
        (
            row(
                429,
                &[
                    ("retry-after", "Sunday, 06-Nov-94 08:50:37 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                "",
            ),
            60,
        ),
        (
            row(
                429,
                &[
                    ("retry-after", "Sun Nov  6 08:50:37 1994"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                "",
            ),
            60,
        ),
        (
            row(
                429,
                &[],
                r#"{"message":"Too Many Attempts.","retry_after":42}"#,
            ),
            42,
        ),
        (
            row(
                429,
                &[],
                r#"{"message":"Too Many Attempts.","retry_after":"42"}"#,
            ),
            42,
        ),
        (
            row(429, &[("retry-after", "-1")], r#"{"retry_after":42}"#),
            42,
        ),
        (
            row(
                429,
                &[
                    ("x-ratelimit-reset", "784111807"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                "",
            ),
            30,
        ),
    ] {
        let (client, script) = client(move |before, _| {
            if before == 0 {
                Ok(Reply::scripted(row.0, row.1, row.2))
            } else {
                ok(ONE)
            }
        });
        first_page(&client).await.unwrap();
        let wait = waits(&script)[0];
        assert!(
            wait >= seconds(least)
                && wait <= seconds(least) + seconds(least) / 10 + Duration::from_millis(2),
            "{row:?}: {wait:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_senseless_wait_counts_as_none() {
    for value in [
        "garbage",
        "-5",
        "0",
        "99999999999999999999",
        "Sun, 06 Nov 1990 08:49:37 GMT",
    ] {
        let (client, script) = client(move |before, _| {
            if before == 0 {
                Ok(Reply::scripted(429, &[("retry-after", value)], ""))
            } else {
                ok(ONE)
            }
        });
        first_page(&client).await.unwrap();
        assert!(
            waits(&script)[0] <= Duration::from_millis(502),
            "{value}: {:?}",
            waits(&script)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_is_handed_back_and_holds_for_every_request() {
    let (client, script) = client(|_, _| Ok(Reply::scripted(429, &[("retry-after", "7200")], "")));
    let error = first_page(&client).await.unwrap_err();
    assert_eq!(
        error.remedy(),
        Remedy::Retry {
            after: Some(seconds(3600))
        }
    );
    tokio::time::advance(seconds(600)).await;
    let error = first_page(&client).await.unwrap_err();
    assert_eq!(
        error,
        Error::RateLimited {
            after: seconds(3000)
        }
    );
    assert_eq!(data(&script).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_one_request_is_told_slows_all() {
    let (client, script) = client(|before, _| {
        if before == 0 {
            Ok(Reply::scripted(429, &[("retry-after", "120")], ""))
        } else {
            ok(ONE)
        }
    });
    let told = tokio::spawn({
        let client = client.clone();
        async move { first_page(&client).await }
    });
    while data(&script).is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    first_page(&client).await.unwrap();
    told.await.unwrap().unwrap();
    assert!(waits(&script)[0] >= seconds(119), "{:?}", waits(&script));
}

#[tokio::test(start_paused = true)]
async fn a_used_up_limit_is_waited_for_before_the_next_request() {
    let (client, script) = client(|_, _| {
        let headers = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "784111807"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        Ok(Reply::scripted(200, &headers, ONE))
    });
    first_page(&client).await.unwrap();
    first_page(&client).await.unwrap();
    assert_eq!(waits(&script), [seconds(30)]);
}
