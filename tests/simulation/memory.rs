//! The store as it should be, in memory and in a hundred lines: fast enough for thousands of
//! histories. Where a history runs on a real database too, both are compared after every
//! transaction.

use crate::lists::Feed;
use crate::records::Kind;
use classy_sync::domain::{FeedState, Item, RunCounts, Time};
use classy_sync::entities::{Campaign, Entity, RecurringPlan, Supporter, Transaction};
use classy_sync::store::{Batch, Committed, Error};
use std::collections::{BTreeMap, BTreeSet};

/// A stored row; without a record it is a stub.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<R> {
    pub record: Option<R>,
    pub absent: bool,
}

/// One feed of one organization.
#[derive(Debug, Clone)]
pub struct Table<R> {
    pub rows: BTreeMap<i64, Kept<R>>,
    pub state: FeedState,
    /// With the reason, when a pass could not decide them.
    pub suspects: BTreeMap<i64, Option<String>>,
    /// Records that could not be read, and were not read well since.
    pub rejects: BTreeSet<i64>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Table {
            rows: BTreeMap::new(),
            state: FeedState::default(),
            suspects: BTreeMap::new(),
            rejects: BTreeSet::new(),
        }
    }
}

impl<R: Kind> Table<R> {
    /// What the source should show.
    pub fn present(&self) -> impl Iterator<Item = (i64, &R)> {
        self.rows
            .iter()
            .filter(|(_, kept)| !kept.absent)
            .filter_map(|(id, kept)| Some((*id, kept.record.as_ref()?)))
    }

    pub fn count_since(&self, from: Time) -> u64 {
        self.present()
            .filter(|(_, record)| record.updated_at().is_some_and(|at| at >= from))
            .count() as u64
    }

    fn stub(&mut self, id: i64) {
        self.rows.entry(id).or_insert(Kept {
            record: None,
            absent: false,
        });
    }
}

/// One organization's tables.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub supporters: Table<Supporter>,
    pub campaigns: Table<Campaign>,
    pub plans: Table<RecurringPlan>,
    pub transactions: Table<Transaction>,
    /// The fencing number.
    pub epoch: i64,
}

/// What may be wrong with a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defects {
    /// An older version replaces a newer one.
    pub older_wins: bool,
    /// Whoever was replaced may write.
    pub no_fence: bool,
    /// A row is found by its id alone, whosever it is.
    pub id_only: bool,
}

impl Tables {
    pub fn feed<R: Kind>(&self) -> &Table<R> {
        R::kept(self)
    }

