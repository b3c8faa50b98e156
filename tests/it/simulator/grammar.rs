//! `filter` and `sort` (simulator 13 to 15).

use super::{Api, refused};
use classy_sync::simulator::Kind;
use serde_json::{Value, json};

const BIG: &str = "12345678901234567890";

#[tokio::test]
async fn every_operator_compares_numbers_texts_and_times() {
    let api = Api::new(300, &[]).await;
    let all = api.all(Kind::Transactions).await;
    let amount = |record: &Value| record["total_gross_amount"].as_f64().unwrap();
    let purchased = |record: &Value| record["purchased_at"].as_str().unwrap().to_owned();
    let (middle, at) = (amount(&all[700]), purchased(&all[700]));
    type Holds<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(String, Holds<'_>)> = vec![
        (
            format!("total_gross_amount<{middle}"),
            Box::new(|record| amount(record) < middle),
        ),
        (
            format!("total_gross_amount<={middle}"),
            Box::new(|record| amount(record) <= middle),
        ),
        (
            format!("total_gross_amount>{middle}"),
            Box::new(|record| amount(record) > middle),
        ),
        (
            format!("total_gross_amount>={middle}"),
            Box::new(|record| amount(record) >= middle),
        ),
        (
            format!("total_gross_amount={middle}"),
            Box::new(|record| amount(record) == middle),
        ),
        (
            format!("total_gross_amount!={middle}"),
            Box::new(|record| amount(record) != middle),
        ),
        (
            format!("total_gross_amount<>{middle}"),
            Box::new(|record| amount(record) != middle),
        ),
        (
            "status=success".to_owned(),
            Box::new(|record| record["status"] == "success"),
        ),
        (
            format!("status!=success,purchased_at>{at}"),
            Box::new(|record| record["status"] != "success" && purchased(record) > at),
        ),
        (
            format!("purchased_at<={at}"),
            Box::new(|record| purchased(record) <= at),
        ),
        // What is null meets no condition.
        (
            "supporter_id!=1".to_owned(),
            Box::new(|record| !record["supporter_id"].is_null()),
        ),
        (
            "charged_total_gross_amount>=10".to_owned(),
            Box::new(|record| {
                !record["charged_total_gross_amount"].is_null()
                    && record["charged_total_gross_amount"]
                        .as_str()
                        .unwrap()
                        .parse::<f64>()
                        .unwrap()
                        >= 10.0
            }),
        ),
        (format!("id>{BIG}"), Box::new(|_| false)),
    ];
    for (filter, holds) in cases {
        let expected: Vec<i64> = all
            .iter()
            .filter(|record| holds(record))
            .map(|record| record["id"].as_i64().unwrap())
            .collect();
        for sort in ["id", "purchased_at:desc,id", "total_gross_amount"] {
            let answer = api
                .list(
                    Kind::Transactions,
                    &[("filter", &filter), ("per_page", "100"), ("sort", sort)],
                )
                .await;
            assert_eq!(answer.json()["total"], expected.len(), "{filter} by {sort}");
        }
        let answer = api
            .list(
                Kind::Transactions,
                &[("filter", &filter), ("per_page", "100"), ("sort", "id")],
            )
            .await;
        assert_eq!(
            answer.ids()[..],
            expected[..expected.len().min(100)],
            "{filter}"
        );
    }
}

