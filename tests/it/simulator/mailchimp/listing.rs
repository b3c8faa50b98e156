//! Listings of members (simulator 10 to 12, 39), and that they are quick.

use super::{Chimp, person};
use classy_sync::simulator::{Act, Options};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

fn emails(answer: &Value) -> Vec<&str> {
    answer["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["email_address"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_of_ten_without_the_archived_and_at_most_a_thousand() {
    let chimp = Chimp::new(&[]).await;
    for part in 0..3 {
        let members: Vec<Value> = (0..400)
            .map(|number| person(&format!("p{part}.{number}@x.org"), "P"))
            .collect();
        chimp.subscribe(json!(members)).await;
    }
    chimp.act(Act::Archive("p0.0@x.org".to_owned()));
    let first = chimp.get("/lists/A/members").await.json();
    assert_eq!(
        (emails(&first).len(), &first["total_items"]),
        (10, &json!(1_199))
    );
    assert_eq!(
        emails(
            &chimp
                .get("/lists/A/members?count=5000&fields=members.email_address")
                .await
                .json()
        )
        .len(),
        1_000
    );
    assert_eq!(
        emails(
            &chimp
                .get("/lists/A/members?count=1000&offset=1000&fields=members.email_address")
                .await
                .json()
        )
        .len(),
        199
    );
    assert_eq!(
        emails(&chimp.get("/lists/A/members?status=archived").await.json()),
        ["p0.0@x.org"]
    );
    chimp.simulator.mailchimp().switches.refuse_large_count = true;
    assert_eq!(chimp.get("/lists/A/members?count=1001").await.status, 400);
}

#[tokio::test]
async fn what_changed_since_a_moment_comes_in_the_order_of_change() {
    let chimp = Chimp::new(&[]).await;
    for email in ["a@x.org", "b@x.org", "c@x.org"] {
        chimp.sign_up(email);
        chimp.later(60);
    }
    chimp.subscribe(json!([person("a@x.org", "Ada")])).await;
    let changed = async |query: &str| {
        let path = format!(
            "/lists/A/members?sort_field=last_changed&fields=members.email_address,members.last_changed,total_items&{query}"
        );
        chimp.get(&path).await.json()
    };
    let all = changed("sort_dir=ASC").await;
    assert_eq!(emails(&all), ["b@x.org", "c@x.org", "a@x.org"]);
    assert_eq!(
        emails(&changed("sort_dir=DESC").await),
        ["a@x.org", "c@x.org", "b@x.org"]
    );
    let second = all["members"][1]["last_changed"].as_str().unwrap();
    assert_eq!(
        emails(
            &changed(&format!(
                "since_last_changed={}",
                second.replace('+', "%2B")
            ))
            .await
        ),
        ["a@x.org"],
        "exclusive"
    );
    let spoiled = chimp
        .get(&format!("/lists/A/members?since_last_changed={second}"))
        .await;
    assert_eq!(spoiled.status, 400, "a plus that became a space");
    // Tags alone do not move it, unless told to.
    chimp.later(60);
    let tag = json!({"tags": [{"name": "T", "status": "active"}]});
    chimp.post("/lists/A/members/b@x.org/tags", tag).await;
    assert_eq!(
        emails(&changed("").await),
        ["b@x.org", "c@x.org", "a@x.org"]
    );
    chimp.simulator.mailchimp().switches.tags_move_last_changed = true;
    chimp
        .post(
            "/lists/A/members/b@x.org/tags",
            json!({"tags": [{"name": "U", "status": "active"}]}),
        )
        .await;
    assert_eq!(
        emails(&changed("").await),
        ["c@x.org", "a@x.org", "b@x.org"]
    );
}

#[tokio::test]
async fn an_answer_is_narrowed_and_tags_are_cut() {
    let chimp = Chimp::new(&[]).await;
    let tags: Vec<String> = (0..60).map(|number| format!("T{number}")).collect();
    chimp
        .subscribe(
            json!([{"email_address": "a@x.org", "status_if_new": "subscribed", "tags": tags}]),
        )
        .await;
    let member = chimp
        .get("/lists/A/members/a@x.org?fields=tags,tags_count")
        .await
        .json();
    assert_eq!(
        (
            member["tags"].as_array().unwrap().len(),
            &member["tags_count"]
        ),
        (50, &json!(60))
    );
    assert_eq!(member.as_object().unwrap().len(), 2);
    assert_eq!(
        chimp
            .get("/lists/A/members?exclude_fields=members,_links")
            .await
            .json(),
        json!({"list_id": chimp.audience, "total_items": 1})
    );
    assert_eq!(
        chimp
            .get("/lists/A/members?fields=members.id&exclude_fields=_links")
            .await
            .status,
        400
    );
    assert_eq!(
        chimp
            .get("/lists/A/members?fields=members.nothing")
            .await
            .status,
        422
    );
    assert_eq!(
        chimp
            .get("/lists/A/members?unsubscribed_since=2026-01-01T00:00:00Z")
            .await
            .status,
        400
    );
    assert_eq!(
        chimp
            .get("/lists/A/members?status=unsubscribed&unsubscribed_since=2026-01-01T00:00:00Z")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_large_audience_is_quick() {
    let chimp = Chimp::with(Options {
        strangers: 40_000,
        ..Options::default()
    })
    .await;
    let begin = Instant::now();
    let members: Vec<Value> = (0..500)
        .map(|number| person(&format!("p{number}@x.org"), "P"))
        .collect();
    chimp.subscribe(json!(members)).await;
    let subscribed = begin.elapsed();
    let since = "since_last_changed=2020-01-01T00:00:00Z&sort_field=last_changed&count=1000&fields=members.id,total_items";
    let begin = Instant::now();
    let mut seen = BTreeSet::new();
    for page in 0..5 {
        let answer = chimp
            .get(&format!("/lists/A/members?{since}&offset={}", page * 8_000))
            .await
            .json();
        seen.extend(
            answer["members"]
                .as_array()
                .unwrap()
                .iter()
                .map(|member| member["id"].as_str().unwrap().to_owned()),
        );
    }
    let listed = begin.elapsed();
    assert_eq!(seen.len(), 5_000);
    assert!(
        subscribed < Duration::from_secs(3) && listed < Duration::from_secs(10),
        "{subscribed:?} {listed:?}"
    );
}
