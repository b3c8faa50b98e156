//! No large harm in one step: how much may be done before a person is asked.

use super::budget::{Budget, Rule};
use crate::domain::{Harm, Harms, Time};
use crate::store::{GuardState, HarmTotals};
use std::collections::BTreeMap;

/// Whether the first push of an organization is asked for. One into another place than before
/// always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstPush {
    /// It waits for a person.
    #[default]
    Ask,
    /// It is sent.
    Send,
}

/// `[guard]`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardSettings {
    /// Of a large audience: the share.
    pub audience_share: f64,
    /// Of a large audience: the number of people.
    pub audience_min: u64,
    /// Of a small audience, and of any within 30 days: the share.
    pub small_share: f64,
    /// Of a small audience: the number of people.
    pub small_min: u64,
    /// Whether the first push waits.
    pub first_push: FirstPush,
    /// More new people than this share of the audience are held.
    pub additions_share: f64,
    /// So many new people are never held.
    pub additions_min: u64,
    /// Portions in which new people come in; 0: no limit.
    pub daily_additions: u64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        GuardSettings {
            audience_share: 0.02,
            audience_min: 50,
            small_share: 0.1,
            small_min: 5,
            first_push: FirstPush::Ask,
            additions_share: 0.2,
            additions_min: 100,
            daily_additions: 0,
        }
    }
}

/// Whether a place was pushed into before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push {
    /// Not yet, and only what a person allowed goes. `is_allowed`: that was all that was held, so
    /// it is made with it.
    Asks { is_allowed: bool },
    /// Not yet, and nobody is asked.
    Open,
    /// The first push was made.
    Later,
}

impl Push {
    /// It waits for a person's word.
    pub(super) const fn asks(self) -> bool {
        matches!(self, Push::Asks { .. })
    }
}

/// What a ruling is made of.
pub(super) struct Sight<'a> {
    /// Contacts who are there.
    pub(super) audience: u64,
    /// All that would be done, but for what a person allowed.
    pub(super) pending: &'a Harms,
    pub(super) lately: &'a HarmTotals,
    pub(super) push: Push,
}

impl GuardSettings {
    /// Whether a push into a place waits for a person's word, whoever it is about.
    pub(super) fn asks_first(&self, state: &GuardState) -> bool {
        state.first_push_at.is_none() && (self.first_push == FirstPush::Ask || state.was_elsewhere)
    }

    /// Whether a place was pushed into before.
    pub(super) fn push(&self, state: &GuardState, now: Time) -> Push {
        match state.first_push_at {
            Some(_) => Push::Later,
            None if self.asks_first(state) => Push::Asks {
                is_allowed: state.first_push_until.is_some_and(|until| until > now),
            },
            None => Push::Open,
        }
    }

    /// How much of one kind may be done in 24 hours unasked. In a small audience: the small share
    /// or number, whichever is more; in a large one the others. It is small as long as its own
    /// limit is the lower one.
    fn day(&self, audience: u64) -> u64 {
        let large = share(audience, self.audience_share).max(self.audience_min);
        self.small(audience).min(large)
    }

    /// How much of one kind may be done in 30 days unasked.
    fn small(&self, audience: u64) -> u64 {
        share(audience, self.small_share).max(self.small_min)
    }

    /// What holds for each kind. One that would go over its limit is held as a whole, but for what
    /// a person allowed.
    pub(super) fn rules(&self, sight: &Sight<'_>) -> [Rule; Harm::ALL.len()] {
        Harm::ALL.map(|kind| self.rule(kind, sight))
    }

    fn rule(&self, kind: Harm, sight: &Sight<'_>) -> Rule {
        let Sight {
            audience,
            pending,
            lately,
            push,
        } = *sight;
        match kind {
            Harm::Unsubscribe | Harm::Untag | Harm::Rename | Harm::Undo => {
                let room = |limit: u64, done: &Harms| limit.saturating_sub(done.of(kind));
                let room = room(self.day(audience), &lately.day)
                    .min(room(self.small(audience), &lately.month));
                within(pending.of(kind), room)
            }
            _ if push.asks() => Rule::SHUT,
            Harm::Add | Harm::Confirm if push == Push::Open => Rule::OPEN,
            Harm::Add | Harm::Confirm => {
                let limit = share(audience, self.additions_share).max(self.additions_min);
                within(
                    pending.additions(),
                    limit.saturating_sub(lately.day.additions()),
                )
            }
            Harm::Change => Rule::OPEN,
        }
    }

    /// The allowance of one delivery.
    pub(super) fn budget(&self, sight: &Sight<'_>, grants: BTreeMap<(i64, Harm), i64>) -> Budget {
        let portion = (self.daily_additions > 0)
            .then(|| self.daily_additions.saturating_sub(sight.lately.additions));
        Budget::new(self.rules(sight), grants, portion)
    }
}

const fn within(pending: u64, room: u64) -> Rule {
    if pending <= room {
        Rule {
            free: room,
            counts: true,
        }
    } else {
        Rule::SHUT
    }
}

fn share(audience: u64, share: f64) -> u64 {
    (audience as f64 * share).floor() as u64
}

#[cfg(test)]
mod tests;
