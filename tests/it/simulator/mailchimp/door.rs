//! Keys, the account, refusals, connections, faults (simulator 1 to 9, 44).

use super::{Chimp, person};
use crate::simulator::sent;
use classy_sync::simulator::{Fault, Options, Switches};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_key_opens_by_basic_and_by_bearer_and_nothing_else_does() {
    let chimp = Chimp::new(&[]).await;
    let ping = format!("{}/ping", chimp.simulator.mailchimp_url());
    assert_eq!(
        chimp.get("/ping").await.json(),
        json!({"health_status": "Everything's Chimpy!"})
    );
    assert_eq!(
        sent(chimp.http.get(&ping).bearer_auth(&chimp.key))
            .await
            .status,
        200
    );
    let refused = sent(chimp.http.get(&ping)).await;
    assert_eq!(
        (refused.status, &refused.json()["title"]),
        (401, &json!("API Key Missing"))
    );
    let refused = sent(
        chimp
            .http
            .get(&ping)
            .bearer_auth("0123456789abcdef0123456789abcdef-us1"),
    )
    .await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (401, Some("application/problem+json; charset=utf-8"))
    );
    let body = refused.json();
    assert_eq!(
        body["detail"],
        "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    );
    assert_eq!(body["instance"].as_str(), refused.header("x-request-id"));
    assert_eq!(chimp.get("/").await.json()["role"], "owner");
    // Revoked while it runs.
    chimp.simulator.mailchimp().accounts[0].revoked = true;
    assert_eq!(chimp.get("/").await.json()["title"], "API Key Invalid");
}

#[tokio::test]
async fn organizations_have_accounts_of_their_own_unless_they_share_one() {
    let options = || Options {
        organizations: vec![10001, 10002],
        ..Options::default()
    };
    let own = Chimp::with(options()).await;
    let other = own.simulator.world().organizations[&10002]
        .mailchimp_audience
        .clone();
    assert_eq!(
        own.get(&format!("/lists/{other}")).await.status,
        404,
        "another account's"
    );
    assert_eq!(own.get("/lists").await.json()["total_items"], 1);
    let shared = Chimp::with(Options {
        shared_account: true,
        ..options()
    })
    .await;
    assert_eq!(shared.get("/lists").await.json()["total_items"], 2);
    assert_eq!(
        own.key,
        Chimp::with(options()).await.key,
        "the same seed, the same key"
    );
}

#[tokio::test]
async fn the_eleventh_at_once_is_refused_and_going_away_frees_nothing() {
    let mailchimp = Switches {
        latency_ms: 2_000,
        ..Switches::default()
    };
    let chimp = Chimp::with(Options {
        mailchimp,
        ..Options::default()
    })
    .await;
    let impatient = (0..4).map(|_| {
        chimp
            .request(Method::GET, "/ping")
            .timeout(Duration::from_millis(150))
            .send()
    });
    assert!(
        futures_util::future::join_all(impatient)
            .await
            .iter()
            .all(Result::is_err)
    );
    let answers = futures_util::future::join_all((0..8).map(|_| chimp.get("/ping"))).await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert_eq!(refused.len(), 2, "ten minus the four who went away");
    assert_eq!(
        refused[0].json()["detail"],
        "You have exceeded the limit of 10 simultaneous connections."
    );
    assert_eq!(refused[0].header("retry-after"), None);
    let state = chimp.simulator.mailchimp();
    assert_eq!(
        (
            state.ledger.in_flight_max.values().copied().max(),
            state.ledger.refused_in_flight
        ),
        (Some(10), 2)
    );
}

#[tokio::test]
async fn errors_come_when_they_are_asked_for_and_in_their_shapes() {
    let chimp = Chimp::new(&[]).await;
    let forced = sent(
        chimp
            .request(Method::GET, "/lists/A")
            .header("X-Trigger-Error", "APIKeyMissing"),
    )
    .await;
    assert_eq!(
        (forced.status, &forced.json()["title"]),
        (401, &json!("API Key Missing"))
    );
    assert_eq!(
        chimp.get("/lists/nowhere").await.json()["title"],
        "Resource Not Found"
    );
    assert_eq!(
        chimp
            .send(Method::DELETE, "/lists/A/segments", json!({}))
            .await
            .status,
        405
    );
    let parsed = sent(
        chimp
            .request(Method::POST, "/lists/A")
            .body("{\"members\": ["),
    )
    .await;
    assert_eq!(
        (parsed.status, &parsed.json()["title"]),
        (400, &json!("JSON Parse Exception"))
    );
    let shape = chimp
        .post(
            "/lists/A/members",
            json!({"email_address": {"a": 1}, "status": "archived"}),
        )
        .await;
    assert_eq!(
        (shape.status, &shape.json()["title"]),
        (400, &json!("Invalid Resource"))
    );
    assert_eq!(
        shape.json()["errors"],
        json!([{"field": "email_address", "message": "Schema describes string, object found instead"},
               {"field": "status", "message": "Data presented is not one of the accepted values: subscribed, unsubscribed, cleaned, pending, transactional."}])
    );
    chimp.simulator.mailchimp().accounts[0].read_only = true;
    assert_eq!(chimp.get("/lists/A").await.status, 200);
    assert_eq!(
        chimp.post("/lists/A", json!({"members": []})).await.json()["title"],
        "Forbidden"
    );
    chimp
        .simulator
        .world()
        .set_faults(vec![Fault::MailchimpNoType]);
    assert_eq!(chimp.get("/lists/nowhere").await.json().get("type"), None);
}

