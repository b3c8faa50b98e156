//! Open alerts: one for each cause. Opened when something turns bad, told, repeated with growing
//! gaps, resolved when it has been good for two looks. The book is in memory, so that it works
//! without the database; `ledger` keeps the table the same.

mod common;
mod company;
mod ledger;

use super::check::{Finding, Telling};
use super::messenger::Way;
use super::notice::{Notice, Occasion};
use crate::domain::{Health, Time};
use crate::store::AlertRow;
use chrono::TimeDelta;
use company::{Cause, Company, Other, is_common};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Good looks in a row after which it is over; one good look between two bad ones is not.
const RESOLVE_AFTER: u32 = 2;
/// Looks after which something degraded is told: what mends itself until then is not worth waking
/// anybody.
const TELL_AFTER: u32 = 2;
/// For so long after the database was away its consequences are not told one by one.
const AFTERMATH: TimeDelta = TimeDelta::minutes(3);
/// The check that tells whether an organization is served at all.
const STANDING: &str = "organization";
/// How long until an open alert is told again: the gap grows.
const GAPS: [TimeDelta; 4] = [
    TimeDelta::hours(1),
    TimeDelta::hours(4),
    TimeDelta::hours(12),
    TimeDelta::hours(24),
];
/// The first wait after a notice that did not arrive; it doubles.
const RETRY: TimeDelta = TimeDelta::seconds(5);
const LONGEST_RETRY: TimeDelta = TimeDelta::minutes(15);

/// An alert in the book.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its id is 0 until it is in the table.
    pub(super) row: AlertRow,
    /// Good looks in a row.
    calm: u32,
    /// What is still to be told.
    pending: Option<Occasion>,
    tries: u32,
    /// Not before this.
    retry_at: Time,
    in_flight: bool,
    /// When the table last heard of it; absent when it must hear at once.
    pub(super) saved_at: Option<Time>,
    company: Company,
}

/// All open alerts, and those that are over but not told or not written down.
#[derive(Debug)]
pub struct Book {
    /// Marks what concerns this process alone, in a table that several may share.
    pub(super) place: String,
    pub(super) entries: BTreeMap<Cause, Entry>,
    /// Degraded things, and how many looks have seen them.
    pending_causes: HashMap<Cause, u32>,
    /// When the database was last seen failing.
    away_at: Option<Time>,
    /// What other processes of the database tell of, by the cause as it is named here.
    others: BTreeMap<Cause, Other>,
    /// The table was read at this look: what it does not have yet is told at the next, when nobody
    /// else is known to tell of it.
    is_in_step: bool,
}

impl Book {
    /// An empty book. `holder` is the name under which this process holds leases.
    pub fn new(holder: &str) -> Book {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        holder.hash(&mut hasher);
        let place = format!("@{:08x}", hasher.finish() as u32);
        Book {
            place,
            entries: BTreeMap::new(),
            pending_causes: HashMap::new(),
            away_at: None,
            others: BTreeMap::new(),
            is_in_step: false,
        }
    }

    pub(super) fn cause(&self, finding: &Finding) -> Cause {
        let key = finding.key();
        (
            finding.classy_id,
            if finding.classy_id.is_none() {
                format!("{key}{}", self.place)
            } else {
                key
            },
        )
    }

