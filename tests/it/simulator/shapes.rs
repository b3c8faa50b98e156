//! Records as they look: keys, order, types, against the samples; amounts and times. What comes
//! only when asked for is in `asked` (both: simulator 18 to 23).

use super::Api;
use super::samples::{keys, one, sample, some_pages, type_of};
use classy_sync::simulator::Kind;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
