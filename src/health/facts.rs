//! What checks look at: plain values, gathered in one go.

use crate::classy::Heard;
use crate::domain::{Harms, Time, Trouble};
use crate::entities::Entity;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything at one moment.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The moment.
    pub at: Time,
    /// How long the process has been at work.
    pub up: Duration,
    /// From when on things count as late or full.
    pub limits: Limits,
    /// How the database answered.
    pub database: Database,
    /// It answers, and does not take what is written: no lease could be renewed.
    pub unwritten: Option<Unwritten>,
    /// The places that are written to.
    pub spaces: Vec<Space>,
    /// How long the main thread has had no time for its actors.
    pub main_late: Duration,
    /// The same of the thread that watches.
    pub watch_late: Duration,
    /// All actors and their runs.
    pub children: Vec<ChildFacts>,
    /// What the vault lacks.
    pub keys_missing: Option<String>,
    /// Files that could not be read.
    pub wrong_files: Vec<String>,
    /// Files of ours that others may open.
    pub wide_files: Vec<WideFile>,
    /// Why `http.listen` could not be opened.
    pub not_listening: Option<String>,
    /// Files by which commands know this process, and that are not there any more.
    pub lost_ways_in: Vec<PathBuf>,
    /// What is wrong with a daemon that is there and does not answer; only another process sees it.
    pub silent_daemon: Option<String>,
    /// Of what open alerts tell for many organizations at once, see `told_for_many`.
    pub told_once: BTreeSet<String>,
    /// Alerts of single organizations that are open: whose, and their keys.
    pub told_singly: BTreeSet<(i64, String)>,
    /// What the process occupies.
    pub memory_bytes: u64,
    /// All organizations, by Classy's id.
    pub organizations: Vec<OrganizationFacts>,
}

impl Facts {
    /// Organizations that this process serves: the others are looked at by whoever serves them.
    pub(super) fn served(&self) -> impl Iterator<Item = &OrganizationFacts> {
        self.organizations
            .iter()
            .filter(|organization| organization.standing == Standing::Served)
    }
}

#[cfg(test)]
impl Facts {
    /// A process with these organizations in which nothing else is wrong.
    pub(crate) fn at_rest(at: Time, organizations: Vec<OrganizationFacts>) -> Facts {
        Facts {
            at,
            up: Duration::from_secs(1),
            limits: Limits::default(),
            database: Database::Answers(Duration::from_millis(1)),
            unwritten: None,
            spaces: Vec::new(),
            main_late: Duration::ZERO,
            watch_late: Duration::ZERO,
            children: Vec::new(),
            keys_missing: None,
            wrong_files: Vec::new(),
            wide_files: Vec::new(),
            not_listening: None,
            lost_ways_in: Vec::new(),
            silent_daemon: None,
            told_once: BTreeSet::new(),
            told_singly: BTreeSet::new(),
            memory_bytes: 1,
            organizations,
        }
    }
}

/// From when on something is noteworthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A thread without time for this long is late.
    pub late: Duration,
    /// A run without a step for this long is slow.
    pub step: Duration,
    /// Added to twice a feed's interval.
    pub slack: Duration,
    /// A plugin may leave changes for this long.
    pub delivery: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            late: Duration::from_secs(3),
            step: Duration::from_secs(60),
            slack: Duration::from_secs(30),
            delivery: Duration::from_secs(15 * 60),
        }
    }
}

/// How the database answered the shortest of questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In time.
    Answers(Duration),
    /// Not, and why.
    Silent(String),
}

/// Since when nothing could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// When the first look at the leases began that failed.
    pub since: Time,
    /// Why the latest one failed.
    pub why: String,
}

/// A place on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// What is there.
    pub what: &'static str,
    /// Bytes that may still be written.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A file of ours that others on this machine may open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WideFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// A person wrote it.
    pub is_configuration: bool,
}

/// An actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildFacts {
    /// `10001/supporters`
    pub name: Arc<str>,
    /// It waits for its next life.
    pub is_dead: bool,
    /// Deaths that still count.
    pub deaths: u32,
    /// How long its run has made no step; absent without a run.
    pub idle: Option<Duration>,
}

/// An organization.
#[derive(Debug, Clone)]
pub struct OrganizationFacts {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Whether this process serves it.
    pub standing: Standing,
    /// Its feeds, in the order in which they are read.
    pub feeds: Vec<FeedFacts>,
    /// Its way to Classy; absent when it is not served here.
    pub access: Option<Access>,
    /// Open rejects: all, new ones of the last day, foreign ones.
    pub rejects: (u64, u64, u64),
    /// Its plugins.
    pub plugins: Vec<PluginFacts>,
}

/// Whether an organization is served here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// By this process.
    Served,
    /// By another process, or it is changing hands.
    Elsewhere,
    /// A person paused it.
    Paused,
    /// It cannot be served until a person mends something.
    Stopped(String),
}

/// A feed.
#[derive(Debug, Clone)]
pub struct FeedFacts {
    /// The list that it reads.
    pub entity: Entity,
    /// What it does.
    pub state: FeedState,
    /// How often it should look for changes.
    pub interval: Duration,
    /// When it last was up to date, or when its organization began to be served, whichever is
    /// later.
    pub fresh_at: Time,
    /// It was read whole at least once.
    pub is_loaded: bool,
    /// Why its last run failed.
    pub error: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// Why the last run failed, when that concerns more than this feed.
    pub trouble: Option<Trouble>,
    /// How its requests go at the moment, before a run ends.
    pub heard: Heard,
    /// A run ended since this process began, so that what is told of it was seen.
    pub was_seen: bool,
    /// What is known to be lacking, in words.
    pub lacks: Option<String>,
    /// What its last run took, when that was far slower than usual.
    pub slow: Option<String>,
}

/// What a feed does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedState {
    /// Nothing.
    Idle,
    /// It waits for its turn.
    Waiting,
    /// It reads: records so far, and as many as the source said.
    Running(u64, Option<u64>),
}

/// An organization's way to Classy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who is asked.
    pub host: String,
    /// Why nothing comes at all; absent when the last answer was as it should be.
    pub trouble: Option<Trouble>,
    /// Somebody waits, and nothing was answered for so long.
    pub silent_for: Option<Duration>,
    /// Why somebody waits before asking again.
    pub waits_for: Option<Trouble>,
    /// The breaker is open for so long.
    pub open_for: Option<Duration>,
    /// The credentials were refused.
    pub refused: bool,
    /// How long the token at hand lives.
    pub token_for: Option<Duration>,
    /// By how much Classy's clock is ahead of ours, in milliseconds.
    pub ahead_ms: Option<i64>,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFacts {
    /// Its name.
    pub plugin: String,
    /// Changes that it has not looked at.
    pub behind: u64,
    /// Since when it has not moved; absent when it never did.
    pub moved_at: Option<Time>,
    /// Why its last delivery failed.
    pub error: Option<String>,
    /// A delivery ended since this process began, so that what is told of it was seen.
    pub was_seen: bool,
    /// What keeps people waiting on the other side.
    pub trouble: Option<String>,
    /// Looks in a row that found what the other side's webhook should have told, and when that was
    /// last heard.
    pub silent: Option<(i64, Option<Time>)>,
    /// What is held until somebody approves, by kind of harm.
    pub holds: Harms,
    /// Why nothing is sent until a person has looked.
    pub suspended: Option<String>,
    /// What does not work as it is configured.
    pub lacks: Vec<String>,
}