    /// Takes a look's findings over.
    pub fn evaluate(&mut self, findings: &[Finding], now: Time) {
        self.bound(now);
        let is_away = findings
            .iter()
            .any(|finding| finding.check == "database" && finding.verdict() == Health::Failing);
        if is_away {
            self.away_at = Some(now);
        }
        let (mut seen, mut unknown, mut stopped) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for finding in findings {
            let cause = self.cause(finding);
            match (finding.telling, finding.verdict()) {
                (Telling::Unproven, _) => {
                    unknown.insert((finding.classy_id, finding.check));
                }
                (Telling::Within | Telling::Shared, Health::Degraded | Health::Failing) => {
                    self.folded(&cause, now)
                }
                (_, Health::Ok) => self.good(&cause, now),
                _ if self.leave_to_another(&cause) => {}
                _ => self.bad(&cause, finding, now),
            }
            if finding.check == STANDING && finding.verdict() != Health::Ok {
                stopped.insert(finding.classy_id);
            }
            seen.insert(cause);
        }
        self.pending_causes.retain(|cause, _| seen.contains(cause));
        // A thing that is not there any more is good; an organization that nobody here looks at is
        // somebody else's.
        let looked_at: BTreeSet<Option<i64>> =
            findings.iter().map(|finding| finding.classy_id).collect();
        let gone: Vec<Cause> = self
            .entries
            .keys()
            .filter(|cause| !seen.contains(*cause) && looked_at.contains(&cause.0))
            .cloned()
            .collect();
        for cause in gone {
            let is_unknown = unknown
                .iter()
                .any(|(whose, check)| *whose == cause.0 && is_by(check, &cause.1));
            if stopped.contains(&cause.0) {
                // Nothing of it is looked at any more, for a cause that is told.
                self.folded(&cause, now);
            } else if !is_unknown {
                self.good(&cause, now);
            }
        }
        self.entries.retain(|cause, entry| {
            looked_at.contains(&cause.0) || cause.0.is_none() || entry.pending.is_some()
        });
    }

    /// What was written while the clock was ahead counts from now on: nobody is told later than the
    /// longest gap from here.
    fn bound(&mut self, now: Time) {
        self.away_at = self.away_at.map(|at| at.min(now));
        for entry in self.entries.values_mut() {
            entry.row.notified_at = entry.row.notified_at.map(|at| at.min(now));
            entry.saved_at = entry.saved_at.map(|at| at.min(now));
            entry.retry_at = entry.retry_at.min(now + LONGEST_RETRY);
        }
    }

    fn bad(&mut self, cause: &Cause, finding: &Finding, now: Time) {
        let severity = finding.verdict().as_str();
        if let Some(entry) = self
            .entries
            .get_mut(cause)
            .filter(|entry| entry.row.resolved_at.is_none())
        {
            entry.calm = 0;
            entry.row.count += 1;
            entry.row.last_seen_at = now;
            // It keeps the worst that it was: what is better for a while, or for a process that has
            // just begun, is no news when it is back.
            if entry.row.severity != severity && finding.verdict() == Health::Failing {
                entry.tell(Occasion::Worse, now);
                severity.clone_into(&mut entry.row.severity);
                entry.saved_at = None;
            }
            entry.row.message.clone_from(&finding.result.reason);
            return;
        }
        let looks = self.pending_causes.entry(cause.clone()).or_insert(0);
        *looks += 1;
        let is_ripe = finding.verdict() == Health::Failing || *looks >= TELL_AFTER;
        // What the database's absence brings with it has one cause, and that one is told.
        let is_consequence =
            cause.0.is_some() && self.away_at.is_some_and(|away| now - away < AFTERMATH);
        if !is_ripe || is_consequence {
            return;
        }
        self.pending_causes.remove(cause);
        let row = AlertRow {
            id: 0,
            classy_id: cause.0,
            key: cause.1.clone(),
            severity: severity.to_owned(),
            message: finding.result.reason.clone(),
            opened_at: now,
            last_seen_at: now,
            acknowledged_at: None,
            resolved_at: None,
            count: 1,
            notices: 0,
            notified_at: None,
            notified_by: None,
        };
        let mut entry = Entry::of(row, now);
        entry.tell(Occasion::Opened, now);
        // One that is over and not told yet makes room: its successor says more.
        self.entries.insert(cause.clone(), entry);
    }

    /// Another alert tells of it now: it ends without a word.
    fn folded(&mut self, cause: &Cause, now: Time) {
        self.pending_causes.remove(cause);
        let Some(entry) = self
            .entries
            .get_mut(cause)
            .filter(|entry| entry.row.resolved_at.is_none())
        else {
            return;
        };
        entry.row.resolved_at = Some(now);
        (entry.saved_at, entry.pending) = (None, None);
    }

    fn good(&mut self, cause: &Cause, now: Time) {
        self.pending_causes.remove(cause);
        let Some(entry) = self
            .entries
            .get_mut(cause)
            .filter(|entry| entry.row.resolved_at.is_none())
        else {
            return;
        };
        // Another process of the database sees it still.
        entry.calm = if entry.company.is_there() {
            0
        } else {
            entry.calm + 1
        };
        if entry.calm >= RESOLVE_AFTER {
            entry.row.resolved_at = Some(now);
            entry.saved_at = None;
            entry.tell(Occasion::Resolved, now);
        }
    }

