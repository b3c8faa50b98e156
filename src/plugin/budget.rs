//! How much harm is left to be done in one delivery.

use crate::domain::{GuardedChange, Harm, Harms, Time};
use crate::store::{HarmEntry, Taken};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the guard says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It may be done.
    Go,
    /// It waits for a person's word.
    Hold,
    /// It goes with a later portion.
    Later,
}

/// What holds for one kind of harm in one delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// How much goes unasked.
    pub(super) free: u64,
    /// Whether that counts towards the limits of the next deliveries.
    pub(super) counts: bool,
}

impl Rule {
    pub(super) const OPEN: Rule = Rule {
        free: u64::MAX,
        counts: false,
    };
    pub(super) const SHUT: Rule = Rule {
        free: 0,
        counts: true,
    };
}

/// The allowance of one delivery. What is taken is written down with the send that it is taken for.
#[derive(Debug, Default)]
pub struct Budget {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: [Rule; Harm::ALL.len()],
    /// What a person allowed.
    grants: BTreeMap<(i64, Harm), i64>,
    /// How many may still come in today.
    portion: Option<u64>,
    /// Taken and not yet written down.
    taken: BTreeMap<i64, Vec<TakenChange>>,
    /// Taken and written down.
    written: BTreeMap<i64, Vec<TakenChange>>,
    /// People who came in or were changed for the first time.
    entries: u64,
}

/// What was taken for one change: how it counts, its kind, and how many contacts it touches.
type TakenChange = (HarmEntry, Harm, u64);

impl Budget {
    pub(super) fn new(
        rules: [Rule; Harm::ALL.len()],
        grants: BTreeMap<(i64, Harm), i64>,
        portion: Option<u64>,
    ) -> Budget {
        Budget {
            inner: Mutex::new(Inner {
                rules,
                grants,
                portion,
                ..Inner::default()
            }),
        }
    }

    /// Nothing is held: for what does nothing.
    pub(super) fn unlimited() -> Budget {
        Budget::new([Rule::OPEN; Harm::ALL.len()], BTreeMap::new(), None)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one change to one person, and takes it when it may be done.
    pub fn ask(&self, supporter_id: i64, guarded_change: GuardedChange) -> Said {
        self.inner().ask(supporter_id, guarded_change)
    }

    /// Asks for all that would be done to a person: what waits, and whether all of it goes later.
    /// Who may not come in is done nothing else.
    pub(super) fn ask_all(
        &self,
        supporter_id: i64,
        guarded_changes: &[GuardedChange],
    ) -> (Vec<GuardedChange>, bool) {
        let mut inner = self.inner();
        let mut waiting = Vec::new();
        for guarded_change in guarded_changes {
            match inner.ask(supporter_id, *guarded_change) {
                Said::Go => {}
                Said::Later => return (Vec::new(), true),
                Said::Hold => {
                    waiting.push(*guarded_change);
                    if guarded_change.kind.is_entry() {
                        break;
                    }
                }
            }
        }
        (waiting, false)
    }

    /// What was taken for these people since the last call, to be written down.
    pub(super) fn settle(&self, people: &BTreeSet<i64>, at: Time) -> Taken {
        let mut inner = self.inner();
        let mut taken = Taken {
            at,
            ..Taken::default()
        };
        for id in people {
            for (entry, kind, contacts) in inner.taken.remove(id).unwrap_or_default() {
                let written = inner.written.entry(*id).or_default();
                written.push((entry, kind, contacts));
                taken.harms.entry(entry).or_default().add(kind, contacts);
                if inner.grants.remove(&(*id, kind)).is_some() {
                    taken.grants.push((*id, kind));
                }
            }
        }
        taken
    }

    /// Nothing was done to these people: it may be done to others. Answers with what of it was
    /// written down.
    pub(super) fn give_back(&self, people: &BTreeSet<i64>) -> BTreeMap<HarmEntry, Harms> {
        let mut inner = self.inner();
        let mut harms: BTreeMap<HarmEntry, Harms> = BTreeMap::new();
        for id in people {
            let written = inner.written.remove(id).unwrap_or_default();
            for (entry, kind, contacts) in &written {
                harms.entry(*entry).or_default().add(*kind, *contacts);
            }
            let taken = inner.taken.remove(id).unwrap_or_default();
            for (entry, kind, contacts) in written.into_iter().chain(taken) {
                let rule = &mut inner.rules[kind as usize];
                if entry == HarmEntry::Done && rule.counts {
                    rule.free = rule.free.saturating_add(contacts);
                }
                inner.entries = inner.entries.saturating_sub(u64::from(kind.is_entry()));
                if kind.is_addition() {
                    inner.portion = inner.portion.map(|left| left + 1);
                }
            }
        }
        harms
    }

    /// How many people came in, or were changed for the first time.
    pub(super) fn entries(&self) -> u64 {
        self.inner().entries
    }
}

impl Inner {
    fn ask(&mut self, supporter_id: i64, guarded_change: GuardedChange) -> Said {
        let GuardedChange {
            kind,
            mark,
            contacts,
        } = guarded_change;
        let is_granted = self.grants.get(&(supporter_id, kind)) == Some(&mark);
        // A person was asked about them, but as somebody or something else: that is asked again,
        // however few they are.
        let is_other = !is_granted
            && kind.is_entry()
            && Harm::ALL
                .iter()
                .any(|kind| kind.is_entry() && self.grants.contains_key(&(supporter_id, *kind)));
        let rule = &mut self.rules[kind as usize];
        if is_other || !is_granted && rule.free < contacts {
            return Said::Hold;
        }
        if kind.is_addition() && self.portion == Some(0) {
            return Said::Later;
        }
        if kind.is_addition() {
            self.portion = self.portion.map(|left| left - 1);
        }
        if !is_granted {
            rule.free -= contacts;
        }
        self.entries += u64::from(kind.is_entry());
        let entry = if is_granted || !rule.counts {
            HarmEntry::Used
        } else {
            HarmEntry::Done
        };
        self.taken
            .entry(supporter_id)
            .or_default()
            .push((entry, kind, contacts));
        Said::Go
    }
}

/// How much of each kind there is in changes.
pub(super) fn count<'a>(guarded_changes: impl IntoIterator<Item = &'a GuardedChange>) -> Harms {
    let mut harms = Harms::default();
    guarded_changes
        .into_iter()
        .for_each(|guarded_change| harms.add(guarded_change.kind, 1));
    harms
}
