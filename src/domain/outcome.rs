//! How a run of one feed ended, and what it counted.

use std::fmt;

/// The kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every record, by id; also the reconcile.
    Full,
    /// What changed since the watermark.
    Incremental,
    /// A range asked for by a person; touches no checkpoint.
    Repair,
}

impl Mode {
    /// The word in `sync_runs.mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Incremental => "incremental",
            Mode::Repair => "repair",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a run counted. Every record seen is in exactly one of inserted, updated, unchanged, older,
/// rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Pages and single records asked for; the client's own retries are not counted here.
    pub requests: u64,
    /// Pages read.
    pub pages: u64,
    /// Decoded bytes of those pages.
    pub bytes: u64,
    /// Records met.
    pub seen: u64,
    /// New here.
    pub inserted: u64,
    /// Stored with new content.
    pub updated: u64,
    /// As stored already: not written.
    pub unchanged: u64,
    /// Of the updated: the source went back to an older version, as after a restored backup. Only a
    /// full reading stores these.
    pub restored: u64,
    /// Of the updated: the same version as stored, of which more is stored now than an older
    /// version of this program did.
    pub upgraded: u64,
    /// Versions older than the stored one, met while looking for changes: not written.
    pub older: u64,
    /// Kept in `rejects`.
    pub rejected: u64,
    /// Marked `absent_since`.
    pub absent: u64,
}

impl RunCounts {
    /// Adds another count to this one.
    pub fn add(&mut self, other: &RunCounts) {
        let RunCounts {
            requests,
            pages,
            bytes,
            seen,
            inserted,
            updated,
            restored,
            upgraded,
            unchanged,
            older,
            rejected,
            absent,
        } = other;
        self.requests += requests;
        self.pages += pages;
        self.bytes += bytes;
        self.seen += seen;
        self.inserted += inserted;
        self.updated += updated;
        self.restored += restored;
        self.upgraded += upgraded;
        self.unchanged += unchanged;
        self.older += older;
        self.rejected += rejected;
        self.absent += absent;
    }
}

/// How a run ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunEnd {
    /// Caught up.
    Complete,
    /// Read to the end, but it is known that records are lacking.
    Incomplete,
    /// Stopped at a page boundary because it was told to; goes on from its checkpoint.
    Stopped,
}