/// Sends members one after the other until a fault has struck, and answers how that one fared.
async fn until_struck(fault: Fault) -> (Chimp, String, Option<u16>) {
    let chimp = Chimp::new(&[fault]).await;
    for number in 0..60 {
        let email = format!("p{number}@x.org");
        let body = json!({"members": [person(&email, "P")]}).to_string();
        let answer = chimp
            .request(Method::POST, "/lists/A")
            .timeout(Duration::from_secs(2))
            .body(body)
            .send()
            .await;
        let whole = match answer {
            Ok(answer) => Some((answer.status().as_u16(), answer.bytes().await.is_ok())),
            Err(_) => None,
        };
        if chimp
            .simulator
            .mailchimp()
            .ledger
            .faults
            .contains_key(fault.as_str())
        {
            return (
                chimp,
                email,
                whole.filter(|(_, whole)| *whole).map(|(status, _)| status),
            );
        }
    }
    panic!("{fault} never struck");
}

#[tokio::test]
async fn faults_strike_before_or_after_the_write() {
    for (fault, statuses) in [
        (Fault::Mailchimp429, &[429][..]),
        (Fault::Mailchimp429Empty, &[429]),
        (Fault::Mailchimp403Empty, &[403]),
        (Fault::Mailchimp500, &[500, 502, 503]),
    ] {
        let (chimp, email, status) = until_struck(fault).await;
        assert!(statuses.contains(&status.unwrap()), "{fault}: {status:?}");
        assert_eq!(chimp.status(&email), "nobody", "{fault}");
        let state = chimp.simulator.mailchimp();
        let last = state.ledger.writes.last().unwrap();
        assert_eq!(
            (last.email.as_str(), last.refused.as_deref()),
            (email.as_str(), Some("struck by a fault")),
            "but it was sent"
        );
    }
    for (fault, written) in [
        (Fault::MailchimpDrop, "nobody"),
        (Fault::MailchimpDropAfterWrite, "subscribed"),
        (Fault::MailchimpHang, "subscribed"),
    ] {
        let (chimp, email, status) = until_struck(fault).await;
        assert_eq!((status, chimp.status(&email)), (None, written), "{fault}");
    }
    let (chimp, email, status) = until_struck(Fault::MailchimpSlow).await;
    assert_eq!((status, chimp.status(&email)), (Some(200), "subscribed"));
}

#[tokio::test]
async fn a_fault_can_take_some_members_of_a_batch() {
    for (fault, errors) in [
        (Fault::MailchimpPartial, true),
        (Fault::MailchimpVanish, false),
    ] {
        let chimp = Chimp::new(&[fault]).await;
        for round in 0.. {
            let members: Vec<_> = (0..100)
                .map(|number| person(&format!("p{round}.{number}@x.org"), "P"))
                .collect();
            let answer = chimp.subscribe(json!(members)).await;
            let created = answer["total_created"].as_u64().unwrap();
            if created == 100 {
                assert!(round < 60, "{fault} never struck");
                continue;
            }
            assert!((50..100).contains(&created), "{fault}: {created}");
            assert_eq!(
                answer["error_count"].as_u64().unwrap(),
                if errors { 100 - created } else { 0 }
            );
            let written = (0..100)
                .filter(|number| chimp.status(&format!("p{round}.{number}@x.org")) == "subscribed")
                .count();
            assert_eq!(written as u64, created);
            break;
        }
    }
}

#[tokio::test]
async fn what_is_written_is_read_later() {
    let mailchimp = Switches {
        lag_ms: 1_500,
        ..Switches::default()
    };
    let chimp = Chimp::with(Options {
        mailchimp,
        strangers: 0,
        ..Options::default()
    })
    .await;
    chimp.subscribe(json!([person("a@x.org", "Ada")])).await;
    assert_eq!(chimp.get("/lists/A/members/a@x.org").await.status, 404);
    assert_eq!(chimp.get("/lists/A/members").await.json()["total_items"], 0);
    tokio::time::sleep(Duration::from_millis(1_550)).await;
    assert_eq!(
        chimp.get("/lists/A/members/a@x.org").await.json()["full_name"],
        "Ada"
    );
    assert_eq!(chimp.get("/lists/A/members").await.json()["total_items"], 1);
}
