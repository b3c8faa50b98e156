//! Organizations that nobody serves though they should be: taken over after a while, whoever should
//! have them, and told as failing when they stay so. Every process on the database looks at all of
//! them, so that it is seen whatever became of the one that was their own.

use super::Supervisor;
use crate::status::Condition;
use crate::store::{Unserved, readable};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// After so many lengths of a lease they are taken by whoever can.
const ADOPTED_AFTER: u32 = 2;
/// After so many they are failing.
const TOLD_AFTER: u32 = 3;

impl Supervisor {
    /// Takes note of what a look found.
    pub(super) fn watch_unserved(&mut self, there: Vec<String>, unserved: Vec<Unserved>) {
        let lease = self.shared.plan().lease;
        if self.unserved.there != there {
            self.unserved.adopted.clear();
            self.unserved.there = there;
        }
        let now: BTreeSet<i64> = unserved
            .iter()
            .map(|one| one.classy_id)
            .filter(|id| !self.slots.contains_key(id))
            .collect();
        self.unserved.since.retain(|id, _| now.contains(id));
        for one in unserved.iter().filter(|one| now.contains(&one.classy_id)) {
            let waited = self
                .unserved
                .since
                .entry(one.classy_id)
                .or_insert_with(Instant::now)
                .elapsed();
            if waited > ADOPTED_AFTER * lease {
                self.unserved.adopted.insert(one.classy_id);
            }
            if waited > TOLD_AFTER * lease && !self.is_broken(one.classy_id) {
                self.unserved.told.insert(one.classy_id);
                let generation = self
                    .shared
                    .board
                    .one(one.classy_id)
                    .map_or(0, |(status, _)| status.generation);
                let why = Condition::Unserved(self.why(one, waited.as_secs()));
                self.shared
                    .board
                    .tell(one.classy_id, &one.name, generation, why);
            }
        }
        let over: Vec<i64> = self
            .unserved
            .told
            .iter()
            .copied()
            .filter(|id| !now.contains(id))
            .collect();
        for classy_id in over {
            self.unserved.told.remove(&classy_id);
            if !self.slots.contains_key(&classy_id) {
                self.tell_standing(classy_id);
            }
        }
    }

    /// Whether it is told already why it cannot be served here.
    fn is_broken(&self, classy_id: i64) -> bool {
        let condition = self
            .shared
            .board
            .one(classy_id)
            .map(|(status, _)| status.condition);
        matches!(
            condition,
            Some(Condition::Broken(_) | Condition::Suspended(_))
        )
    }

    fn why(&self, one: &Unserved, seconds: u64) -> String {
        let last = match one.last_holder.as_str() {
            "" => "its lease is free".to_owned(),
            holder => format!("{} served it last and let its lease end", readable(holder)),
        };
        let here = match self.organizations.get(&one.classy_id) {
            None => "this process has no file of it that can be read",
            Some(_) => "this process could not take it either",
        };
        format!("no process has served it for {seconds} s: {last}, and {here}")
    }
}
