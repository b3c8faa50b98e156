//! Records as they look: keys, order, types, against the samples; what `with` and `fields` do;
//! noise on demand (simulator 18 to 23).

use super::{Api, id_at};
use classy_sync::simulator::{Fault, Kind};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Map<String, Value>>(include_str!(concat!(
            "../../fixtures/classy/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn keys(record: &Map<String, Value>) -> Vec<&String> {
    record.keys().collect()
}

async fn some_pages(api: &Api, kind: Kind) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    for page in ["1", "2", "3", "4"] {
        let data = api
            .list(kind, &[("page", page), ("per_page", "100"), ("sort", "id")])
            .await
            .data();
        found.extend(
            data.into_iter()
                .map(|record| record.as_object().unwrap().clone()),
        );
    }
    found
}

/// The first record with this value.
async fn one(api: &Api, kind: Kind, filter: &str) -> Map<String, Value> {
    let data = api
        .list(kind, &[("filter", filter), ("sort", "id")])
        .await
        .data();
    data.first()
        .unwrap_or_else(|| panic!("no {kind:?} with {filter}"))
        .as_object()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn every_key_is_in_the_live_order_with_the_live_type() {
    let api = Api::new(12_000, &[]).await;
    let live: Map<String, Value> =
        serde_json::from_str(include_str!("../../fixtures/classy/live-types.json")).unwrap();
    // The other kinds are known from the specification only.
    let seen_live = Kind::ALL
        .into_iter()
        .filter(|kind| live.contains_key(kind.path()));
    assert_eq!(seen_live.clone().count(), live.len());
    for kind in seen_live {
        let types = live[kind.path()].as_object().unwrap();
        let records = some_pages(&api, kind).await;
        assert!(records.len() >= 90);
        let mut seen: BTreeMap<&String, BTreeSet<&str>> = BTreeMap::new();
        for record in &records {
            assert_eq!(keys(record), keys(types), "{kind:?}");
            for (key, value) in record {
                seen.entry(key).or_default().insert(type_of(value));
            }
        }
        for (key, expected) in types {
            let mut found = seen[key].clone();
            found.remove("null");
            // Where only null was seen, nobody knows.
            if let Some(expected) = expected.as_str() {
                assert_eq!(found, BTreeSet::from([expected]), "{kind:?} {key}");
            }
        }
    }
}

#[tokio::test]
async fn records_of_each_nature_look_like_their_sample() {
    let api = Api::new(12_000, &[]).await;
    let cases = [
        (
            Kind::Supporters,
            "origin=organization_support",
            sample!("supporter-sparse"),
            &["gender", "last_email_consent_decision_date"][..],
        ),
        (
            Kind::Transactions,
            "payment_method=Offline,company_name=Example Co",
            sample!("transaction-offline-company"),
            &["comment", "is_anonymous"],
        ),
        (
            Kind::Transactions,
            "status=refunded,payment_method=Classy Pay,frequency=monthly,raw_currency_code=EUR,raw_adjustment_amount>0,member_id>0",
            sample!("transaction-refunded"),
            &[
                "billing_address2",
                "billing_state",
                "comment",
                "member_phone",
            ],
        ),
        (
            Kind::Plans,
            "status=draft",
            sample!("recurring-donation-plan-draft"),
            &["address2", "applied_fot_percent", "company_name"],
        ),
        (
            Kind::Plans,
            "status=canceled,payment_type=Credit Card,next_processing_date>2000-01-01",
            sample!("recurring-donation-plan-canceled"),
            &["address2", "applied_fot_percent", "company_name"],
        ),
    ];
    for (kind, filter, sample, free) in cases {
        let record = one(&api, kind, filter).await;
        assert_eq!(keys(&record), keys(&sample), "{filter}");
        for (key, value) in &record {
            // A draft here has no card, and then no card's fees.
            let fee = kind == Kind::Plans && key.contains("_fee") && value.is_null()
                || key.contains("flex_rate") && value.is_null();
            if !free.contains(&key.as_str()) && !fee {
                assert_eq!(type_of(value), type_of(&sample[key]), "{filter}: {key}");
            }
        }
    }
    let organization = api.get("/organizations/10001").await.json();
    let told = sample!("organization-from-spec-examples");
    assert_eq!(keys(organization.as_object().unwrap()), keys(&told));
    assert_eq!(
        (&organization["id"], &organization["name"]),
        (&json!(10001), &json!("Example Relief 10001"))
    );
}

#[tokio::test]
async fn the_newer_specification_s_keys_come_on_demand() {
    let api = Api::new(50, &[Fault::NewKeys]).await;
    assert_eq!(
        keys(&one(&api, Kind::Supporters, "id>0").await),
        keys(&sample!("supporter"))
    );
    for (kind, newer) in [
        (
            Kind::Transactions,
            &["member_cell_phone", "consent", "utm"][..],
        ),
        (Kind::Plans, &["can_be_reactivated"]),
        (
            Kind::Campaigns,
            &[
                "studio_template_id",
                "is_linked",
                "linked_at",
                "unlinked_at",
                "checkout_corporate_donation_enabled",
                "daf_enabled",
            ],
        ),
    ] {
        let record = one(&api, kind, "id>0").await;
        assert!(
            keys(&record).ends_with(
                &newer
                    .iter()
                    .map(|key| (*key).to_owned())
                    .collect::<Vec<_>>()
                    .iter()
                    .collect::<Vec<_>>()
            )
        );
    }
}

#[tokio::test]
async fn amounts_and_times_are_written_as_live() {
    let api = Api::new(12_000, &[]).await;
    let gifts = some_pages(&api, Kind::Transactions).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let is_moment = |value: &Value| {
        let value = text(value);
        value.len() == 24
            && value.ends_with("+0000")
            && chrono::DateTime::parse_from_str(&value, "%Y-%m-%dT%H:%M:%S%z").is_ok()
    };
    let cents = |value: &Value| {
        (value
            .as_f64()
            .unwrap_or_else(|| text(value).parse().unwrap())
            * 100.0)
            .round() as i64
    };
    let (mut whole, mut tenths, mut exact) = (0, 0, 0);
    for gift in &gifts {
        let amount = gift["total_gross_amount"].to_string();
        match amount.split_once('.') {
            None => whole += 1,
            Some((_, decimals)) if decimals.len() == 1 => tenths += 1,
            Some((_, decimals)) => {
                assert!(decimals.len() == 2 && !decimals.ends_with('0'), "{amount}");
                exact += 1;
            }
        }
        assert_eq!(
            cents(&gift["fees_amount"]),
            cents(&gift["classy_fees_amount"]) + cents(&gift["pp_fees_amount"])
        );
        assert_eq!(
            cents(&gift["donation_net_amount"]),
            cents(&gift["donation_gross_amount"]) - cents(&gift["fees_amount"])
        );
        assert_eq!(
            cents(&gift["raw_total_gross_amount"]),
            cents(&gift["raw_initial_gross_amount"]) + cents(&gift["raw_adjustment_amount"])
        );
        assert_eq!(
            cents(&gift["total_gross_amount"]),
            cents(&gift["donation_gross_amount"]) + cents(&gift["overhead_net_amount"])
        );
        if gift["payment_method"] == "Offline" {
            assert!(
                gift["charged_total_gross_amount"].is_null() && cents(&gift["fees_amount"]) == 0
            );
        } else {
            assert_eq!(
                text(&gift["charged_total_gross_amount"])
                    .split_once('.')
                    .unwrap()
                    .1
                    .len(),
                2
            );
            let fees =
                cents(&gift["charged_classy_fees_amount"]) + cents(&gift["charged_pp_fees_amount"]);
            assert_eq!(cents(&gift["charged_fees_amount"]), fees);
        }
        assert!(is_moment(&gift["purchased_at"]) && is_moment(&gift["updated_at"]));
        assert!(text(&gift["created_at"]).ends_with("T00:00:00+0000"));
    }
    assert!(whole > 0 && tenths > 0 && exact > 0);
    let people = some_pages(&api, Kind::Supporters).await;
    assert!(people.iter().all(
        |person| text(&person["created_at"]).ends_with("T00:00:00+0000")
            && is_moment(&person["updated_at"])
    ));
    let decided: Vec<String> = people
        .iter()
        .filter_map(|person| {
            person["last_email_consent_decision_date"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert!(
        !decided.is_empty()
            && decided.len() < people.len()
            && decided.iter().all(|at| at.ends_with(".000000Z"))
    );
    assert!(
        people.iter().any(|person| person["address2"] == "")
            && people.iter().any(|person| person["address2"].is_null())
    );
    for record in some_pages(&api, Kind::Plans)
        .await
        .iter()
        .chain(&some_pages(&api, Kind::Campaigns).await)
    {
        let raw = text(
            record
                .get("raw_goal")
                .unwrap_or_else(|| &record["raw_donation_amount"]),
        );
        assert_eq!(raw.split_once('.').unwrap().1.len(), 3, "{raw}");
    }
    let campaigns = some_pages(&api, Kind::Campaigns).await;
    assert!(
        campaigns
            .iter()
            .all(|one| one["is_general"] == 0 || one["is_general"] == 1)
            && campaigns[0]["is_general"] == 1
    );
    assert!(
        campaigns
            .iter()
            .any(|one| !text(&one["created_at"]).ends_with("T00:00:00+0000"))
    );
    assert!(
        campaigns
            .iter()
            .any(|one| one["goal"].as_i64() > Some(100_000_000)),
        "more than decimal(10,2) holds"
    );
}

#[tokio::test]
async fn with_nests_documented_relations_and_fields_narrows() {
    let api = Api::new(500, &[]).await;
    let ask = async |query: &[(&str, &str)]| {
        let mut query = query.to_vec();
        query.extend([
            ("sort", "id"),
            ("filter", "supporter_id>0,recurring_donation_plan_id>0"),
            ("per_page", "1"),
        ]);
        api.list(Kind::Transactions, &query).await.data()[0]
            .as_object()
            .unwrap()
            .clone()
    };
    let plain = ask(&[]).await;
    let with = ask(&[("with", "items,supporter,receipt_serial,campaign,nonsense,recurring_donation_plan,dedication,member")]).await;
    let nested: Vec<&String> = keys(&with)
        .into_iter()
        .filter(|key| !plain.contains_key(*key))
        .collect();
    let expected = [
        "items",
        "member",
        "dedication",
        "recurring_donation_plan",
        "receipt_serial",
        "supporter",
    ];
    assert_eq!(nested, expected, "the campaign only on the single record");
    let id = |name: &str| format!("/{}", plain[name]);
    let supporter = api
        .get(&format!("/supporters{}", id("supporter_id")))
        .await
        .json();
    let plan = api
        .get(&format!(
            "/recurring-donation-plans{}",
            id("recurring_donation_plan_id")
        ))
        .await
        .json();
    assert_eq!(
        (&with["supporter"], &with["recurring_donation_plan"]),
        (&supporter, &plan)
    );
    assert_eq!(
        (&plan["supporter_id"], &plan["campaign_id"]),
        (&plain["supporter_id"], &plain["campaign_id"])
    );
    assert_eq!(
        (&with["member"]["id"], &with["member"]["email_address"]),
        (&plain["member_id"], &plain["member_email_address"])
    );
    assert!(with["receipt_serial"].is_number() && with["dedication"].is_null());
    let item = with["items"][0].as_object().unwrap();
    assert_eq!(keys(item), keys(&sample!("transaction-item")));
    assert_eq!(
        (&item["transaction_id"], &item["final_price"]),
        (&plain["id"], &plain["total_gross_amount"])
    );
    assert!(
        item["charged_final_price"].is_number(),
        "a number here, a text on the transaction"
    );
    // A relation must be in `fields` as well.
    let narrow = ask(&[
        ("with", "items,supporter"),
        ("fields", "status,id,supporter,nonsense"),
    ])
    .await;
    assert_eq!(keys(&narrow), ["id", "status", "supporter"]);
    assert_eq!(
        keys(&ask(&[("fields", "items"), ("with", "items")]).await),
        ["items"]
    );
    assert!(ask(&[("fields", "nonsense")]).await.is_empty());
    // On the single record: more relations, the same narrowing.
    let path = format!(
        "/transactions{}?with=campaign,organization,answers,items&fields=id,campaign,answers,organization",
        id("id")
    );
    let single = api.get(&path).await.json();
    assert_eq!(
        keys(single.as_object().unwrap()),
        ["id", "answers", "campaign", "organization"]
    );
    assert_eq!(
        (&single["campaign"]["id"], &single["organization"]["id"]),
        (&plain["campaign_id"], &json!(10001))
    );
    // Lists without documented relations have none.
    let supporters = api
        .list(
            Kind::Supporters,
            &[
                ("with", "campaign,member"),
                ("fields", "id,opt_in,campaign"),
            ],
        )
        .await
        .data();
    assert_eq!(keys(supporters[0].as_object().unwrap()), ["id", "opt_in"]);
}

/// Notes the types of a record's values.
fn note(record: &Map<String, Value>, seen: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    for (key, value) in record {
        seen.entry(key.clone()).or_default().insert(type_of(value));
    }
}

#[tokio::test]
async fn noise_in_types_comes_on_demand_and_the_values_stay() {
    let api = Api::new(3_000, &[]).await;
    let before = some_pages(&api, Kind::Transactions).await;
    api.simulator.world().set_faults(vec![Fault::TypeNoise]);
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut words = BTreeSet::new();
    let after = some_pages(&api, Kind::Transactions).await;
    for (plain, noisy) in before.iter().zip(&after) {
        assert!(noisy.contains_key("brand_new_key"));
        // Two spellings of a number are one value.
        let bare = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
        for key in [
            "total_gross_amount",
            "pp_fees_amount",
            "card_last_four",
            "member_id",
            "charged_total_gross_amount",
        ] {
            assert_eq!(bare(&plain[key]), bare(&noisy[key]), "{key}");
        }
        words.insert(noisy["status"].as_str().unwrap().to_owned());
        note(noisy, &mut seen);
    }
    assert!(words.contains("1") && words.contains("success"));
    for kind in [Kind::Plans, Kind::Campaigns, Kind::Supporters] {
        for record in some_pages(&api, kind).await {
            if kind == Kind::Campaigns {
                words.insert(record["type"].as_str().unwrap().to_owned());
            }
            note(&record, &mut seen);
        }
    }
    assert!(words.contains("something_new"));
    for (key, types) in [
        ("card_last_four", &["null", "number", "string"][..]),
        ("pp_fees_amount", &["number", "string"]),
        ("metadata", &["null", "object", "string"]),
        ("schedule", &["array", "null", "object"]),
        ("opt_in", &["boolean", "number"]),
    ] {
        assert_eq!(seen[key], types.iter().copied().collect(), "{key}");
    }
    assert_eq!(
        api.list(Kind::Supporters, &[]).await.json()["links"][1]["active"],
        "true"
    );
}

#[tokio::test]
async fn payloads_of_tens_of_kilobytes_come_on_demand() {
    let api = Api::new(100, &[Fault::BigMetadata]).await;
    let gift = one(&api, Kind::Transactions, "payment_method=Classy Pay").await;
    let payload = gift["metadata"]["_classy_pay"].to_string();
    assert!(
        (20_000..100_000).contains(&payload.len()),
        "{}",
        payload.len()
    );
    assert!(
        payload.contains("Canary-Payer-Data")
            && payload.contains("clientIp")
            && payload.contains("canary.payer@example.org")
    );
    let id = id_at(&api.simulator, Kind::Transactions, 0);
    api.simulator.world().set_faults(Vec::new());
    assert!(api.get(&format!("/transactions/{id}")).await.text.len() < 6_000);
}
