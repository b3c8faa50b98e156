//! What is turned at run time: the source's own clock, faults and dials by name.

use super::{Answer, Api, id_at};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::json;

#[tokio::test]
async fn the_source_s_clock_is_its_own() {
    let api = Api::with(Options {
        supporters: 30,
        clock_offset: 600,
        ..Options::default()
    })
    .await;
    let ahead = |answer: &Answer| {
        let date = httpdate::parse_http_date(answer.header("date").unwrap()).unwrap();
        let machine = std::time::SystemTime::now();
        date.duration_since(machine).map_or_else(
            |behind| -(behind.duration().as_secs() as i64),
            |ahead| ahead.as_secs() as i64,
        )
    };
    assert!((598..=601).contains(&ahead(&api.get("/organizations/10001").await)));
    let id = id_at(&api.simulator, Kind::Supporters, 0);
    let edit = json!({"edits": [{"advance": -1200}, {"set": {"list": "supporters", "id": id, "fields": {"city": "Elsewhere"}}}]});
    assert_eq!(api.control("edit", edit).await.status, 200);
    let changed = api.get(&format!("/supporters/{id}")).await;
    assert!((-602..=-598).contains(&ahead(&changed)));
    let at = chrono::DateTime::parse_from_str(
        changed.json()["updated_at"].as_str().unwrap(),
        "%Y-%m-%dT%H:%M:%S%z",
    )
    .unwrap();
    assert!(
        (at.timestamp() - api.simulator.world().now()).abs() <= 2
            && changed.json()["city"] == "Elsewhere"
    );
    api.simulator.world().set_faults(vec![Fault::NoDate]);
    assert_eq!(
        api.get("/organizations/10001")
            .await
            .header("date")
            .filter(|date| !date.is_empty()),
        None
    );
}

#[tokio::test]
async fn faults_and_dials_are_turned_by_name_from_outside() {
    let api = Api::new(100, &[]).await;
    let known = super::sent(api.http.get(api.url("/__sim/faults")))
        .await
        .json();
    let words = [
        "rate-limit",
        "server-errors",
        "slow",
        "token-expiry",
        "truncated-body",
        "html-200",
        "drift",
        "ties",
        "foreign-next-url",
        "redirect",
        "bad-record",
        "shrinking-total",
        "late-visibility",
    ];
    for word in words {
        assert!(
            known["known"].as_array().unwrap().contains(&json!(word)),
            "{word}"
        );
    }
    assert!(
        Fault::ALL
            .iter()
            .all(|fault| fault.as_str().parse() == Ok(*fault))
    );
    // Those that live in the data strike it when they are turned on.
    assert_eq!(
        api.control("faults", json!(["bad-record", "null-updated-at"]))
            .await
            .status,
        200
    );
    let people = api.all(Kind::Supporters).await;
    assert!(
        people.iter().any(|person| person["updated_at"].is_null())
            && people.iter().any(|person| person["member_id"].is_object())
    );
    let gifts = api.all(Kind::Transactions).await;
    let foreign = gifts
        .iter()
        .any(|gift| gift["organization_id"] == 999_999_999);
    assert!(
        foreign
            && gifts
                .iter()
                .any(|gift| gift["total_gross_amount"] == "12,50 dollars")
    );
    assert_eq!(
        api.control("edit", json!({"edits": ["heal"]})).await.status,
        200
    );
    assert!(
        !api.all(Kind::Supporters)
            .await
            .iter()
            .any(|person| person["member_id"].is_object())
    );
    for (path, body) in [
        ("faults", json!(["no-such-fault"])),
        ("options", json!({"no_such_dial": 1})),
        ("options", json!({"latency_ms": "soon"})),
        (
            "edit",
            json!({"edits": [{"delete": {"list": "people", "id": 1}}]}),
        ),
    ] {
        let answer = api.control(path, body).await;
        assert!(
            answer.status == 400 && answer.json()["error"].is_string(),
            "{path}"
        );
    }
    assert_eq!(
        api.control(
            "options",
            json!({"requests_per_minute": 1, "integration_id": null})
        )
        .await
        .json()["requests_per_minute"],
        1
    );
    assert_eq!(
        (
            api.get("/organizations/10001").await.status,
            api.get("/organizations/10001").await.status
        ),
        (200, 429)
    );
}
