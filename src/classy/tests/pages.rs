//! Pages, single records and the organization.

use super::*;
use crate::domain::{Answer, Doubt, Item, RejectReason};
use crate::entities::Transaction;
use crate::net::Pace;

#[tokio::test(start_paused = true)]
async fn a_page_comes_with_its_total_and_the_clock_of_the_source() {
    let (client, script) = client(|_, _| ok(ONE));
    let page = client
        .page::<Supporter>(Query::Since("2025-04-20T00:00:00Z".parse().unwrap()), 2, 50)
        .await
        .unwrap();
    assert_eq!(
        (page.total, page.bytes, page.last_id()),
        (1, ONE.len() as u64, Some(7))
    );
    assert_eq!(
        page.clocks.theirs.unwrap().to_rfc3339(),
        "1994-11-06T08:49:37+00:00"
    );
    let url = "https://api.example.org/2.0/organizations/10001/supporters?page=2&per_page=50&sort=updated_at%3Aasc&filter=updated_at%3E%3D2025-04-20T00%3A00%3A00Z";
    assert_eq!(data(&script)[0].url, url);
    assert_eq!(client.stats().bytes, ONE.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_404_past_the_end_is_an_empty_page_once_the_total_agrees() {
    let (client, script) = client(|_, seen| {
        if seen.url.contains("page=3&") {
            Ok(Reply::scripted(404, &[], ""))
        } else {
            ok(r#"{"data":[{"id":1}],"total":200}"#)
        }
    });
    let page: Page<Supporter> = client.page(Query::All, 3, 100).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 200));
    assert!(
        data(&script)[1]
            .url
            .contains("page=1&per_page=1&sort=id%3Aasc")
    );
}

#[tokio::test(start_paused = true)]
async fn a_404_in_the_middle_of_a_list_is_not_its_end() {
    let (client, _) = client(|_, seen| {
        if seen.url.contains("page=3&") {
            Ok(Reply::scripted(404, &[], ""))
        } else {
            ok(r#"{"data":[{"id":1}],"total":201}"#)
        }
    });
    assert!(matches!(
        client.page::<Supporter>(Query::All, 3, 100).await,
        Err(Error::Protocol { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_that_its_total_contradicts_is_asked_for_twice() {
    let empty = r#"{"data":[],"total":250}"#;
    let (client, script) = client(move |before, _| if before == 0 { ok(empty) } else { ok(ONE) });
    assert_eq!(
        client
            .page::<Supporter>(Query::All, 3, 100)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    assert_eq!(data(&script).len(), 2);
    // When it says so twice, it is what the source has.
    let (client, _) = super::client(move |_, _| ok(empty));
    let page = client.page::<Supporter>(Query::All, 3, 100).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 250));
    // An honest empty page is believed at once.
    let (client, script) = super::client(|_, _| {
        ok(include_str!(
            "../../../tests/fixtures/classy/envelope-empty.json"
        ))
    });
    assert_eq!(first_page(&client).await.unwrap().items.len(), 0);
    assert_eq!(data(&script).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_record_is_found_absent_or_bad() {
    let body = r#"{"id":30000001,"organization_id":10001,"status":"success","total_gross_amount":6.01,"created_at":"2025-06-03T00:00:00+0000"}"#;
    let (client, script) = client(move |_, _| ok(body));
    let found = client.one::<Transaction>(30_000_001).await.unwrap();
    assert!(
        matches!(found, Answer::Stored(Item::Good(record)) if record.total_gross_amount.unwrap().to_string() == "6.01")
    );
    assert_eq!(
        data(&script)[0].url,
        "https://api.example.org/2.0/transactions/30000001"
    );

    let (client, _) = super::client(|_, _| {
        Ok(Reply::scripted(
            404,
            &[],
            r#"{"error":"The resource cannot be found"}"#,
        ))
    });
    assert_eq!(client.one::<Transaction>(1).await, Ok(Answer::Gone));

    let (client, _) = super::client(|_, _| {
        ok(
            r#"{"id":1,"status":"success","total_gross_amount":"much","created_at":"2025-06-03T00:00:00+0000"}"#,
        )
    });
    let found = client.one::<Transaction>(1).await.unwrap();
    assert!(
        matches!(found, Answer::Stored(Item::Bad(reject)) if reject.reason == RejectReason::Invalid)
    );
}

/// What a record's own address answers, all others answering as they should.
async fn asked_singly(
    status: u16,
    body: &'static str,
) -> (Result<Answer<Transaction>, Error>, usize) {
    let (client, script) = client(move |_, seen| {
        if seen.url.contains("/organizations/") {
            ok("{}")
        } else {
            Ok(Reply::scripted(status, &[], body))
        }
    });
    let answer = client.one::<Transaction>(1).await;
    let of_record = data(&script)
        .iter()
        .filter(|seen| !seen.url.contains("/organizations/"))
        .count();
    (answer, of_record)
}

#[tokio::test(start_paused = true)]
async fn what_decides_nothing_about_one_record_is_no_error_and_no_absence() {
    let (none, part) = ["not a record", "not a whole record"]
        .map(|what| Doubt::Unreadable(what.to_owned()))
        .into();
    for (status, body, doubt, tries) in [
        (200, r#"{"id":2,"status":"success"}"#, Doubt::OtherRecord, 1),
        (
            200,
            r#"{"id":1,"organization_id":10002,"status":"success"}"#,
            Doubt::OtherOrganization,
            1,
        ),
        (
            403,
            r#"{"error":"This action is unauthorized."}"#,
            Doubt::Status(403),
            1,
        ),
        (400, "{}", Doubt::Status(400), 1),
        (410, "{}", Doubt::Status(410), 1),
        (500, "", Doubt::Status(500), 3),
        (503, "<html>", Doubt::Status(503), 3),
        (200, r#"{"error":"something"}"#, none.clone(), 3),
        (200, "{}", none.clone(), 3),
        (200, r#"{"id":1}"#, part.clone(), 3),
        (200, "null", none.clone(), 3),
        (200, r#"[1,"2025-01-01"]"#, none.clone(), 3),
        (200, "<html>", none.clone(), 3),
        (
            301,
            "",
            Doubt::Unreadable("a redirect to elsewhere".to_owned()),
            3,
        ),
        (
            302,
            "<html>",
            Doubt::Unreadable("a redirect to elsewhere".to_owned()),
            3,
        ),
        (
            404,
            "<html>no such page</html>",
            Doubt::Unreadable("a 404 of the gateway, not of the API".to_owned()),
            3,
        ),
    ] {
        assert_eq!(
            asked_singly(status, body).await,
            (Ok(Answer::Undecided(doubt)), tries),
            "{status} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_concerns_every_record_is_an_error_of_the_source() {
    // A source that answers nothing at all, one that is left alone, one that asks to wait.
    let (client, script) = super::client(|_, _| Ok(Reply::scripted(500, &[], "")));
    assert_eq!(
        client.one::<Transaction>(1).await,
        Err(Error::Unavailable { status: 500 })
    );
    assert_eq!(
        data(&script).len(),
        6,
        "three for the record, three for the source"
    );
    let (client, _) = super::client(|_, _| {
        Ok(Reply::scripted(
            302,
            &[("location", "https://login.example.org/")],
            "",
        ))
    });
    assert!(matches!(
        client.one::<Transaction>(1).await,
        Err(Error::Redirect { .. })
    ));
    let (client, _) =
        super::client(|_, _| Ok(Reply::scripted(429, &[("retry-after", "3600")], "{}")));
    assert!(matches!(
        client.one::<Transaction>(1).await,
        Err(Error::RateLimited { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn bad_records_do_not_open_the_breaker_and_a_source_that_answers_closes_it() {
    let (client, _) = client(|_, seen| {
        let is_bad = seen.url.contains("/transactions/") || seen.url.contains("page=3&");
        if is_bad {
            Ok(Reply::scripted(500, &[], ""))
        } else {
            ok(ONE)
        }
    });
    for id in 1..=20 {
        assert!(matches!(
            client.one::<Transaction>(id).await,
            Ok(Answer::Undecided(_))
        ));
    }
    assert_eq!(client.pulse().open_for, None);
    let pages = (0..2).map(|_| client.page::<Supporter>(Query::All, 3, 100));
    assert!(
        futures_util::future::join_all(pages)
            .await
            .iter()
            .all(Result::is_err)
    );
    assert!(
        client.pulse().open_for.is_some(),
        "so many failures in a row"
    );
    client.answers().await.unwrap();
    assert_eq!(client.pulse().open_for, None);
    assert!(first_page(&client).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_organization_is_optional_at_the_source() {
    let body = include_str!("../../../tests/fixtures/classy/organization-from-spec-examples.json")
        .replace("82364", "10001");
    let (client, _) = client(move |_, _| ok(&body));
    let found = client.organization().await.unwrap().unwrap();
    assert_eq!(found.name.as_deref(), Some("Rescue All Animals"));
    assert_eq!(
        (found.currency_code.as_deref(), found.timezone.as_deref()),
        (Some("USD"), Some("UTC"))
    );

    for body in ["", r#"{"message":"no Route matched","request_id":"f00"}"#] {
        let (client, _) = super::client(move |_, _| Ok(Reply::scripted(404, &[], body)));
        assert_eq!(client.organization().await, Ok(None));
    }
    let (client, _) = super::client(|_, _| ok(r#"{"id":10002,"name":"Somebody Else"}"#));
    assert!(matches!(
        client.organization().await,
        Err(Error::Protocol { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn the_pace_and_the_number_at_a_time_are_kept() {
    let mut settings = settings();
    settings.requests_per_minute = 60.into();
    settings.max_concurrency = 2;
    let (client, script) = client_with(settings, |_, _| ok(ONE));
    assert_eq!(client.max_concurrency(), 2);
    let tasks: Vec<_> = (0..31)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { first_page(&client).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seen = data(&script);
    let spent = seen[30].at - seen[0].at;
    assert!(spent >= seconds(30) && spent < seconds(31), "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn unless_a_pace_is_set_it_follows_what_the_source_allows() {
    let paced = || {
        let mut settings = settings();
        settings.requests_per_minute = Pace::Auto;
        settings
    };
    let allowed = &[
        ("x-ratelimit-limit", "1800"),
        ("x-ratelimit-remaining", "99"),
    ];
    let (client, script) = client_with(paced(), |_, _| Ok(Reply::scripted(200, allowed, ONE)));
    for _ in 0..720 {
        first_page(&client).await.unwrap();
    }
    let seen = data(&script);
    let spent = seen[719].at - seen[0].at;
    assert!(spent < seconds(30), "{spent:?}");

    // One that is told that it is too much slows down by half.
    let (client, script) = client_with(paced(), |number, _| match number {
        300 => Ok(Reply::scripted(503, &[], "")),
        _ => Ok(Reply::scripted(200, allowed, ONE)),
    });
    for _ in 0..330 {
        first_page(&client).await.unwrap();
    }
    let seen = data(&script);
    let pace = |from: usize| 20.0 * 60.0 / (seen[from + 20].at - seen[from].at).as_secs_f64();
    let (before, after) = (pace(270), pace(310));
    assert!((1_500.0..1_800.0).contains(&before), "{before}");
    assert!((0.4..0.65).contains(&(after / before)), "{before} {after}");
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_told_for_one_record_is_its_own_until_several_in_a_row_were_told_so() {
    let limited = |seen: &Seen| seen.url.contains("/transactions/1");
    let (client, script) = client(move |_, seen| {
        if limited(seen) {
            Ok(Reply::scripted(
                429,
                &[("retry-after", "3000"), ("x-ratelimit-remaining", "0")],
                "{}",
            ))
        } else {
            ok(ONE)
        }
    });
    let begin = tokio::time::Instant::now();
    assert_eq!(
        client.one::<Transaction>(1).await,
        Ok(Answer::Undecided(Doubt::Wait(3_000)))
    );
    first_page(&client).await.unwrap();
    assert!(begin.elapsed() < seconds(5), "{:?}", begin.elapsed());
    assert_eq!(client.pulse().trouble, None);
    for id in [10, 11] {
        assert_eq!(
            client.one::<Transaction>(id).await,
            Ok(Answer::Undecided(Doubt::Wait(3_000)))
        );
    }
    // It is meant for all of them.
    let before = data(&script).len();
    assert!(matches!(
        client.one::<Transaction>(12).await,
        Ok(Answer::Undecided(Doubt::Wait(2_990..=3_000)))
    ));
    first_page(&client).await.unwrap();
    assert_eq!(
        data(&script).len(),
        before + 1,
        "the list alone was asked for"
    );
    tokio::time::advance(seconds(3_001)).await;
    assert!(matches!(
        client.one::<Transaction>(2).await,
        Ok(Answer::Stored(_) | Answer::Undecided(Doubt::OtherRecord | Doubt::Unreadable(_)))
    ));
    assert!(
        data(&script).len() > before + 1,
        "and asked for again when it is over"
    );
}
