//! Envelopes, pages and orders (simulator 8 to 12, 16, 17, 35).

use super::{Api, ORGANIZATION, id_at};
use classy_sync::simulator::{Fault, Kind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn an_empty_list_is_the_recorded_envelope() {
    let api = Api::new(0, &[]).await;
    let sample = include_str!("../../fixtures/classy/envelope-empty.json")
        .replace("https://api.classy.org/2.0", &api.simulator.base_url());
    let sample: Value = serde_json::from_str(&sample).unwrap();
    let answer = api.list(Kind::Supporters, &[]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    // As text: the order of keys counts.
    assert_eq!(answer.json().to_string(), sample.to_string());
    assert!(
        answer.text.contains("\"label\":\"&laquo; Previous\"") && answer.text.contains(":\\/\\/")
    );
}

#[tokio::test]
async fn an_envelope_says_where_it_is() {
    let api = Api::new(250, &[]).await;
    let body = api
        .list(
            Kind::Supporters,
            &[
                ("page", "2"),
                ("per_page", "100"),
                ("sort", "id"),
                ("filter", "id>0"),
                ("with", "x"),
            ],
        )
        .await;
    let body = body.json();
    let url = |page: u32| {
        json!(api.url(&format!(
            "/2.0/organizations/{ORGANIZATION}/supporters?with=x&sort=id&page={page}"
        )))
    };
    for (key, expected) in [
        ("current_page", json!(2)),
        ("first_page_url", url(1)),
        ("from", json!(101)),
        ("last_page", json!(3)),
        ("last_page_url", url(3)),
        ("next_page_url", url(3)),
        (
            "path",
            json!(api.url("/2.0/organizations/10001/supporters")),
        ),
        ("per_page", json!(100)),
        ("prev_page_url", url(1)),
        ("to", json!(200)),
        ("total", json!(250)),
    ] {
        assert_eq!(body[key], expected, "{key}");
    }
    let links = body["links"].as_array().unwrap();
    let labels: Vec<&str> = links
        .iter()
        .map(|link| link["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["&laquo; Previous", "1", "2", "3", "Next &raquo;"]);
    let active: Vec<&Value> = links.iter().map(|link| &link["active"]).collect();
    assert_eq!(active, [false, false, true, false, false]);
    assert_eq!((&links[0]["url"], &links[3]["url"]), (&url(1), &url(3)));
    // The last page.
    let last = api
        .list(Kind::Supporters, &[("page", "3"), ("per_page", "100")])
        .await
        .json();
    assert_eq!(
        (&last["next_page_url"], &last["from"], &last["to"]),
        (&json!(null), &json!(201), &json!(250))
    );
    // Many pages: dots where some are left out, leading nowhere.
    let many = api
        .list(Kind::Supporters, &[("page", "20"), ("per_page", "5")])
        .await
        .json();
    let labels: Vec<&str> = many["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["label"].as_str().unwrap())
        .collect();
    let around = ["17", "18", "19", "20", "21", "22", "23"];
    assert_eq!(
        labels,
        [
            &["&laquo; Previous", "1", "2", "..."][..],
            &around,
            &["...", "49", "50", "Next &raquo;"]
        ]
        .concat()
    );
    assert_eq!(many["links"][3]["url"], json!(null));
    api.simulator
        .world()
        .set_faults(vec![Fault::NoLinks, Fault::NewKeys]);
    let other = api.list(Kind::Supporters, &[]).await.json();
    assert_eq!(
        (other.get("links"), &other["queries_log"]),
        (None, &json!([]))
    );
}

#[tokio::test]
async fn page_and_per_page_take_anything() {
    let api = Api::new(250, &[]).await;
    for (page, per_page, current, size) in [
        ("", "", 1, 20),
        ("0", "0", 1, 20),
        ("-3", "-5", 1, 20),
        ("two", "many", 1, 20),
        ("1.5", "1e2", 1, 20),
        ("99999999999999999999999", "99999999999999999999999", 1, 20),
        ("2", "101", 2, 100),
        ("2", "1000", 2, 100),
        ("2", "100", 2, 100),
        ("2", "7", 2, 7),
    ] {
        let answer = api
            .list(Kind::Supporters, &[("page", page), ("per_page", per_page)])
            .await;
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["current_page"], &body["per_page"]),
            (200, &json!(current), &json!(size)),
            "{page} {per_page}"
        );
        assert_eq!(answer.data().len() as i64, size);
    }
    assert_eq!(api.list(Kind::Supporters, &[]).await.data().len(), 20);
    // Past the end, however far.
    for page in ["4", "18446744073709551615"] {
        let body = api
            .list(Kind::Supporters, &[("page", page), ("per_page", "100")])
            .await
            .json();
        assert_eq!(
            (&body["data"], &body["from"], &body["to"]),
            (&json!([]), &json!(null), &json!(null))
        );
        assert_eq!(
            (&body["total"], &body["last_page"], &body["next_page_url"]),
            (&json!(250), &json!(3), &json!(null))
        );
    }
    api.simulator.world().set_faults(vec![
        Fault::PastEnd404,
        Fault::PerPage400,
        Fault::ShrinkingTotal,
    ]);
    let answer = api
        .list(Kind::Supporters, &[("page", "4"), ("per_page", "100")])
        .await;
    assert_eq!(
        (answer.status, answer.json()),
        (404, json!({"error": "The resource cannot be found"}))
    );
    assert_eq!(
        api.list(Kind::Supporters, &[("per_page", "101")])
            .await
            .status,
        400
    );
    assert_eq!(
        api.list(Kind::Supporters, &[("per_page", "100")])
            .await
            .status,
        200
    );
    // Totals below the page that is asked for, with records on it.
    let body = api
        .list(Kind::Supporters, &[("page", "3"), ("per_page", "100")])
        .await
        .json();
    assert_eq!(
        (
            body["data"].as_array().unwrap().len(),
            &body["last_page"],
            &body["next_page_url"]
        ),
        (50, &json!(1), &json!(null))
    );
}

#[tokio::test]
async fn what_nobody_knows_is_passed_over() {
    let api = Api::new(50, &[]).await;
    let plain = api.list(Kind::Supporters, &[("sort", "id")]).await;
    let others = [
        ("sort", "id"),
        ("limit", "5"),
        ("updated_gte", "2999-01-01"),
        ("meta", "true"),
        ("per-page", "3"),
        ("filter", ""),
    ];
    assert_eq!(api.list(Kind::Supporters, &others).await.ids(), plain.ids());
}

#[tokio::test]
async fn each_list_has_its_own_order_when_nobody_says() {
    let api = Api::new(400, &[]).await;
    for (kind, key, descending) in [
        (Kind::Supporters, "updated_at", false),
        (Kind::Campaigns, "created_at", false),
        (Kind::Plans, "started_at", true),
        (Kind::Transactions, "purchased_at", true),
    ] {
        let mut values: Vec<String> = api
            .list(kind, &[("per_page", "100")])
            .await
            .data()
            .iter()
            .map(|record| record[key].as_str().unwrap().to_owned())
            .collect();
        if descending {
            values.reverse();
        }
        assert!(
            values.is_sorted() && values.first() != values.last(),
            "{kind:?} by {key}"
        );
    }
    let ids = api
        .list(Kind::Supporters, &[("per_page", "100")])
        .await
        .ids();
    assert!(!ids.is_sorted(), "ids do not tell the order of changes");
}

#[tokio::test]
async fn equals_are_in_another_order_each_time_and_only_ids_make_pages_that_fit() {
    let api = Api::new(300, &[Fault::Ties]).await;
    let ask = |page: &'static str, sort: &'static str| {
        [("page", page), ("per_page", "100"), ("sort", sort)]
    };
    let mut walks = Vec::new();
    for sort in [
        "updated_at",
        "updated_at",
        "updated_at:desc",
        "opt_in",
        "updated_at:asc,id:asc",
        "id:desc",
    ] {
        let mut walk = Vec::new();
        for page in ["1", "2", "3"] {
            walk.extend(api.list(Kind::Supporters, &ask(page, sort)).await.ids());
        }
        walks.push(walk);
    }
    let distinct = |walk: &Vec<i64>| walk.iter().collect::<BTreeSet<_>>().len();
    assert!(walks.iter().all(|walk| walk.len() == 300));
    assert!(
        walks[..4].iter().all(|walk| distinct(walk) < 280),
        "some twice, some never"
    );
    assert_ne!(walks[0], walks[1]);
    assert!(walks[4].is_sorted() && distinct(&walks[4]) == 300);
    assert!(walks[5].is_sorted_by(|a, b| a > b));
    // The boundary second is out with `>`, and in with `>=`.
    let second = api.list(Kind::Supporters, &ask("1", "id")).await.data()[0]["updated_at"]
        .as_str()
        .unwrap()
        .to_owned();
    for (operator, expected) in [
        (">", 0),
        (">=", 300),
        ("=", 300),
        ("<=", 300),
        ("<", 0),
        ("!=", 0),
        ("<>", 0),
    ] {
        let filter = format!("updated_at{operator}{second}");
        assert_eq!(
            api.list(Kind::Supporters, &[("filter", &filter)])
                .await
                .json()["total"],
            expected,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn pages_are_of_the_moment() {
    let api = Api::new(60, &[]).await;
    let ask = async |page: &str| {
        api.list(Kind::Supporters, &[("page", page), ("sort", "id")])
            .await
            .ids()
    };
    let (first, second) = (ask("1").await, ask("2").await);
    api.simulator
        .world()
        .delete(ORGANIZATION, Kind::Supporters, first[3]);
    assert_eq!(
        ask("2").await[..19],
        second[1..],
        "the first one moved to the page before: a gap"
    );
    api.simulator.world().add(ORGANIZATION, Kind::Supporters);
    // A change moves to the end of its order, and what is between moves up.
    let by_change = async |page: &str| {
        api.list(
            Kind::Supporters,
            &[("page", page), ("sort", "updated_at,id")],
        )
        .await
        .ids()
    };
    let before = by_change("1").await;
    api.simulator
        .world()
        .edit(ORGANIZATION, Kind::Supporters, before[0], &[], true);
    assert_eq!(by_change("1").await[..19], before[1..]);
    assert!(by_change("3").await.contains(&before[0]));
    // With drift, they change by themselves.
    api.simulator.world().set_faults(vec![Fault::Drift]);
    let newest = id_at(&api.simulator, Kind::Transactions, 0);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(
            api.list(Kind::Transactions, &[("filter", &format!("id>={newest}"))])
                .await
                .json()["total"]
                .to_string(),
        );
    }
    assert!(seen.len() > 1, "{seen:?}");
}
