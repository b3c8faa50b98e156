//! The source as it moves on: its clock, and what is added, changed, removed and brought back in
//! its lists.

use crate::dice::Dice;
use crate::lists::{Entry, Feed, List, Version, moment};
use crate::options::{Class, Options};
use crate::sometimes::Sometimes;
use classy_sync::domain::Clocks;
use classy_sync::entities::Entity;
use std::collections::BTreeMap;

/// The source's clock when a history begins, in seconds since 1970.
const BEGINNING: i64 = 1_700_000_000;

/// The kinds that are played: those that link to each other in every way. The engine treats all
/// kinds alike.
const PLAYED: [Entity; 4] = [
    Entity::Supporters,
    Entity::Campaigns,
    Entity::RecurringPlans,
    Entity::Transactions,
];

pub struct World {
    pub now_ms: i64,
    /// By how many seconds the source's `Date` is off.
    pub date_off_s: i64,
    /// The same of our clock.
    pub ours_off_s: i64,
    pub lists: BTreeMap<Feed, List>,
    /// By organization: each counts by itself, so that they share ids.
    next_ids: BTreeMap<usize, i64>,
}

impl World {
    pub fn new(dice: &mut Dice, options: &Options) -> World {
        let mut world = World {
            now_ms: BEGINNING * 1000,
            date_off_s: 0,
            ours_off_s: 0,
            lists: BTreeMap::new(),
            next_ids: BTreeMap::new(),
        };
        let mut seen = Sometimes::default();
        for organization in 0..options.organizations as usize {
            for entity in PLAYED {
                let feed = Feed {
                    organization,
                    entity,
                };
                world.lists.insert(feed, List::new());
                for _ in 0..dice.between(0, options.records) {
                    // A few busy seconds long ago, so that many share one.
                    world.now_ms = (BEGINNING - 90_000 + dice.between(0, 6) * 15_000) * 1000;
                    world.add(feed, dice, options, &mut seen);
                }
            }
        }
        world.now_ms = BEGINNING * 1000;
        world
    }

    pub const fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// Both clocks as an answer has them.
    pub fn clocks(&self, options: &Options) -> Clocks {
        let (theirs, ours) = if options.has(Class::Clocks) {
            (self.date_off_s, self.ours_off_s)
        } else {
            (0, 0)
        };
        Clocks {
            theirs: Some(moment(self.now_s() + theirs)),
            ours: moment(self.now_s() + options.skew_s + ours),
        }
    }

    /// Something changes in one feed.
    pub fn change(&mut self, feed: Feed, dice: &mut Dice, options: &Options, seen: &mut Sometimes) {
        if options.has(Class::BadPages) && dice.chance(60) {
            let ids: Vec<i64> = self.list(feed).keys().copied().collect();
            if let Some(entry) = dice.pick(&ids).and_then(|id| self.list(feed).get_mut(&id)) {
                entry.is_cursed = !entry.is_cursed;
            }
        }
        if options.has(Class::Clocks) && dice.chance(60) {
            seen.saw("a clock that jumped");
            let off = dice
                .pick(&[0, 0, 7_200, -7_200, 1_800, 86_400 * 400, -86_400 * 400])
                .unwrap_or(0);
            (self.date_off_s, self.ours_off_s) = if dice.chance(500) { (off, 0) } else { (0, off) };
        }
        match dice.below(12) {
            0..3 => self.add(feed, dice, options, seen),
            3 if options.has(Class::Deletions) => self.remove(feed, dice, seen),
            3 if options.has(Class::Guard) => (0..12).for_each(|_| self.remove(feed, dice, seen)),
            4 if options.has(Class::Restores) => self.restore(feed, dice, options, seen),
            5 if options.has(Class::Silent) => self.touch(feed, dice, |_, dice, version| {
                seen.saw("an edit without a time of change");
                version.content = dice.roll();
                version.fresh = false;
            }),
            6 if options.has(Class::Nulls) => self.touch(feed, dice, |_, dice, version| {
                seen.saw("a record without a time of change");
                (
                    version.content,
                    version.updated_at,
                    version.fresh,
                    version.owed,
                ) = (dice.roll(), None, false, false);
            }),
            8 if options.has(Class::Backups) => self.go_back(feed, dice, seen),
            7 if options.has(Class::Bulk) => {
                seen.saw("many changes in one second");
                if options.has(Class::Deletions) && dice.chance(300) {
                    // The first one: whatever is behind it moves up in every list.
                    let first = self
                        .list(feed)
                        .iter()
                        .find(|(_, entry)| entry.versions.last().is_some_and(|last| !last.gone));
                    let first = first.map(|(id, _)| *id);
                    self.touch_one(feed, first, dice, |_, _, version| vanish(seen, version));
                }
                for _ in 0..3 * options.per_page {
                    self.edit(feed, dice, options, seen);
                }
            }
            _ => self.edit(feed, dice, options, seen),
        }
    }

    fn stamp(
        &self,
        dice: &mut Dice,
        options: &Options,
        seen: &mut Sometimes,
        version: &mut Version,
    ) {
        version.updated_at = Some(self.now_s());
        version.shown_ms = self.now_ms;
        (version.fresh, version.owed, version.gone) = (true, true, false);
        if options.has(Class::Late) && dice.chance(300) {
            seen.saw("a change that shows late");
            version.shown_ms += dice.between(1, 3000);
        }
        if options.has(Class::Future) && dice.chance(20) {
            seen.saw("a time of change ahead of the clock");
            version.updated_at = Some(self.now_s() + dice.between(1, 900));
        }
        version.bad = options.has(Class::Bad) && dice.chance(60);
    }

