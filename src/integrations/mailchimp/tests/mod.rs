//! What unit tests of this plugin share, and the table of decisions.

mod decisions;
mod folders;
mod lives;

use crate::domain::{Address, AddressClaim, Money, Profile, Time, Zone};
use chrono::{TimeDelta, TimeZone, Utc};

/// So many days into 2026.
pub(super) fn day(number: i64) -> Time {
    Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).unwrap() + TimeDelta::days(number)
}

/// A consented supporter without gifts.
pub(super) fn person(id: i64) -> Profile {
    Profile {
        supporter_id: id,
        change_seq: id,
        address: Address::parse(&format!("p{id}@x.org")),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lovelace".to_owned()),
        email_opt_in: Some(true),
        consent_decided_at: None,
        is_absent: false,
        claim: AddressClaim::Owns,
        lifetime_amount: Money::ZERO,
        lifetime_count: 0,
        monthly_amount: Money::ZERO,
        largest_amount: Money::ZERO,
        first_gift_at: None,
        last_gift_at: None,
        has_active_plan: false,
        zone: Zone::default(),
    }
}
