//! Addresses that Mailchimp keeps out: nothing is sent there again, and their people are put
//! nowhere else.

use crate::domain::{Address, Member, Time};
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{FORGOTTEN, KEPT_OUT, why_out};
use crate::plugin::Leaving;

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

/// The leaving of somebody whom Mailchimp keeps out: under another address, and in another
/// audience, they must not be put there, either.
pub(crate) fn suppression_of(member: &Member) -> Option<Leaving> {
    let (remote_id, why) = (member.remote_id.clone(), why_out(member));
    member.supporter_id.map(|id| Leaving {
        remote_id,
        supporter_id: Some(id),
        why,
    })
}
