//! Everything of one history in one place: world, store, what was seen, and whether something that
//! must hold did not.

use crate::dice::Dice;
use crate::invariants::{self, Violation, Watch};
use crate::lists::Feed;
use crate::memory::{Defects, Memory, Table};
use crate::options::{Class, Options};
use crate::real::Real;
use crate::records::Kind;
use crate::sometimes::Sometimes;
use crate::world::World;
use classy_sync::domain::{Item, RejectReason};
use classy_sync::store::{Batch, Committed, Error};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

/// What one run did so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Records handed to it.
    pub served: u64,
    /// Records that it gave to the store, and of which the store answered.
    pub stored: u64,
    pub pages: u64,
    pub slips: u32,
    pub short_totals: u32,
    /// A request failed and nobody asked yet whether the source is there at all.
    pub is_down: bool,
}

pub struct Sim {
    pub dice: Dice,
    pub options: Options,
    pub world: World,
    pub memory: Memory,
    /// The same on a real database, when this history has one.
    pub real: Option<Real>,
    pub defects: Defects,
    pub seen: Sometimes,
    pub watches: BTreeMap<Feed, Watch>,
    pub tallies: BTreeMap<u64, Tally>,
    /// A run that has to be dropped where it stands.
    pub doomed: Option<u64>,
    pub failed: Option<Violation>,
    trace: DefaultHasher,
    tell: bool,
}

/// The history as its parts share it: one thread, so nobody waits.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Sim>>);

