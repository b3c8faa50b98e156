//! Addresses that Mailchimp keeps out: nothing is sent there again, and their people are put
//! nowhere else.

use crate::domain::{Address, Member, Time};
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{FORGOTTEN, KEPT_OUT, is_given_up, why_out};
use crate::plugin::Leaving;
use std::collections::BTreeSet;

/// The mirror's row of an address that Mailchimp keeps out: nothing is sent there again before it
/// is shown subscribed.
pub(crate) fn suppressed_member(
    supporter_id: i64,
    address: &Address,
    class: RefusalClass,
    before: Option<&Member>,
    now: Time,
) -> Member {
    let mut member = before.cloned().unwrap_or_default();
    member.remote_id = hash_of(address);
    member.supporter_id = Some(supporter_id);
    member.remote_status = if class == RefusalClass::Forgotten {
        FORGOTTEN
    } else {
        KEPT_OUT
    }
    .to_owned();
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

/// The leavings of those whom Mailchimp keeps out: under another address, and in another audience,
/// they must not be put there, either. Of the one who has the address now, and of the one for whom
/// the contact was delivered that stood there `before`: it was theirs when it was erased.
pub(crate) fn suppressions_of(member: &Member, before: Option<&Member>) -> Vec<Leaving> {
    let owner = before
        .filter(|before| !is_given_up(before))
        .and_then(|before| before.supporter_id);
    let people: BTreeSet<i64> = member.supporter_id.into_iter().chain(owner).collect();
    let leaving = |id| Leaving {
        remote_id: member.remote_id.clone(),
        supporter_id: Some(id),
        why: why_out(member),
    };
    people.into_iter().map(leaving).collect()
}
