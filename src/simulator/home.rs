//! What the records of one organization have in common, and by which they name each other. Ids lie
//! above 2^31, and no two organizations share one (contract, simulator 39).

use super::classy::keys::Told;
use super::fault::mix;
use super::story::{Plan, Story};
use super::world::Kind;

/// Ids of one kind lie side by side in a range of this size.
const RANGE: i64 = 100_000_000;
const FIRST: i64 = 4_000_000_000;

/// The first second of the world: 2019-01-01.
const BEGIN: i64 = 1_546_300_800;
const HOUR: i64 = 3_600;

/// Where a record was born.
#[derive(Debug)]
pub(super) struct Home {
    /// The organization's id.
    pub(super) organization: i64,
    seed: u64,
    base: i64,
    counts: [i64; Kind::COUNT],
    /// Nothing that was there at the start changed after this second.
    horizon: i64,
    story: Option<Box<Story>>,
}

impl Home {
    /// The home of the organization at a place, with so many records of each kind, in a world that
    /// starts at `now`.
    pub(super) const fn new(
        organization: i64,
        place: usize,
        seed: u64,
        counts: [i64; Kind::COUNT],
        now: i64,
    ) -> Home {
        Home {
            organization,
            seed,
            base: FIRST + place as i64 * 10 * RANGE,
            counts,
            horizon: Home::horizon(now),
            story: None,
        }
    }

    /// By the full hour: worlds that start in the same hour are the same to the second.
    pub(super) const fn horizon(now: i64) -> i64 {
        now - HOUR - now.rem_euclid(HOUR)
    }

    /// The same home, with a past.
    pub(super) fn with_story(self, story: Story) -> Home {
        let counts = story.counts();
        let count = |told: &Told| (told.count)(&counts) as i64;
        Home {
            counts: Kind::ALL.map(|kind| kind.about().told.as_ref().map_or(0, count)),
            story: Some(Box::new(story)),
            ..self
        }
    }

    /// Its past, if it has one.
    pub(super) fn story(&self) -> Option<&Story> {
        self.story.as_deref()
    }

    /// Its past, and a record's number in it.
    pub(super) fn told(&self, id: i64) -> Option<(&Story, usize)> {
        Some((self.story()?, self.number(id) as usize))
    }

    /// A plan of its past.
    pub(super) fn plan(&self, id: i64) -> Option<&Plan> {
        let (story, number) = self.told(id)?;
        story.plan(number)
    }

    /// How many records of a kind there were at the start.
    pub(super) const fn count(&self, kind: Kind) -> i64 {
        self.counts[kind as usize]
    }

    /// The id of a record by its number, from 1.
    pub(super) const fn id(&self, kind: Kind, number: i64) -> i64 {
        self.base + (kind as i64 + 1) * RANGE + number
    }

    /// The number of a record among its kind.
    pub(super) const fn number(&self, id: i64) -> i64 {
        (id - self.base).rem_euclid(RANGE)
    }

    /// One of the records that were there at the start.
    pub(super) const fn some(&self, kind: Kind, roll: u64) -> Option<i64> {
        match self.counts[kind as usize] {
            0 => None,
            count => Some(self.id(kind, 1 + (roll % count as u64) as i64)),
        }
    }

    /// An id that no list contains.
    pub(super) const fn nobody(&self, kind: Kind, number: i64) -> i64 {
        self.id(kind, RANGE * 9 / 10 + number)
    }

    /// A random number of a record's own: the same after the same seed, whatever was asked before.
    pub(super) const fn roll(&self, id: i64, salt: u64) -> u64 {
        mix(mix(self.seed ^ id as u64) ^ salt)
    }

    /// When the record with this number was made: older ones first.
    pub(super) fn born(&self, kind: Kind, number: i64) -> i64 {
        if let Some(story) = self.story() {
            let told = kind.about().told.as_ref();
            let at = told.and_then(|told| (told.born)(story, number as usize));
            return at.unwrap_or(self.horizon);
        }
        BEGIN + (self.horizon - BEGIN) * (number - 1) / self.counts[kind as usize]
    }

    /// When a record that was made at `born` changed last before the start: one in four did after
    /// it was made, so that ids do not tell the order of changes.
    pub(super) fn touched(&self, id: i64, born: i64) -> i64 {
        let kind = Kind::ALL.get(((id - self.base) / RANGE - 1) as usize);
        if let (Some(plan), Some(Kind::Plans)) = (self.plan(id), kind) {
            return plan.touched;
        }
        let roll = self.roll(id, 0);
        if born >= self.horizon || roll % 4 != 0 {
            born
        } else {
            born + (roll >> 2) as i64 % (self.horizon - born)
        }
    }
}
