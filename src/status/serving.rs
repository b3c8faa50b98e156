//! How an organization, a feed and a plugin stand: what the board shows of each.

use super::report::{FeedReport, PluginReport};
use crate::domain::{Mode, Time, Trouble};
use std::sync::Arc;

/// Why an organization is or is not served by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Served.
    Serving,
    /// Its runs are ending.
    Draining,
    /// Another process serves it, or nobody does yet.
    Elsewhere,
    /// A person paused it, or its file was removed.
    Paused(String),
    /// A person must mend something first.
    Suspended(String),
    /// It cannot be begun.
    Broken(String),
    /// No process has served it for a while, though it should be.
    Unserved(String),
}

impl Condition {
    /// Its word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Condition::Serving => "serving",
            Condition::Draining => "draining",
            Condition::Elsewhere => "elsewhere",
            Condition::Paused(_) => "paused",
            Condition::Suspended(_) => "suspended",
            Condition::Broken(_) => "broken",
            Condition::Unserved(_) => "unserved",
        }
    }

    /// Why it is not served, where a person decided that or must do something.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Condition::Paused(reason)
            | Condition::Suspended(reason)
            | Condition::Broken(reason)
            | Condition::Unserved(reason) => Some(reason),
            Condition::Serving | Condition::Draining | Condition::Elsewhere => None,
        }
    }
}

/// One organization.
#[derive(Debug, Clone)]
pub struct OrganizationStatus {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Whether it is served.
    pub condition: Condition,
    /// Since when.
    pub since: Time,
    /// Which of its actor's lives this is.
    pub generation: u64,
}

/// What a feed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// It waits for its turn.
    Waiting,
    /// It reads.
    Running(RunStatus),
}

/// A run in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunStatus {
    /// What kind.
    pub mode: Mode,
    /// Since when.
    pub since: Time,
    /// Records read so far.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
    /// Records that differed, and are saved.
    pub changed: u64,
}

/// What a feed's runs did since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[allow(missing_docs, reason = "the names of the metrics")]
pub struct Totals {
    pub complete: u64,
    pub stopped: u64,
    pub failed: u64,
    pub requests: u64,
    pub bytes: u64,
    pub seen: u64,
    pub inserted: u64,
    pub updated: u64,
    pub restored: u64,
    pub upgraded: u64,
    pub older: u64,
    pub rejected: u64,
    pub absent: u64,
    pub busy_ms: u64,
}

impl Totals {
    const ZERO: Totals = Totals {
        complete: 0,
        stopped: 0,
        failed: 0,
        requests: 0,
        bytes: 0,
        seen: 0,
        inserted: 0,
        updated: 0,
        restored: 0,
        upgraded: 0,
        older: 0,
        rejected: 0,
        absent: 0,
        busy_ms: 0,
    };

    /// Adds a run that ended.
    pub fn add(&mut self, report: &FeedReport) {
        match report.outcome.as_str() {
            "complete" | "incomplete" => self.complete += 1,
            "stopped" => self.stopped += 1,
            _ => self.failed += 1,
        }
        self.requests += report.requests;
        self.bytes += report.bytes;
        self.seen += report.seen;
        self.inserted += report.inserted;
        self.updated += report.updated;
        self.restored += report.restored;
        self.upgraded += report.upgraded;
        self.older += report.older;
        self.rejected += report.rejected;
        self.absent += report.absent;
        self.busy_ms += report.duration_ms;
    }
}

/// What the database knows of a feed's first import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStatus {
    /// Since when; none before it began.
    pub since: Option<Time>,
    /// Records that were committed.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
    /// The last moment at which it had not moved since this process looks, and how far it was then:
    /// from there its pace counts.
    pub from: (Time, u64),
}

/// One feed.
#[derive(Debug, Clone)]
pub struct FeedStatus {
    /// Which of its actor's lives this is.
    pub generation: u64,
    /// What it does.
    pub activity: Activity,
    /// When it is due next.
    pub next_at: Option<Time>,
    /// Runs that ended since the process began.
    pub runs: u64,
    /// When it was last up to date; absent when it never was.
    pub fresh_at: Option<Time>,
    /// It was read whole at least once.
    pub is_loaded: bool,
    /// What the database knows of its first import, until that is done.
    pub import: Option<ImportStatus>,
    /// Failures in a row.
    pub failures: u32,
    /// Why the last run failed, when that concerns more than this feed.
    pub trouble: Option<Trouble>,
    /// What is known to be lacking, in words.
    pub lacks: Option<Arc<str>>,
    /// What its runs did since the process began.
    pub totals: Totals,
    /// How the last of them ended.
    pub last: Option<Arc<FeedReport>>,
}

impl FeedStatus {
    pub(super) const fn new() -> FeedStatus {
        FeedStatus {
            generation: 0,
            activity: Activity::Idle,
            next_at: None,
            runs: 0,
            fresh_at: None,
            is_loaded: false,
            import: None,
            failures: 0,
            trouble: None,
            lacks: None,
            totals: Totals::ZERO,
            last: None,
        }
    }
}

/// One plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginStatus {
    /// Which of its actor's lives this is.
    pub generation: u64,
    /// It delivers since then.
    pub since: Option<Time>,
    /// Deliveries that ended since the process began.
    pub runs: u64,
    /// How the last of them ended.
    pub last: Option<Arc<PluginReport>>,
    /// When the last delivery ended.
    pub ended_at: Option<Time>,
}