    /// What is to be told now, and how it would go. Each comes back through [`Book::notified`].
    pub fn due(&mut self, way: Way, now: Time) -> Vec<Notice> {
        for entry in self.entries.values_mut() {
            let gap = GAPS[usize::try_from(entry.row.notices.saturating_sub(1))
                .unwrap_or(usize::MAX)
                .min(GAPS.len() - 1)];
            let is_quiet = entry.row.acknowledged_at.is_some()
                || entry.row.resolved_at.is_some()
                || entry.pending.is_some();
            // What only the log heard is told to a person as soon as there is a way.
            let is_unheard =
                way == Way::Webhook && entry.row.notified_by.as_deref() == Some(Way::Log.as_str());
            if !is_quiet && is_unheard {
                entry.tell(Occasion::Opened, now);
            } else if !is_quiet && entry.row.notified_at.is_none_or(|told| now - told >= gap) {
                entry.tell(
                    if entry.row.notices == 0 {
                        Occasion::Opened
                    } else {
                        Occasion::Still
                    },
                    now,
                );
            }
        }
        let is_in_step = std::mem::take(&mut self.is_in_step);
        let due = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| !entry.in_flight && entry.retry_at <= now);
        due.filter(|(cause, entry)| !(is_in_step && entry.row.id == 0 && is_common(cause)))
            .filter_map(|(_, entry)| {
                let occasion = entry.pending?;
                entry.in_flight = true;
                Some(Notice {
                    occasion,
                    alert: entry.row.clone(),
                    tries: entry.tries,
                })
            })
            .collect()
    }

    /// A notice arrived by some way, or did not and is tried again later.
    pub fn notified(&mut self, notice: &Notice, arrived: Option<Way>, now: Time) {
        let cause = (notice.alert.classy_id, notice.alert.key.clone());
        let Some(entry) = self.entries.get_mut(&cause) else {
            return;
        };
        entry.in_flight = false;
        let Some(way) = arrived else {
            let wait = RETRY
                .checked_mul(1_i32.checked_shl(entry.tries.min(20)).unwrap_or(i32::MAX))
                .unwrap_or(LONGEST_RETRY);
            entry.retry_at = now + wait.min(LONGEST_RETRY);
            entry.tries += 1;
            return;
        };
        entry.row.notices += 1;
        entry.row.notified_by = Some(way.as_str().to_owned());
        entry.row.notified_at = Some(now);
        entry.saved_at = None;
        entry.tries = 0;
        // Something else may have happened meanwhile, and is told next.
        if entry.pending == Some(notice.occasion) && entry.row.opened_at == notice.alert.opened_at {
            entry.pending = None;
        }
    }

    /// Open alerts, the latest first, with those that other processes tell of for all.
    pub fn open(&self) -> Vec<AlertRow> {
        let mut open: Vec<AlertRow> = self
            .entries
            .values()
            .filter(|entry| entry.row.resolved_at.is_none())
            .map(|entry| entry.row.clone())
            .collect();
        open.extend(self.others.values().map(|other| other.row.clone()));
        open.sort_by_key(|row| std::cmp::Reverse((row.opened_at, row.id)));
        open
    }
}

impl Entry {
    pub(super) fn of(row: AlertRow, now: Time) -> Entry {
        Entry {
            row,
            calm: 0,
            pending: None,
            tries: 0,
            retry_at: now,
            in_flight: false,
            saved_at: None,
            company: Company::default(),
        }
    }

    fn tell(&mut self, occasion: Occasion, now: Time) {
        self.pending = Some(occasion);
        self.tries = 0;
        self.retry_at = now;
    }

    /// Over, told and written down.
    pub(super) const fn is_done(&self) -> bool {
        self.row.resolved_at.is_some() && self.pending.is_none() && self.saved_at.is_some()
    }
}

/// Whether a key is one of a check's.
fn is_by(check: &str, key: &str) -> bool {
    key.strip_prefix(check)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
}

#[cfg(test)]
mod tests;
