//! What may happen in one history: every class of trouble is on or off, so that none hides another.

use crate::dice::Dice;

/// Trouble of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Changes show 0 to 3 s after their time of change.
    Late,
    /// Records vanish.
    Deletions,
    /// Vanished records come back, with a new time of change or with the old one.
    Restores,
    /// Content changes and the time of change does not.
    Silent,
    /// Records without a time of change.
    Nulls,
    /// Records that cannot be read.
    Bad,
    /// Times of change that lie ahead.
    Future,
    /// Many records change in one second.
    Bulk,
    /// Records of one second come in another order with each request.
    Unstable,
    /// Requests fail before or after the source looked.
    Errors,
    /// The source looks long after it was asked, or answers long after it looked: pages overtake
    /// each other.
    Slow,
    /// An empty page where there are records; at most one a run.
    Slips,
    /// A `total` that is too small; at most one a run.
    ShortTotals,
    /// A run is dropped where it stands.
    Kills,
    /// A run is told to stop.
    Stops,
    /// Another runner takes an organization over; the old one goes on.
    Takeovers,
    /// The database refuses, or does what it is told and then says that it failed.
    Database,
    /// Hours pass.
    Jumps,
    /// People ask for repairs.
    Repairs,
    /// People ask for full passes.
    Fulls,
    /// The guard against mass deletions is as tight as it comes, and there are mass deletions.
    Guard,
    /// A page of what changed shows a record of another organization, too.
    Leaks,
    /// The source goes back to earlier versions of its records, with their old times of change.
    Backups,
    /// Some records cannot be served for a while: every page with one of them fails, and so does
    /// the record itself.
    BadPages,
    /// Asked for by its id, a record is refused though it may be there.
    Doubts,
    /// The source's `Date`, or our clock, is hours ahead or behind for a while; never both.
    Clocks,
    /// The source cuts pages smaller than asked, and says so or not.
    Clamp,
    /// A page lacks a row.
    Lacking,
}

impl Class {
    pub const ALL: [Class; 28] = [
        Class::Late,
        Class::Deletions,
        Class::Restores,
        Class::Silent,
        Class::Nulls,
        Class::Bad,
        Class::Future,
        Class::Bulk,
        Class::Unstable,
        Class::Errors,
        Class::Slow,
        Class::Slips,
        Class::ShortTotals,
        Class::Kills,
        Class::Stops,
        Class::Takeovers,
        Class::Database,
        Class::Jumps,
        Class::Repairs,
        Class::Fulls,
        Class::Guard,
        Class::Leaks,
        Class::Backups,
        Class::BadPages,
        Class::Doubts,
        Class::Clocks,
        Class::Clamp,
        Class::Lacking,
    ];
}

/// The shape of one history.
#[derive(Debug, Clone)]
pub struct Options {
    on: u32,
    pub organizations: u64,
    pub records: i64,
    pub per_page: u32,
    pub width: usize,
    pub commit_pages: usize,
    pub overlap_s: i64,
    /// Our clock less the source's.
    pub skew_s: i64,
    /// How much time passes between two steps, at most.
    pub pace_ms: i64,
    /// Changes in a thousand steps.
    pub changes: u64,
    pub steps: u32,
    /// Rows of a page, where the source cuts them smaller.
    pub clamp: u32,
    pub clamp_is_told: bool,
}

impl Options {
    pub fn new(dice: &mut Dice) -> Options {
        let on = dice.roll() as u32;
        Options {
            on,
            organizations: 1 + dice.below(3),
            records: dice.between(2, 24),
            per_page: dice.between(2, 7) as u32,
            width: dice.between(1, 3) as usize,
            commit_pages: dice.between(1, 3) as usize,
            overlap_s: dice.between(5, 30),
            skew_s: dice.between(-300, 300),
            pace_ms: dice.pick(&[2, 20, 100, 400]).unwrap_or(20),
            changes: dice.pick(&[10, 40, 100, 250]).unwrap_or(40),
            steps: dice.between(600, 2000) as u32,
            clamp: dice.between(1, 4) as u32,
            clamp_is_told: dice.chance(500),
        }
    }

    pub const fn has(&self, class: Class) -> bool {
        self.on & (1 << class as u32) != 0
    }

    pub const fn without(&mut self, class: Class) {
        self.on &= !(1 << class as u32);
    }

    /// Nothing troubles any more.
    pub const fn calm(&mut self) {
        self.on = 0;
    }

    pub fn classes(&self) -> Vec<Class> {
        Class::ALL
            .into_iter()
            .filter(|class| self.has(*class))
            .collect()
    }
}
