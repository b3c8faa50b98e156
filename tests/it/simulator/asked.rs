//! What comes only when it is asked for: relations and chosen fields, keys of the newer
//! specification, noise in types, and large payloads.

use super::samples::{keys, one, sample, some_pages, type_of};
use super::{Api, id_at};
use classy_sync::simulator::{Fault, Kind};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
