//! A campaign's overview is of its gifts, as texts.

use super::{Api, ORGANIZATION, id_at};
use classy_sync::simulator::{Fault, Kind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_campaign_s_overview_is_of_its_gifts_as_texts() {
    let api = Api::new(500, &[]).await;
    let campaign = id_at(&api.simulator, Kind::Campaigns, 1);
    let path = format!("/campaigns/{campaign}");
    let gifts = api
        .get(&format!("{path}/transactions?per_page=100&sort=id"))
        .await;
    assert!(
        gifts
            .data()
            .iter()
            .all(|gift| gift["campaign_id"] == campaign)
            && gifts.json()["total"].as_u64() > Some(100)
    );
    let of_campaign: Vec<Value> = api
        .all(Kind::Transactions)
        .await
        .into_iter()
        .filter(|gift| gift["campaign_id"] == campaign && gift["status"] == "success")
        .collect();
    let sum = |key: &str| {
        of_campaign
            .iter()
            .map(|gift| (gift[key].as_f64().unwrap() * 100.0).round() as i64)
            .sum::<i64>()
    };
    let text =
        |cents: i64, zeros: &str| json!(format!("{}.{:02}{zeros}", cents / 100, cents % 100));
    let overview = api.get(&format!("{path}/overview")).await.json();
    let keys: Vec<&String> = overview.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "start_time_utc",
            "end_time_utc",
            "gross_amount",
            "fees_amount",
            "net_amount",
            "transactions_count",
            "donors_count",
            "registrations_amount",
            "donations_amount",
            "total_gross_amount",
            "donation_net_amount"
        ]
    );
    assert_eq!(
        overview["gross_amount"],
        text(sum("total_gross_amount"), "")
    );
    assert_eq!(
        overview["donations_amount"],
        text(sum("donation_gross_amount"), "00")
    );
    assert_eq!(
        overview["donation_net_amount"],
        text(sum("donation_net_amount"), "")
    );
    assert_eq!(overview["transactions_count"], of_campaign.len());
    let donors: BTreeSet<i64> = of_campaign
        .iter()
        .filter_map(|gift| gift["supporter_id"].as_i64())
        .collect();
    assert_eq!(overview["donors_count"], donors.len());
    // It may be behind, or not there; and so may the organization.
    let total = |body: Value| body["transactions_count"].as_u64().unwrap();
    let links = vec![
        ("campaign_id", campaign.to_string()),
        ("status", "\"success\"".to_owned()),
    ];
    api.simulator.world().add(ORGANIZATION, Kind::Transactions);
    let newest = api
        .list(Kind::Transactions, &[("sort", "id:desc")])
        .await
        .ids()[0];
    api.simulator
        .world()
        .edit(ORGANIZATION, Kind::Transactions, newest, &links, true);
    assert_eq!(
        total(api.get(&format!("{path}/overview")).await.json()),
        total(overview.clone()) + 1
    );
    api.simulator.world().set_faults(vec![Fault::OverviewLag]);
    assert!(total(api.get(&format!("{path}/overview")).await.json()) <= total(overview));
    api.simulator
        .world()
        .set_faults(vec![Fault::NoOverview, Fault::NoOrganization]);
    for path in [&format!("{path}/overview"), "/organizations/10001"] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (404, json!({"error": "The resource cannot be found"}))
        );
    }
}
