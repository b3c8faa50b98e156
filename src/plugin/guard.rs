//! No large harm in one step: how much may be done before a person is asked.

use super::Budget;
use crate::domain::{Harm, Harms};
use crate::store::HarmTotals;

/// `[guard]`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardSettings {
    /// The share of the audience.
    pub audience_share: f64,
    /// The number of people.
    pub audience_min: u64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        GuardSettings { audience_share: 0.02, audience_min: 50 }
    }
}

impl GuardSettings {
    /// How much of one kind may be done in 24 hours unasked: the share or the number, whichever is more.
    fn limit(&self, audience: u64) -> u64 {
        let share = (audience as f64 * self.audience_share).floor() as u64;
        share.max(self.audience_min)
    }

    /// What may be done of everything that is pending. A kind that would go over its limit is held as a whole, but for what a
    /// person granted.
    pub(super) fn budget(&self, audience: u64, pending: &Harms, lately: &HarmTotals) -> Budget {
        let limit = self.limit(audience);
        let allowance = Harm::ALL.map(|kind| {
            let done = lately.done.of(kind);
            if pending.of(kind) + done <= limit {
                (limit.saturating_sub(done), 0)
            } else {
                (0, lately.granted.of(kind).saturating_sub(lately.used.of(kind)))
            }
        });
        Budget::new(allowance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harms(kind: Harm, count: u64) -> Harms {
        let mut harms = Harms::default();
        harms.add(kind, count);
        harms
    }

    fn allowed(audience: u64, pending: u64, lately: HarmTotals) -> u64 {
        let budget = GuardSettings::default().budget(audience, &harms(Harm::Untag, pending), &lately);
        (0..pending).filter(|_| budget.take(Harm::Untag)).count() as u64
    }

    #[test]
    fn up_to_the_limit_everything_goes_and_beyond_it_nothing() {
        let none = HarmTotals::default();
        assert_eq!(allowed(1_000, 50, none), 50);
        assert_eq!(allowed(1_000, 51, none), 0, "two percent of 1,000 is less than fifty people");
        assert_eq!(allowed(10_000, 200, none), 200);
        assert_eq!(allowed(10_000, 201, none), 0);
    }

    #[test]
    fn what_was_done_in_the_last_day_counts() {
        let lately = HarmTotals { done: harms(Harm::Untag, 40), ..HarmTotals::default() };
        assert_eq!(allowed(1_000, 10, lately), 10);
        assert_eq!(allowed(1_000, 11, lately), 0);
    }

    #[test]
    fn a_grant_allows_what_it_counts_and_only_its_own_kind() {
        let lately = HarmTotals { granted: harms(Harm::Untag, 100), used: harms(Harm::Untag, 30), ..HarmTotals::default() };
        assert_eq!(allowed(1_000, 90, lately), 70);
        let other = HarmTotals { granted: harms(Harm::Unsubscribe, 100), ..HarmTotals::default() };
        assert_eq!(allowed(1_000, 90, other), 0);
    }

    #[test]
    fn more_harm_than_was_planned_is_held_when_it_comes() {
        let budget = GuardSettings::default().budget(1_000, &Harms::default(), &HarmTotals::default());
        assert_eq!((0..80).filter(|_| budget.take(Harm::Rename)).count(), 50);
    }
}
