//! What can go wrong for many people at once: counted, held back as a plan, and allowed for exactly
//! the people of one plan.

use sha2::{Digest, Sha256};
use std::fmt;

/// What can go wrong for many at once, and is therefore counted and held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Harm {
    /// Somebody is taken off.
    Unsubscribe,
    /// A tag is taken away and none of its family takes its place.
    Untag,
    /// A name or an address is replaced by another.
    Rename,
    /// Somebody is put there who was not.
    Add,
    /// Somebody who was not there is asked by mail to confirm.
    Confirm,
    /// A contact who was there before us gets our tags and fields for the first time; held only at
    /// the first push.
    Change,
    /// What a push changed is taken back.
    Undo,
}

impl Harm {
    /// All kinds.
    pub const ALL: [Harm; 7] = [
        Harm::Unsubscribe,
        Harm::Untag,
        Harm::Rename,
        Harm::Add,
        Harm::Confirm,
        Harm::Change,
        Harm::Undo,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Harm::Unsubscribe => "unsubscribe",
            Harm::Untag => "untag",
            Harm::Rename => "rename",
            Harm::Add => "add",
            Harm::Confirm => "confirm",
            Harm::Change => "change",
            Harm::Undo => "undo",
        }
    }

    /// By its word.
    pub fn of(word: &str) -> Option<Harm> {
        Harm::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// For people: what is done to them.
    pub const fn in_words(self) -> &'static str {
        match self {
            Harm::Unsubscribe => "to be unsubscribed, since they opted out",
            Harm::Untag => "to lose tags",
            Harm::Rename => "to get another name or address",
            Harm::Add => "to be added",
            Harm::Confirm => "to be asked by mail to confirm",
            Harm::Change => "there already, to get our tags and fields",
            Harm::Undo => "to have our fields and tags taken back",
        }
    }

    /// Whether somebody new comes in by it.
    pub const fn is_addition(self) -> bool {
        matches!(self, Harm::Add | Harm::Confirm)
    }

    /// Without it nothing else is done to the person either.
    pub const fn is_entry(self) -> bool {
        matches!(self, Harm::Add | Harm::Confirm | Harm::Change)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const KINDS: usize = Harm::ALL.len();

/// How often each kind of harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Harms([u64; KINDS]);

impl Harms {
    /// How often.
    pub const fn of(&self, kind: Harm) -> u64 {
        self.0[kind as usize]
    }

    /// Counts more.
    pub const fn add(&mut self, kind: Harm, count: u64) {
        self.0[kind as usize] += count;
    }

    /// How many come in.
    pub const fn additions(&self) -> u64 {
        self.of(Harm::Add) + self.of(Harm::Confirm)
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.0 == [0; KINDS]
    }

    /// Each kind that there is, with how often.
    pub fn each(&self) -> impl Iterator<Item = (Harm, u64)> + '_ {
        Harm::ALL
            .into_iter()
            .map(|kind| (kind, self.of(kind)))
            .filter(|(_, count)| *count > 0)
    }
}

/// One kind of harm that would be done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuardedChange {
    /// Its kind.
    pub kind: Harm,
    /// A trace of what exactly: an approval holds for that and nothing else.
    pub mark: i64,
    /// How many contacts it touches, each of which counts: somebody may have several.
    pub contacts: u64,
}

/// Something that waits for a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// To whom it would be done.
    pub supporter_id: i64,
    /// What would be done to the person.
    pub guarded_change: GuardedChange,
}

/// The name of a plan: the same people and the same changes at the same place have the same one,
/// whatever their order.
pub fn plan_id(destination: &str, held: &[Held]) -> String {
    let mut sorted: Vec<&Held> = held.iter().collect();
    sorted.sort_unstable();
    let mut digest = Sha256::new();
    digest.update(format!("{destination}\n"));
    for one in sorted {
        digest.update(format!(
            "{} {} {}\n",
            one.supporter_id, one.guarded_change.kind, one.guarded_change.mark
        ));
    }
    digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What a plugin's next delivery does to the other side as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// Contacts who are there now.
    pub contacts: u64,
    /// People who would be added, those who are asked to confirm among them.
    pub additions: u64,
    /// People who would get a mail that asks them to confirm.
    pub confirmations: u64,
    /// People who are there and would gain tags.
    pub gaining: u64,
    /// Tags that those would gain.
    pub tags: u64,
    /// Contacts that would be unsubscribed.
    pub unsubscribes: u64,
}

impl Forecast {
    /// Contacts afterwards, if everybody who is asked confirms.
    pub const fn after(&self) -> u64 {
        (self.contacts + self.additions).saturating_sub(self.unsubscribes)
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Forecast {
            contacts,
            confirmations,
            gaining,
            tags,
            ..
        } = self;
        write!(
            f,
            "{contacts} contacts now, {} after; confirmation mails: {confirmations}; people there who would gain tags: {gaining} ({tags} tags)",
            self.after()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_its_place_its_people_and_deeds() {
        let held = |supporter_id, kind, mark| Held {
            supporter_id,
            guarded_change: GuardedChange {
                kind,
                mark,
                contacts: 1,
            },
        };
        let (one, two) = (held(1, Harm::Add, 7), held(2, Harm::Add, 7));
        let of = |held: &[Held]| plan_id("a1", held);
        assert_eq!(of(&[one, two]), of(&[two, one]));
        for other in [
            vec![one],
            vec![one, held(2, Harm::Add, 8)],
            vec![one, held(2, Harm::Rename, 7)],
            vec![one, held(3, Harm::Add, 7)],
        ] {
            assert_ne!(of(&other), of(&[one, two]), "{other:?}");
        }
        assert_ne!(
            plan_id("a2", &[one, two]),
            of(&[one, two]),
            "the same people elsewhere"
        );
    }

    #[test]
    fn every_kind_has_its_word() {
        assert!(
            Harm::ALL
                .into_iter()
                .all(|kind| Harm::of(kind.as_str()) == Some(kind))
        );
    }
}
