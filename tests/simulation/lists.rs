//! The lists at the source: records with all their versions, and which of them is shown when.

use classy_sync::domain::Time;
use classy_sync::entities::Entity;
use std::collections::BTreeMap;

/// One feed of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    /// From 0.
    pub organization: usize,
    pub entity: Entity,
}

/// What a record was from one moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// In seconds.
    pub updated_at: Option<i64>,
    /// When it was bought or made, in seconds; never changes.
    pub made_at: i64,
    /// Decides every other field.
    pub content: u64,
    /// Ids of a supporter, a campaign, a plan.
    pub links: [Option<i64>; 3],
    /// From when on it is shown, in milliseconds.
    pub shown_ms: i64,
    pub gone: bool,
    pub bad: bool,
    /// It got a time of change of its own, so reading what changed must find it.
    pub fresh: bool,
    /// Its time of change, though perhaps not its content, is one that reading what changed must
    /// find.
    pub owed: bool,
    pub served: bool,
    /// The source went back to this version, or to one that this one was made of.
    pub back: bool,
}

/// A record.
#[derive(Debug, Default)]
pub struct Entry {
    pub versions: Vec<Version>,
    /// It cannot be served.
    pub is_cursed: bool,
}

impl Entry {
    fn shown_index(&self, now_ms: i64) -> Option<usize> {
        self.versions
            .iter()
            .rposition(|version| version.shown_ms <= now_ms)
            .filter(|index| !self.versions[*index].gone)
    }

    /// What the source shows now.
    pub fn shown(&self, now_ms: i64) -> Option<&Version> {
        self.shown_index(now_ms).map(|index| &self.versions[index])
    }

    /// Shows it to somebody.
    pub fn serve(&mut self, now_ms: i64) -> Option<Version> {
        let index = self.shown_index(now_ms)?;
        self.versions[index].served = true;
        Some(self.versions[index].clone())
    }

    pub fn was_gone(&self) -> bool {
        self.versions.iter().any(|version| version.gone)
    }

    /// Whether it went after a moment.
    pub fn went_after(&self, ms: i64) -> bool {
        self.versions
            .iter()
            .any(|version| version.gone && version.shown_ms >= ms)
    }

    /// Whether it came, or came back, after a moment.
    pub fn came_after(&self, ms: i64) -> bool {
        let mut before = self.versions.iter().filter(|version| version.shown_ms < ms);
        let after = self
            .versions
            .iter()
            .any(|version| !version.gone && version.shown_ms >= ms);
        after && (before.next_back().is_none_or(|version| version.gone) || self.went_after(ms))
    }
}

pub type List = BTreeMap<i64, Entry>;

pub fn moment(seconds: i64) -> Time {
    Time::from_timestamp(seconds, 0).unwrap()
}
