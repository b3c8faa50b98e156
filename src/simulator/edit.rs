//! Life going on: records made, changed, given back, deleted.

use super::classy::clock_text;
use super::fault::Fault;
use super::seed::{id_base, record};
use super::world::{Kind, World};

impl World {
    /// `count` random changes and additions over all lists of an organization, at the source's clock.
    pub fn live(&mut self, organization: i64, count: usize) {
        for _ in 0..count {
            let roll = self.roll();
            let kind = Kind::ALL[[0, 0, 0, 1, 2, 3, 3, 3, 3, 3][(roll % 10) as usize]];
            match (roll >> 8) % 4 {
                0 => self.add(organization, kind),
                _ => self.change(organization, kind, roll),
            }
        }
    }

    /// Adds a plausible record.
    pub fn add(&mut self, organization: i64, kind: Kind) {
        let now = self.now();
        let Some(index) = self.organizations.keys().position(|id| *id == organization) else { return };
        let base = id_base(index, kind);
        let largest = self.list(organization, kind).and_then(|list| list.iter().next_back().map(|record| record.id)).unwrap_or(base);
        let mut new = record(self, index, organization, kind, largest + 1 - base, now);
        new.visible_at = self.visible_from(now);
        if let Some(list) = self.list(organization, kind) {
            list.put(new);
        }
    }

    /// Changes something of a random record of a list.
    fn change(&mut self, organization: i64, kind: Kind, roll: u64) {
        let Some(id) =
            self.list(organization, kind).and_then(|list| list.nth((roll >> 16) as usize % list.len().max(1)).map(|record| record.id))
        else {
            return;
        };
        let now = self.now();
        let changes: Vec<(&str, String)> = match kind {
            Kind::Supporters if roll % 3 == 0 => vec![("opt_in", (roll % 2 == 0).to_string())],
            Kind::Supporters if roll % 3 == 1 => vec![("email_address", format!("\"changed.{}@example.org\"", roll % 1_000_000))],
            Kind::Supporters => vec![("city", "\"Elsewhere\"".to_owned())],
            Kind::Campaigns => vec![("goal", (roll % 100_000).to_string())],
            Kind::Plans => vec![("status", "\"canceled\"".to_owned()), ("canceled_at", format!("\"{}\"", clock_text(now)))],
            Kind::Transactions => vec![("status", "\"refunded\"".to_owned()), ("refunded_at", format!("\"{}\"", clock_text(now)))],
        };
        self.edit(organization, kind, id, &changes, true);
    }

    /// Sets fields of a record to JSON literals; `touch` moves its time of change to the source's clock. Answers whether it is there.
    pub fn edit(&mut self, organization: i64, kind: Kind, id: i64, changes: &[(&str, String)], touch: bool) -> bool {
        let now = self.now();
        let visible_at = self.visible_from(now);
        let Some(record) = self.list(organization, kind).and_then(|list| list.get_mut(id)) else { return false };
        for (field, literal) in changes {
            record.set(field, literal);
        }
        if touch {
            record.updated_at = Some(now);
            record.visible_at = visible_at;
        }
        true
    }

    /// Deletes a record as the source does: hard, without a trace. Answers whether it was there.
    pub fn delete(&mut self, organization: i64, kind: Kind, id: i64) -> bool {
        self.list(organization, kind).and_then(|list| list.remove(id)).is_some()
    }

    /// Makes every record readable again; its time of change moves.
    pub fn heal(&mut self) {
        let now = self.now();
        for organization in self.organizations.values_mut() {
            let owner = organization.id.to_string();
            for record in organization.lists.values_mut().flat_map(|list| list.iter_mut()) {
                let foreign = record.get("organization_id").is_some_and(|id| id != owner);
                if record.broken || foreign {
                    record.broken = false;
                    record.set("organization_id", &owner);
                    record.updated_at = Some(now);
                }
            }
        }
    }

    fn visible_from(&mut self, now: i64) -> i64 {
        if self.faults.contains(&Fault::LateVisibility) { now + (self.roll() % 4) as i64 } else { 0 }
    }
}
