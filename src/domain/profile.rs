//! The current truth of one person, as plugins see it.

use super::{Address, Engagement, Frequency, Money, Time, Value, Zone};
use rust_decimal::Decimal;
use std::fmt;

/// Why somebody is skipped who said no at Classy; also in the ledger.
pub const OPTED_OUT: &str = "opted out";

/// Which of the supporters who share an address is mailed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClaim {
    /// This one: the only holder, or the one with the latest gift.
    Owns,
    /// Another one.
    OwnedBy {
        /// Classy's id of that supporter.
        owner: i64,
    },
    /// Nobody: one of the holders refused, and a refusal goes for all.
    Refused {
        /// Classy's id of that supporter.
        by: i64,
    },
}

/// One supporter with giving totals, consent and plans. Amounts are in the organization's currency.
#[derive(Clone, PartialEq)]
pub struct Profile {
    /// Classy's id.
    pub supporter_id: i64,
    /// Place in the change feed.
    pub change_seq: i64,
    /// `None` when there is none, or when it reaches nobody.
    pub address: Option<Address>,
    /// As the source spells it.
    pub first_name: Option<String>,
    /// As the source spells it.
    pub last_name: Option<String>,
    /// What the source says; `None` when it says nothing, which is no consent.
    pub email_opt_in: Option<bool>,
    /// When that was decided.
    pub consent_decided_at: Option<Time>,
    /// Gone at the source.
    pub is_absent: bool,
    /// Whether this one is mailed at the address.
    pub claim: AddressClaim,
    /// Sum of all gifts.
    pub lifetime_amount: Money,
    /// Number of gifts.
    pub lifetime_count: i64,
    /// What active plans are worth a month.
    pub monthly_amount: Money,
    /// The largest gift.
    pub largest_amount: Money,
    /// First gift.
    pub first_gift_at: Option<Time>,
    /// Last gift.
    pub last_gift_at: Option<Time>,
    /// Has an active plan that is not paused.
    pub has_active_plan: bool,
    /// Whose days are counted.
    pub zone: Zone,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("supporter_id", &self.supporter_id)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// The address at which this person may be mailed: consent by word, at the source still, and by
    /// every holder of it.
    pub fn mailable_address(&self) -> Option<&Address> {
        let may =
            self.email_opt_in == Some(true) && !self.is_absent && self.claim == AddressClaim::Owns;
        self.address.as_ref().filter(|_| may)
    }

    /// Why [`Profile::mailable_address`] is `None`.
    pub fn refusal(&self) -> Option<String> {
        if self.is_absent {
            return Some("gone at the source".to_owned());
        }
        if self.address.is_none() {
            return Some("no e-mail address that works".to_owned());
        }
        match (self.email_opt_in, self.claim) {
            (Some(true), AddressClaim::Owns) => None,
            (Some(true), AddressClaim::OwnedBy { owner }) => Some(format!(
                "mail to this address goes to supporter {owner}, who has it too"
            )),
            (Some(true), AddressClaim::Refused { by }) => Some(format!(
                "supporter {by} has this address and did not consent"
            )),
            (Some(false), _) => Some(OPTED_OUT.to_owned()),
            (None, _) => Some("no consent is known".to_owned()),
        }
    }

    /// The tier by lifetime amount; `None` without gifts.
    pub fn value(&self) -> Option<&'static str> {
        let amount = self.lifetime_amount.decimal();
        if amount <= Decimal::ZERO {
            return None;
        }
        Some(
            Value::TIERS
                .iter()
                .find(|tier| amount >= Decimal::from(tier.from))
                .map_or(Value::SMALL, |tier| tier.word),
        )
    }

    /// The tier by number of gifts; `None` without gifts.
    pub fn frequency(&self) -> Option<&'static str> {
        Frequency::TIERS
            .iter()
            .find(|tier| self.lifetime_count >= tier.from)
            .map(|tier| tier.word)
    }

    /// Engagement by the last gift at a moment; `None` for somebody who never gave.
    pub fn engagement(&self, now: Time) -> Option<&'static str> {
        if self.has_active_plan {
            return Some(Engagement::ACTIVE_RECURRING);
        }
        let days = self.zone.days_between(self.last_gift_at?, now);
        Some(
            Engagement::STATES
                .iter()
                .find(|state| days <= state.up_to_days)
                .map_or(Engagement::DORMANT, |state| state.word),
        )
    }

    /// When [`Profile::engagement`] changes though nothing happens.
    pub fn engagement_ends(&self, now: Time) -> Option<Time> {
        if self.has_active_plan {
            return None;
        }
        // One that is dated ahead is as good as one of now.
        let last = self.last_gift_at?.min(now);
        let days = self.zone.days_between(last, now);
        Engagement::STATES
            .iter()
            .find(|state| days <= state.up_to_days)
            .map(|state| self.zone.days_after(last, state.up_to_days + 1))
    }
}