    fn add(&mut self, feed: Feed, dice: &mut Dice, options: &Options, seen: &mut Sometimes) {
        let mut parent = |entity: Entity| {
            let ids: Vec<i64> = self
                .lists
                .get(&Feed { entity, ..feed })?
                .keys()
                .copied()
                .collect();
            dice.pick(&ids).filter(|_| dice.chance(900))
        };
        let links = match feed.entity {
            Entity::Transactions => [
                parent(Entity::Supporters),
                parent(Entity::Campaigns),
                parent(Entity::RecurringPlans),
            ],
            Entity::RecurringPlans => [parent(Entity::Supporters), parent(Entity::Campaigns), None],
            _ => [None; 3],
        };
        let mut version = Version {
            updated_at: None,
            made_at: self.now_s(),
            content: dice.roll(),
            links,
            shown_ms: 0,
            gone: false,
            bad: false,
            fresh: true,
            owed: true,
            served: false,
            back: false,
        };
        self.stamp(dice, options, seen, &mut version);
        let next_id = self.next_ids.entry(feed.organization).or_insert(1);
        let id = *next_id;
        *next_id += dice.between(1, 3);
        self.list(feed).insert(
            id,
            Entry {
                versions: vec![version],
                is_cursed: false,
            },
        );
    }

    fn list(&mut self, feed: Feed) -> &mut List {
        self.lists.entry(feed).or_default()
    }

    /// Changes a record that is there and whose time of change does not lie ahead; mostly one of
    /// the last few.
    fn touch(
        &mut self,
        feed: Feed,
        dice: &mut Dice,
        change: impl FnOnce(&World, &mut Dice, &mut Version),
    ) {
        let now_s = self.now_s();
        let alive = |entry: &Entry| {
            entry
                .versions
                .last()
                .is_some_and(|last| !last.gone && last.updated_at.is_none_or(|at| at <= now_s))
        };
        let ids: Vec<i64> = self
            .list(feed)
            .iter()
            .filter(|(_, entry)| alive(entry))
            .map(|(id, _)| *id)
            .collect();
        let hot = &ids[ids.len().saturating_sub(3)..];
        let from = if dice.chance(500) { hot } else { &ids };
        let id = dice.pick(from);
        self.touch_one(feed, id, dice, change);
    }

    fn touch_one(
        &mut self,
        feed: Feed,
        id: Option<i64>,
        dice: &mut Dice,
        change: impl FnOnce(&World, &mut Dice, &mut Version),
    ) {
        let Some(id) = id else { return };
        let Some(mut next) = self
            .list(feed)
            .get(&id)
            .and_then(|entry| entry.versions.last().cloned())
        else {
            return;
        };
        // What a change without a time of change of its own builds on is shown with it.
        (next.shown_ms, next.served) = (self.now_ms, false);
        change(self, dice, &mut next);
        self.list(feed).entry(id).or_default().versions.push(next);
    }

    fn edit(&mut self, feed: Feed, dice: &mut Dice, options: &Options, seen: &mut Sometimes) {
        self.touch(feed, dice, |world, dice, version| {
            version.content = dice.roll();
            world.stamp(dice, options, seen, version);
        });
    }

    fn remove(&mut self, feed: Feed, dice: &mut Dice, seen: &mut Sometimes) {
        self.touch(feed, dice, |_, _, version| vanish(seen, version));
    }

    /// A backup is restored: some records are again what they were some versions ago.
    fn go_back(&mut self, feed: Feed, dice: &mut Dice, seen: &mut Sometimes) {
        let now_ms = self.now_ms;
        for entry in self.list(feed).values_mut() {
            let earlier: Vec<usize> = (0..entry.versions.len().saturating_sub(1))
                .filter(|place| !entry.versions[*place].gone)
                .collect();
            let gone = entry
                .versions
                .last()
                .is_some_and(|last| last.gone || last.shown_ms > now_ms);
            let Some(place) = dice.pick(&earlier).filter(|_| !gone && dice.chance(500)) else {
                continue;
            };
            seen.saw("a record that went back to an earlier version");
            let mut next = entry.versions[place].clone();
            (next.shown_ms, next.served, next.fresh, next.owed, next.back) =
                (now_ms, false, false, false, true);
            entry.versions.push(next);
        }
    }

    fn restore(&mut self, feed: Feed, dice: &mut Dice, options: &Options, seen: &mut Sometimes) {
        let now_s = self.now_s();
        let gone = |entry: &Entry| {
            entry
                .versions
                .last()
                .is_some_and(|last| last.gone && last.updated_at.is_none_or(|at| at <= now_s))
        };
        let ids: Vec<i64> = self
            .list(feed)
            .iter()
            .filter(|(_, entry)| gone(entry))
            .map(|(id, _)| *id)
            .collect();
        let Some(id) = dice.pick(&ids) else { return };
        let Some(mut next) = self
            .list(feed)
            .get(&id)
            .and_then(|entry| entry.versions.last().cloned())
        else {
            return;
        };
        (next.gone, next.served, next.shown_ms) = (false, false, self.now_ms);
        if dice.chance(500) {
            seen.saw("a restore with a new time of change");
            self.stamp(dice, options, seen, &mut next);
        } else {
            seen.saw("a restore with the old time of change");
        }
        self.list(feed).entry(id).or_default().versions.push(next);
    }
}

fn vanish(seen: &mut Sometimes, version: &mut Version) {
    seen.saw("a deletion");
    (version.gone, version.fresh, version.owed) = (true, false, false);
}
