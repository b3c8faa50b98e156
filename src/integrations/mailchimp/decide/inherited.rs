//! Contacts that are somebody else's now.

use super::claims::is_of_another;
use super::context::DeliveryContext;
use super::plan::is_unconfirmed;
use crate::domain::{Member, Profile, Time};
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{PENDING, is_live};

/// The contact at the address of somebody who may be mailed there and has not left is theirs from
/// now on, whomever it was delivered for: what the one of before says later is not about it.
pub(crate) fn inherited_contact(
    person: &Profile,
    context: &DeliveryContext,
    now: Time,
) -> Option<Member> {
    let id = person.supporter_id;
    let here = context.member(&hash_of(person.mailable_address()?))?;
    // Whoever did not confirm in time is not there any more.
    let is_there = is_live(here) && !(here.remote_status == PENDING && is_unconfirmed(here, now));
    let is_new = is_there && is_of_another(here, id) && context.suppression(person).is_none();
    is_new.then(|| Member {
        supporter_id: Some(id),
        ..here.clone()
    })
}
