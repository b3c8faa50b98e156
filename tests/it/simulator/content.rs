//! What is in the world: every state, and what a client must not be surprised by (simulator 24 to
//! 31). A campaign's overview is in `overview`.

use super::{Api, ORGANIZATION};
use classy_sync::simulator::{Fault, Kind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn words(records: &[Value], key: &str) -> BTreeSet<String> {
    records
        .iter()
        .filter_map(|record| record[key].as_str().map(str::to_owned))
        .collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn gifts_are_of_every_kind() {
    let api = Api::new(1_000, &[]).await;
    let gifts = api.all(Kind::Transactions).await;
    let states = [
        "success",
        "refunded",
        "canceled",
        "incomplete",
        "pending",
        "failed",
        "test",
        "cb_initiated",
        "cb_lost",
        "voided",
    ];
    assert_eq!(words(&gifts, "status"), set(&states));
    assert_eq!(
        words(&gifts, "payment_method"),
        set(&["Offline", "Classy Pay"])
    );
    let number = |gift: &Value, key: &str| gift[key].as_f64().unwrap();
    let success = gifts
        .iter()
        .filter(|gift| gift["status"] == "success")
        .count() as f64
        / gifts.len() as f64;
    assert!(
        (0.90..0.96).contains(&success),
        "{success}: 7.4 % were not, live"
    );
    for (what, holds) in [
        (
            "free",
            &(|gift: &Value| number(gift, "total_gross_amount") == 0.0) as &dyn Fn(&Value) -> bool,
        ),
        ("less than its fees", &|gift| {
            number(gift, "donation_net_amount") < 0.0
        }),
        ("a ticket", &|gift| {
            number(gift, "total_gross_amount") > number(gift, "donation_gross_amount")
        }),
        ("in three currencies", &|gift| {
            gift["raw_currency_code"] == "EUR"
                && gift["charged_currency_code"] == "CAD"
                && gift["currency_code"] == "USD"
        }),
        ("a plan's", &|gift| {
            gift["recurring_donation_plan_id"].is_number() && gift["frequency"] == "monthly"
        }),
        ("semi-annual, spelled its own way", &|gift| {
            gift["frequency"] == "semi-annual"
        }),
        ("of nobody", &|gift| {
            gift["supporter_id"].is_null()
                && gift["member_id"].is_null()
                && gift["member_email_address"].is_null()
        }),
        ("of an account without a supporter", &|gift| {
            gift["supporter_id"].is_null() && gift["member_id"].is_number()
        }),
        ("by a company", &|gift| {
            gift["company_name"] == "Example Co" && gift["supporter_id"].is_null()
        }),
        ("given back", &|gift| {
            gift["status"] == "refunded" && gift["refunded_at"].is_string()
        }),
        ("anonymous, with a name", &|gift| {
            gift["is_anonymous"] == true && gift["member_name"].is_string()
        }),
    ] {
        assert!(gifts.iter().any(holds), "none is {what}");
    }
    assert!(
        !gifts
            .iter()
            .any(|gift| gift["frequency"] == "semi-annually")
    );
    // What is paid in one currency is the same in all three.
    for gift in gifts
        .iter()
        .filter(|gift| gift["raw_currency_code"] == "USD" && gift["charged_currency_code"] == "USD")
    {
        assert_eq!(gift["total_gross_amount"], gift["raw_total_gross_amount"]);
        assert!(gift["context"]["is_passport"] == false);
    }
    assert!(
        gifts
            .iter()
            .any(|gift| gift["context"]["is_passport"] == true)
    );
}

#[tokio::test]
async fn plans_are_in_every_state_with_what_each_leaves_behind() {
    let api = Api::new(6_000, &[]).await;
    let plans = api.all(Kind::Plans).await;
    assert_eq!(
        words(&plans, "status"),
        set(&[
            "active",
            "attempted",
            "canceled",
            "draft",
            "ended",
            "failed",
            "failing",
            "paused"
        ])
    );
    let frequencies = [
        "daily",
        "weekly",
        "bi-weekly",
        "monthly",
        "bi-monthly",
        "quarterly",
        "semi-annually",
        "yearly",
        "one-time",
    ];
    assert_eq!(words(&plans, "frequency"), set(&frequencies));
    let now = classy_time(api.simulator.world().now());
    for (what, holds) in [
        (
            "canceled and still to be processed",
            &(|plan: &Value| {
                plan["status"] == "canceled" && plan["next_processing_date"].is_string()
            }) as &dyn Fn(&Value) -> bool,
        ),
        ("canceled and done", &|plan| {
            plan["status"] == "canceled"
                && plan["next_processing_date"].is_null()
                && plan["canceled_at"].is_string()
        }),
        ("paused", &|plan| {
            plan["status"] == "paused"
                && plan["is_paused"] == true
                && plan["pause_until"].is_string()
        }),
        ("active and paused", &|plan| {
            plan["status"] == "active" && plan["is_paused"] == true
        }),
        ("to start in the future", &|plan| {
            plan["started_at"].as_str().unwrap() > now.as_str()
        }),
        ("on a card with a digit less", &|plan| {
            plan["cc_card_exp"]
                .as_str()
                .is_some_and(|text| text.len() == 5)
        }),
        ("by PayPal", &|plan| {
            plan["payment_type"] == "PayPal" && plan["cc_last_four"].is_null()
        }),
        ("by ACH", &|plan| {
            plan["payment_type"] == "ACH" && plan["ach_last_four"].is_string()
        }),
    ] {
        assert!(plans.iter().any(holds), "none is {what}");
    }
    for draft in plans.iter().filter(|plan| plan["status"] == "draft") {
        for key in [
            "payment_gateway",
            "payment_type",
            "metadata",
            "schedule",
            "pp_plan_id",
            "next_processing_date",
            "cc_card_exp",
        ] {
            assert!(draft[key].is_null(), "{key}");
        }
    }
    let schedule = plans
        .iter()
        .find(|plan| plan["schedule"].is_array())
        .unwrap()["schedule"]
        .as_array()
        .unwrap();
    assert_eq!(
        (schedule.len(), schedule[0]["month"].as_str()),
        (12, Some("January"))
    );
    let campaigns = api.all(Kind::Campaigns).await;
    assert_eq!(
        words(&campaigns, "status"),
        set(&["active", "unpublished", "deactivated", "draft"])
    );
}

fn classy_time(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0)
        .unwrap()
        .format("%Y-%m-%dT%H:%M:%S+0000")
        .to_string()
}

#[tokio::test]
async fn people_come_twice() {
    let api = Api::new(500, &[]).await;
    let people = api.all(Kind::Supporters).await;
    let mut members: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    let mut addresses: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for person in &people {
        members
            .entry(person["member_id"].as_i64().unwrap())
            .or_default()
            .push(person);
        let address = person["email_address"].as_str().unwrap();
        addresses
            .entry(address.to_lowercase())
            .or_default()
            .push(address);
    }
    let twice: Vec<_> = members.values().filter(|same| same.len() > 1).collect();
    assert!(twice.len() >= 10);
    for same in twice {
        assert_eq!(
            (&same[0]["first_name"], &same[0]["last_name"]),
            (&same[1]["first_name"], &same[1]["last_name"])
        );
        assert_ne!(same[0]["email_address"], same[1]["email_address"]);
    }
    let same: Vec<_> = addresses.values().filter(|same| same.len() > 1).collect();
    assert!(
        same.len() >= 8 && same.iter().all(|same| same[0] != same[1]),
        "but for the case"
    );
    let exact: BTreeSet<&str> = addresses.values().flatten().copied().collect();
    assert_eq!(exact.len(), people.len(), "and never exactly the same");
}

#[tokio::test]
async fn gifts_may_name_what_no_list_has() {
    let api = Api::new(300, &[Fault::Orphans]).await;
    let gifts = api.all(Kind::Transactions).await;
    for (kind, key) in [
        (Kind::Supporters, "supporter_id"),
        (Kind::Campaigns, "campaign_id"),
    ] {
        let known: BTreeSet<i64> = api
            .all(kind)
            .await
            .iter()
            .map(|record| record["id"].as_i64().unwrap())
            .collect();
        let unknown: Vec<i64> = gifts
            .iter()
            .filter_map(|gift| gift[key].as_i64())
            .filter(|id| !known.contains(id))
            .collect();
        assert!(
            !unknown.is_empty() && unknown.len() < gifts.len() / 20,
            "{key}"
        );
        assert_eq!(
            api.get(&format!("/{}/{}", kind.path(), unknown[0]))
                .await
                .status,
            404
        );
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_its_gifts_remain() {
    let api = Api::new(100, &[]).await;
    let gift = api
        .list(
            Kind::Transactions,
            &[("filter", "supporter_id>0"), ("sort", "id")],
        )
        .await
        .data()[0]
        .clone();
    let donor = gift["supporter_id"].as_i64().unwrap();
    let path = format!("/supporters/{donor}");
    assert_eq!(api.get(&path).await.status, 200);
    let edit = json!({"edits": [{"delete": {"list": "supporters", "id": donor}}]});
    assert_eq!(api.control("edit", edit).await.status, 200);
    let gone = api.get(&path).await;
    assert_eq!(
        (gone.status, gone.json()),
        (404, json!({"error": "The resource cannot be found"}))
    );
    assert!(
        !api.all(Kind::Supporters)
            .await
            .iter()
            .any(|person| person["id"] == donor)
    );
    let after = api
        .get(&format!("/transactions/{}?with=supporter", gift["id"]))
        .await
        .json();
    assert_eq!(
        (&after["supporter_id"], &after["supporter"]),
        (&json!(donor), &json!(null))
    );
    // Faults that delete do it while the world lives.
    let count = |api: &Api| {
        api.simulator.world().organizations[&ORGANIZATION]
            .lists
            .values()
            .map(classy_sync::simulator::List::len)
            .sum::<usize>()
    };
    let before: BTreeSet<i64> = api
        .all(Kind::Transactions)
        .await
        .iter()
        .map(|gift| gift["id"].as_i64().unwrap())
        .collect();
    api.simulator.world().live(ORGANIZATION, 200);
    let kept: BTreeSet<i64> = api
        .all(Kind::Transactions)
        .await
        .iter()
        .map(|gift| gift["id"].as_i64().unwrap())
        .collect();
    assert!(
        kept.is_superset(&before) && count(&api) > before.len(),
        "not without it"
    );
    api.simulator.world().set_faults(vec![Fault::Deletions]);
    api.simulator.world().live(ORGANIZATION, 200);
    let kept: BTreeSet<i64> = api
        .all(Kind::Transactions)
        .await
        .iter()
        .map(|gift| gift["id"].as_i64().unwrap())
        .collect();
    assert!(!kept.is_superset(&before));
}