#[tokio::test]
async fn booleans_have_four_spellings() {
    let api = Api::new(100, &[]).await;
    let total = async |filter: &str| {
        api.list(Kind::Supporters, &[("filter", filter)])
            .await
            .json()["total"]
            .as_i64()
            .unwrap()
    };
    let (yes, no) = (total("opt_in=true").await, total("opt_in=false").await);
    assert!(yes > 0 && no > 0 && yes + no == 100);
    assert_eq!(
        (
            total("opt_in=1").await,
            total("opt_in=0").await,
            total("opt_in!=1").await
        ),
        (yes, no, no)
    );
    for filter in ["opt_in=yes", "opt_in=TRUE", "opt_in=", "sms_opt_in=2"] {
        let answer = api.list(Kind::Supporters, &[("filter", filter)]).await;
        let field = filter.split('=').next().unwrap();
        assert_eq!(
            (answer.status, answer.json()),
            (400, refused(field)),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn times_are_read_as_recorded() {
    let api = Api::new(300, &[]).await;
    let total = async |query: &str| {
        let answer = api
            .get(&format!(
                "/organizations/10001/transactions?filter=purchased_at{query}"
            ))
            .await;
        (answer.status, answer.json()["total"].as_i64(), answer)
    };
    let expected = {
        let all = api.all(Kind::Transactions).await;
        all.iter()
            .filter(|record| record["purchased_at"].as_str().unwrap() > "2023-04-20T00:00:00+0000")
            .count() as i64
    };
    assert!(expected > 100);
    // The recorded experiments; `%2B` and `%3E` are decoded once.
    for value in [
        "2023-04-20T00:00:00%2B0000",
        "2023-04-20T00:00:00Z",
        "2023-04-20",
        "2023-04-20T02:00:00%2B02:00",
        "2023-04-19T19:00:00-05:00",
    ] {
        let (status, found, _) = total(&format!("%3E{value}")).await;
        assert_eq!((status, found), (200, Some(expected)), "{value}");
    }
    for value in [
        "2023-04-20T00:00:00.000Z",
        "2023-04-20T00:00:00.000%2B0000",
        // Encoded twice.
        "2023-04-20T00%253A00%253A00Z",
        "2023-04-20T00%253A00%253A00%252B0000",
        // A plus is a space.
        "2023-04-20T00:00:00+0000",
        "yesterday",
        "2023-13-45",
        "",
    ] {
        let (status, _, answer) = total(&format!("%3E{value}")).await;
        assert_eq!(
            (status, answer.json()),
            (400, refused("purchased_at")),
            "{value}"
        );
    }
    // An operator that is encoded twice is none.
    let (status, _, answer) = total("%253E2023-04-20").await;
    assert_eq!(
        (status, answer.json()),
        (400, refused("purchased_at%3E2023-04-20"))
    );
}

#[tokio::test]
async fn unknown_attributes_and_orders_are_refused() {
    let api = Api::new(20, &[]).await;
    for (kind, field) in [
        (Kind::Supporters, "email_opt_in"),
        (Kind::Transactions, "currency"),
        (Kind::Campaigns, "total_raised"),
    ] {
        let answer = api.list(kind, &[("filter", &format!("{field}=1"))]).await;
        assert_eq!((answer.status, answer.json()), (400, refused(field)));
        let answer = api.list(kind, &[("sort", field)]).await;
        let text = format!("Invalid value and/or operator for {field} sorting condition.");
        assert_eq!(
            (answer.status, answer.json()),
            (400, json!({ "error": text }))
        );
    }
    for sort in ["id:up", "id,", "id:desc:asc", "first_name:asc,nothing"] {
        assert_eq!(
            api.list(Kind::Supporters, &[("sort", sort)]).await.status,
            400,
            "{sort}"
        );
    }
}

#[tokio::test]
async fn an_order_may_have_several_keys() {
    let api = Api::new(100, &[]).await;
    let names = |record: &Value| {
        (
            record["last_name"].as_str().unwrap().to_owned(),
            record["first_name"].as_str().unwrap().to_owned(),
        )
    };
    let sort = "last_name:asc,first_name:desc,id";
    let data = api
        .list(Kind::Supporters, &[("sort", sort), ("per_page", "100")])
        .await
        .data();
    let mut expected = data.clone();
    expected.sort_by(|a, b| {
        let ((last_a, first_a), (last_b, first_b)) = (names(a), names(b));
        last_a
            .cmp(&last_b)
            .then(first_b.cmp(&first_a))
            .then(a["id"].as_i64().cmp(&b["id"].as_i64()))
    });
    assert_eq!(data, expected);
    assert!(names(&data[0]) != names(&data[99]));
    // Null comes first, as the database behind the API has it; with a condition on the first key
    // there is none.
    let phones = api
        .list(
            Kind::Supporters,
            &[("sort", "phone,id"), ("per_page", "100")],
        )
        .await
        .data();
    assert!(phones[0]["phone"].is_null() && !phones[99]["phone"].is_null());
}
