//! Supporters at the source and as they are here, for tests of what is missing between the two.

use crate::site::{ORGANIZATION, Site, feed};
use classy_sync::simulator::Kind;
use serde_json::Value;

pub fn ids(site: &Site, kind: Kind) -> Vec<i64> {
    site.simulator
        .world()
        .list(ORGANIZATION, kind)
        .unwrap()
        .iter()
        .map(|record| record.id)
        .collect()
}

pub fn edit(site: &Site, kind: Kind, id: i64, city: &str) {
    site.simulator.world().edit(
        ORGANIZATION,
        kind,
        id,
        &[("city", format!("\"{city}\""))],
        true,
    );
}

pub async fn supporters_in(site: &Site, city: &str) -> i64 {
    site.number(&format!(
        "SELECT COUNT(*) AS n FROM supporters WHERE city = '{city}'"
    ))
    .await
}

pub fn supporters(report: &Value) -> &Value {
    feed(report, "supporters")
}
