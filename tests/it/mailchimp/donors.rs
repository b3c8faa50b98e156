//! Supporters as Classy has them now: who consented, who shares an address with nobody, who gave.

use super::Charity;
use crate::site::ORGANIZATION;
use classy_sync::simulator::Kind as List;
use std::collections::{BTreeMap, BTreeSet};

impl Charity {
    pub(super) fn text(&self, supporter: i64, field: &str) -> String {
        let mut world = self.site.simulator.world();
        let record = world
            .list(ORGANIZATION, List::Supporters)
            .unwrap()
            .get(supporter)
            .unwrap();
        record
            .get(field)
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned()
    }

    pub(super) fn email(&self, supporter: i64) -> String {
        self.text(supporter, "email_address").to_lowercase()
    }

    /// Addresses that may be mailed by what Classy says now, each with a supporter: any refusal
    /// wins.
    pub(super) fn consented(&self) -> BTreeMap<String, i64> {
        let mut world = self.site.simulator.world();
        let mut all: BTreeMap<String, (i64, bool)> = BTreeMap::new();
        for record in world.list(ORGANIZATION, List::Supporters).unwrap().iter() {
            let email = record
                .get("email_address")
                .unwrap_or_default()
                .trim_matches('"')
                .trim()
                .to_lowercase();
            if email.contains('@') {
                let is_in = record.get("opt_in").as_deref() == Some("true");
                let entry = all.entry(email).or_insert((record.id, true));
                entry.1 &= is_in;
            }
        }
        all.into_iter()
            .filter(|(_, (_, is_in))| *is_in)
            .map(|(email, (id, _))| (email, id))
            .collect()
    }

    /// Consented supporters who share their address with nobody.
    pub(super) fn alone(&self) -> BTreeSet<i64> {
        let consented: BTreeSet<i64> = self.consented().into_values().collect();
        let mut world = self.site.simulator.world();
        let mut holders: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for record in world.list(ORGANIZATION, List::Supporters).unwrap().iter() {
            let email = record
                .get("email_address")
                .unwrap_or_default()
                .trim_matches('"')
                .trim()
                .to_lowercase();
            holders.entry(email).or_default().push(record.id);
        }
        holders
            .into_values()
            .filter(|ids| ids.len() == 1)
            .flatten()
            .filter(|id| consented.contains(id))
            .collect()
    }

    /// So many of them who gave, the lowest ids first.
    pub(super) async fn givers(&self, count: usize) -> Vec<i64> {
        let consented = self.alone();
        let gave = self
            .site
            .numbers("SELECT id AS n FROM supporters WHERE lifetime_donation_count > 0 ORDER BY id")
            .await;
        let givers: Vec<i64> = gave
            .into_iter()
            .filter(|id| consented.contains(id))
            .take(count)
            .collect();
        assert_eq!(givers.len(), count);
        givers
    }
}