impl Shared {
    pub fn new(
        mut dice: Dice,
        options: Options,
        defects: Defects,
        real: bool,
        tell: bool,
    ) -> Shared {
        let world = World::new(&mut dice, &options);
        let memory = Memory::new(options.organizations);
        let real = real.then(|| Real::new(options.organizations));
        Shared(Arc::new(Mutex::new(Sim {
            watches: world
                .lists
                .keys()
                .map(|feed| (*feed, Watch::default()))
                .collect(),
            dice,
            options,
            world,
            memory,
            real,
            defects,
            seen: Sometimes::default(),
            tallies: BTreeMap::new(),
            doomed: None,
            failed: None,
            trace: DefaultHasher::new(),
            tell,
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, Sim> {
        self.0.lock().unwrap()
    }
}

impl Sim {
    /// Notes what happened: in the trace's hash, and aloud when somebody follows one seed.
    pub fn note(&mut self, what: &str, feed: Option<Feed>, detail: impl Hash + std::fmt::Debug) {
        (what, feed, self.world.now_ms).hash(&mut self.trace);
        detail.hash(&mut self.trace);
        if self.tell {
            let feed = feed
                .map(|feed| format!("{}/{}", feed.organization, feed.entity))
                .unwrap_or_default();
            let shown = format!("{detail:?}").replace("2023-11-", "");
            println!(
                "{:>9.3} {feed:<18} {what:<12} {shown}",
                (self.world.now_ms - 1_700_000_000_000) as f64 / 1000.0
            );
        }
    }

    pub fn hash(&self) -> u64 {
        self.trace.finish()
    }

    pub fn tally(&mut self, run: u64) -> &mut Tally {
        self.tallies.entry(run).or_default()
    }

    /// Keeps the first violation.
    pub fn check(&mut self, result: Result<(), Violation>) {
        if let (Err(violation), None) = (result, &self.failed) {
            self.failed = Some(violation);
        }
    }

    /// One page transaction with everything that is checked after it. `None`: the run dies inside.
    pub fn commit<R: Kind>(
        &mut self,
        feed: Feed,
        run: u64,
        epoch: i64,
        batch: &Batch<R>,
    ) -> Option<Result<Committed, Error>> {
        let died = self.options.has(Class::Kills) && self.dice.chance(8);
        let polls = self.dice.between(1, 12);
        let before = self.memory.table::<R>(feed).clone();
        let owner = self.memory.0[feed.organization].epoch;
        let mut result = None;
        if died {
            self.seen.saw("a kill inside a transaction");
            self.doomed = Some(run);
        }
        let landed = match &mut self.real {
            None => !died,
            Some(real) if died => {
                real.abandon(feed, epoch, batch, polls as usize);
                !real.is_as(feed, &before)
            }
            Some(real) => {
                result = Some(real.commit(feed, epoch, batch));
                true
            }
        };
        if landed {
            let modelled = self.memory.commit(feed, epoch, batch, self.defects);
            let agreed = match (&modelled, &result) {
                (Ok(model), Some(Ok(real))) => {
                    model.counts == real.counts && model.state == real.state
                }
                (Err(Error::FenceLost), Some(Err(Error::FenceLost))) | (_, None) => true,
                _ => false,
            };
            if !agreed {
                self.check(Err(Violation::new(
                    "I4",
                    format!("{feed:?}: the store answered {result:?} instead of {modelled:?}"),
                )));
            }
            match &modelled {
                Ok(committed) => self.account(feed, run, batch, committed, &before),
                Err(_) => self.seen.saw("the fence lost in mid-run"),
            }
            let told = modelled
                .as_ref()
                .map(|committed| format!("{:?} {:?}", committed.counts, committed.state))
                .map_err(ToString::to_string);
            self.note("commit", Some(feed), (run, epoch, told));
            if modelled.is_ok() && epoch != owner {
                self.check(Err(Violation::new(
                    "I15",
                    format!("{feed:?}: epoch {epoch} wrote although {owner} holds the lease"),
                )));
            }
            result = Some(modelled);
        }
        if let Some(real) = &mut self.real
            && !real.is_as(feed, self.memory.table::<R>(feed))
        {
            let text = format!(
                "{feed:?}: the transaction is in the database in part, or not as it should be: {}",
                real.difference()
            );
            self.check(Err(Violation::new("I4", text)));
        }
        let checked = invariants::after_commit::<R>(self, feed, &before);
        self.check(checked);
        if died { None } else { result }
    }

    fn account<R: Kind>(
        &mut self,
        feed: Feed,
        run: u64,
        batch: &Batch<R>,
        committed: &Committed,
        before: &Table<R>,
    ) {
        self.tally(run).stored += committed.counts.seen;
        let counts = &committed.counts;
        if counts.older > 0 {
            self.seen
                .saw("an older version not stored over a newer one");
        }
        if counts.restored > 0 {
            self.seen.saw("an older version stored by a full reading");
        }
        if counts.absent > 0 {
            self.seen.saw("a record marked absent");
        }
        if counts.rejected > 0 {
            self.seen.saw("a record that cannot be read");
        }
        for item in &batch.items {
            match item.id().map(|id| before.rows.get(&id)) {
                Some(None)
                    if item
                        .updated_at()
                        .is_some_and(|at| before.state.watermark > Some(at)) =>
                {
                    self.seen.saw("a record appeared behind the watermark");
                }
                Some(Some(kept)) if kept.record.is_none() => {
                    self.seen.saw("a stub filled by its record")
                }
                _ => {}
            }
            if matches!(item, Item::Bad(reject) if reject.reason == RejectReason::ForeignOrganization)
            {
                self.seen.saw("a record of another organization refused");
            }
        }
        if batch
            .state
            .as_ref()
            .and_then(|state| state.pass.as_ref())
            .is_some_and(|pass| pass.walks > 1)
        {
            self.seen.saw("a pass walked again");
        }
        if let Some(state) = &batch.state {
            if state.gap.is_some() {
                self.seen.saw("changes that cannot be read for now");
            }
            if state
                .shortfall
                .as_ref()
                .is_some_and(classy_sync::domain::Shortfall::is_short)
            {
                self.seen.saw("a pass that fell short");
            }
        }
        let checked = invariants::counts(feed, &batch.items, counts);
        self.check(checked);
    }
}