    /// One page transaction; `foreign` ids are stored for another organization.
    fn commit<R: Kind>(
        &mut self,
        epoch: i64,
        batch: &Batch<R>,
        foreign: &BTreeSet<i64>,
        defects: Defects,
    ) -> Result<Committed, Error> {
        if epoch != self.epoch && !defects.no_fence {
            return Err(Error::FenceLost);
        }
        let mut newest: BTreeMap<i64, &R> = BTreeMap::new();
        let mut rejected = BTreeSet::new();
        let mut counts = RunCounts {
            seen: batch.items.len() as u64,
            absent: batch.absent.len() as u64,
            ..RunCounts::default()
        };
        for item in &batch.items {
            match item {
                Item::Bad(reject) => {
                    counts.rejected += 1;
                    rejected.extend(reject.source_id);
                }
                Item::Good(record) if defects.id_only && foreign.contains(&record.id()) => {}
                Item::Good(record) => {
                    let known = newest.get(&record.id()).filter(|known| {
                        known.updated_at() > record.updated_at() && !defects.older_wins
                    });
                    if known.is_none() {
                        newest.insert(record.id(), record);
                    }
                }
            }
        }
        let mut late = (0, 0, 0);
        let table = R::kept_mut(self);
        let mut links = Vec::new();
        for (id, record) in newest {
            let before = table
                .rows
                .get(&id)
                .filter(|kept| !kept.absent)
                .and_then(|kept| kept.record.as_ref());
            let older = before.is_some_and(|kept| matches!((record.updated_at(), kept.updated_at()), (Some(new), Some(old)) if new < old));
            if older && !defects.older_wins && !batch.reading.believes(id) {
                counts.older += 1;
                continue;
            }
            if before != Some(record) {
                let known = table
                    .rows
                    .get(&id)
                    .is_some_and(|kept| kept.record.is_some());
                let count = if known {
                    &mut counts.updated
                } else {
                    &mut counts.inserted
                };
                *count += 1;
                counts.restored += u64::from(older);
                if older && batch.expected_before.is_some() {
                    late.2 += 1;
                } else if batch
                    .expected_before
                    .is_some_and(|before| record.updated_at().is_none_or(|at| at < before))
                {
                    late = if known {
                        (late.0, late.1 + 1, late.2)
                    } else {
                        (late.0 + 1, late.1, late.2)
                    };
                }
                links.extend(record.links());
                table.rows.insert(
                    id,
                    Kept {
                        record: Some(record.clone()),
                        absent: false,
                    },
                );
            }
            table.rejects.remove(&id);
        }
        counts.unchanged =
            counts.seen - counts.inserted - counts.updated - counts.older - counts.rejected;
        table.rejects.extend(rejected);
        for id in &batch.absent {
            if let Some(kept) = table.rows.get_mut(id) {
                kept.absent = true;
            }
        }
        let mut state = batch.state.clone();
        if let Some(pass) = state.as_mut().and_then(|state| state.pass.as_mut()) {
            (pass.missing, pass.stale, pass.restored) = (
                pass.missing + late.0,
                pass.stale + late.1,
                pass.restored + late.2,
            );
        }
        if let Some(state) = &state {
            table.state = state.clone();
        }
        if batch.forget_suspects {
            table.suspects.retain(|_, reason| reason.is_some());
        }
        table.suspects.retain(|id, _| !batch.decided.contains(id));
        for id in &batch.suspects {
            table.suspects.entry(*id).or_default();
        }
        table.suspects.extend(
            batch
                .undecided
                .iter()
                .map(|(id, reason)| (*id, Some(reason.clone()))),
        );
        for (entity, id) in links {
            match entity {
                Entity::Supporters => self.supporters.stub(id),
                Entity::Campaigns => self.campaigns.stub(id),
                Entity::RecurringPlans => self.plans.stub(id),
                _ => {}
            }
        }
        let leaves_totals = false;
        Ok(Committed {
            counts,
            state,
            leaves_totals,
        })
    }
}

/// All organizations, by their place.
#[derive(Debug, Clone, Default)]
pub struct Memory(pub Vec<Tables>);

impl Memory {
    pub fn new(organizations: u64) -> Memory {
        Memory(
            (0..organizations)
                .map(|_| Tables {
                    epoch: 1,
                    ..Tables::default()
                })
                .collect(),
        )
    }

    /// One page transaction of one organization.
    pub fn commit<R: Kind>(
        &mut self,
        feed: Feed,
        epoch: i64,
        batch: &Batch<R>,
        defects: Defects,
    ) -> Result<Committed, Error> {
        let others = self
            .0
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != feed.organization)
            .map(|(_, tables)| tables.feed::<R>());
        let stored = others.flat_map(|table| {
            table
                .rows
                .iter()
                .filter(|(_, kept)| kept.record.is_some())
                .map(|(id, _)| *id)
        });
        let ids: BTreeSet<i64> = batch.items.iter().filter_map(Item::id).collect();
        let foreign = stored.filter(|id| ids.contains(id)).collect();
        self.0[feed.organization].commit(epoch, batch, &foreign, defects)
    }

    pub fn table<R: Kind>(&self, feed: Feed) -> &Table<R> {
        self.0[feed.organization].feed()
    }

    /// Whether a pass is in progress, for whoever asks without knowing the kind.
    pub fn state(&self, feed: Feed) -> &FeedState {
        let tables = &self.0[feed.organization];
        match feed.entity {
            Entity::Supporters => &tables.supporters.state,
            Entity::Campaigns => &tables.campaigns.state,
            Entity::RecurringPlans => &tables.plans.state,
            Entity::Transactions => &tables.transactions.state,
            other => unreachable!("{other} is not played"),
        }
    }
}
