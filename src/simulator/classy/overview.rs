//! A campaign's totals (contract 3.3): amounts as texts, counts as numbers.

use super::keys::position;
use super::value::{Value, padded};
use crate::simulator::record::Record;
use crate::simulator::world::{Kind, Organization};
use std::collections::BTreeSet;

/// The JSON text, of the gifts that were made until a second.
pub(super) fn render(organization: &Organization, campaign: i64, until: i64) -> String {
    let key = |name: &str| position(Kind::Transactions, name).unwrap_or_default();
    let (parent, status, purchased, donor) = (
        key("campaign_id"),
        key("status"),
        key("purchased_at"),
        key("supporter_id"),
    );
    let amounts = [
        "total_gross_amount",
        "donation_gross_amount",
        "fees_amount",
        "donation_net_amount",
    ]
    .map(key);
    let counts = |record: &&Record| {
        record.value(parent) == Value::Number(campaign as f64)
            && record.value(status) == Value::Text("success".into())
            && matches!(record.value(purchased), Value::Number(at) if at <= until as f64)
    };
    let (mut sums, mut gifts, mut donors) = ([0; 4], 0, BTreeSet::new());
    for record in organization
        .lists
        .get(&Kind::Transactions)
        .into_iter()
        .flat_map(|list| list.iter())
        .filter(counts)
    {
        gifts += 1;
        if let Value::Number(donor) = record.value(donor) {
            donors.insert(donor as i64);
        }
        for (sum, key) in sums.iter_mut().zip(amounts) {
            if let Value::Number(dollars) = record.value(key) {
                *sum += (dollars * 100.0).round() as i64;
            }
        }
    }
    let text = |cents: i64, decimals: usize| {
        let mut out = String::new();
        padded(cents, decimals, &mut out);
        out
    };
    let [gross, donated, fees, net] = sums;
    format!(
        r#"{{"start_time_utc":null,"end_time_utc":null,"gross_amount":"{}","fees_amount":"{}","net_amount":"{}","transactions_count":{gifts},"donors_count":{},"registrations_amount":"{}","donations_amount":"{}","total_gross_amount":"{}","donation_net_amount":"{}"}}"#,
        text(gross, 2),
        text(fees, 2),
        text(gross - fees, 2),
        donors.len(),
        text(gross - donated, 4),
        text(donated, 4),
        text(gross, 2),
        text(net, 2),
    )
}
