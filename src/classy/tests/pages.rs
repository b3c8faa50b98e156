//! Pages, single records and the organization.

use super::*;
use crate::domain::RejectReason;
use crate::domain::{Item, Transaction};

#[tokio::test(start_paused = true)]
async fn a_page_comes_with_its_total_and_the_clock_of_the_source() {
    let (client, script) = client(|_, _| ok(ONE));
    let page = client.page::<Supporter>(Query::Since("2025-04-20T00:00:00Z".parse().unwrap()), 2, 50).await.unwrap();
    assert_eq!((page.total, page.bytes, page.last_id()), (1, ONE.len() as u64, Some(7)));
    assert_eq!(page.date.unwrap().to_rfc3339(), "1994-11-06T08:49:37+00:00");
    let url = "https://api.example.org/2.0/organizations/10001/supporters?page=2&per_page=50&sort=updated_at%3Aasc&filter=updated_at%3E%3D2025-04-20T00%3A00%3A00Z";
    assert_eq!(data(&script)[0].url, url);
    assert_eq!(client.stats().bytes, ONE.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_404_past_the_end_is_an_empty_page_once_the_total_agrees() {
    let (client, script) =
        client(
            |_, seen| {
                if seen.url.contains("page=3&") { Ok(Reply::scripted(404, &[], "")) } else { ok(r#"{"data":[{"id":1}],"total":200}"#) }
            },
        );
    let page: Page<Supporter> = client.page(Query::All, 3, 100).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 200));
    assert!(data(&script)[1].url.contains("page=1&per_page=1&sort=id%3Aasc"));
}

#[tokio::test(start_paused = true)]
async fn a_404_in_the_middle_of_a_list_is_not_its_end() {
    let (client, _) =
        client(
            |_, seen| {
                if seen.url.contains("page=3&") { Ok(Reply::scripted(404, &[], "")) } else { ok(r#"{"data":[{"id":1}],"total":201}"#) }
            },
        );
    assert!(matches!(client.page::<Supporter>(Query::All, 3, 100).await, Err(Error::Protocol { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_that_its_total_contradicts_is_asked_for_twice() {
    let empty = r#"{"data":[],"total":250}"#;
    let (client, script) = client(move |before, _| if before == 0 { ok(empty) } else { ok(ONE) });
    assert_eq!(client.page::<Supporter>(Query::All, 3, 100).await.unwrap().items.len(), 1);
    assert_eq!(data(&script).len(), 2);
    // When it says so twice, it is what the source has.
    let (client, _) = super::client(move |_, _| ok(empty));
    let page = client.page::<Supporter>(Query::All, 3, 100).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 250));
    // An honest empty page is believed at once.
    let (client, script) = super::client(|_, _| ok(include_str!("../../../tests/fixtures/classy/envelope-empty.json")));
    assert_eq!(first_page(&client).await.unwrap().items.len(), 0);
    assert_eq!(data(&script).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_record_is_found_absent_or_bad() {
    let body = r#"{"id":30000001,"organization_id":10001,"status":"success","total_gross_amount":6.01}"#;
    let (client, script) = client(move |_, _| ok(body));
    let found = client.one::<Transaction>(30_000_001).await.unwrap();
    assert!(matches!(found, Some(Item::Good(record)) if record.total_gross_amount.unwrap().to_string() == "6.01"));
    assert_eq!(data(&script)[0].url, "https://api.example.org/2.0/transactions/30000001");

    let (client, _) = super::client(|_, _| Ok(Reply::scripted(404, &[], r#"{"error":"The resource cannot be found"}"#)));
    assert_eq!(client.one::<Transaction>(1).await, Ok(None));

    let (client, _) = super::client(|_, _| ok(r#"{"id":1,"organization_id":10002,"status":"success"}"#));
    let found = client.one::<Transaction>(1).await.unwrap();
    assert!(matches!(found, Some(Item::Bad(reject)) if reject.reason == RejectReason::ForeignOrganization));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_record_asked_for_is_no_answer() {
    for (status, body) in [
        (200, r#"{"id":2,"status":"success"}"#),
        (200, r#"{"error":"something"}"#),
        (200, "{}"),
        (200, "null"),
        (200, r#"[1,"2025-01-01"]"#),
        (200, "<html>"),
        (404, "<html>no such page</html>"),
        (404, r#"{"message":"no Route matched with those values","request_id":"f00"}"#),
    ] {
        let (client, script) = client(move |_, _| Ok(Reply::scripted(status, &[], body)));
        assert!(matches!(client.one::<Transaction>(1).await, Err(Error::Protocol { .. })), "{body}");
        assert_eq!(data(&script).len(), 8, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_organization_is_optional_at_the_source() {
    let body = include_str!("../../../tests/fixtures/classy/organization-from-spec-examples.json").replace("82364", "10001");
    let (client, _) = client(move |_, _| ok(&body));
    let found = client.organization().await.unwrap().unwrap();
    assert_eq!(found.name.as_deref(), Some("Rescue All Animals"));
    assert_eq!((found.currency_code.as_deref(), found.timezone.as_deref()), (Some("USD"), Some("UTC")));

    for body in ["", r#"{"message":"no Route matched","request_id":"f00"}"#] {
        let (client, _) = super::client(move |_, _| Ok(Reply::scripted(404, &[], body)));
        assert_eq!(client.organization().await, Ok(None));
    }
    let (client, _) = super::client(|_, _| ok(r#"{"id":10002,"name":"Somebody Else"}"#));
    assert!(matches!(client.organization().await, Err(Error::Protocol { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_pace_and_the_number_at_a_time_are_kept() {
    let mut settings = settings();
    settings.requests_per_minute = 60;
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
