//! Who left by a member that is unsubscribed at somebody's word.

use super::context::DeliveryContext;
use crate::integrations::mailchimp::mirror::status::{erased, opted_out, opted_out_by_another};
use crate::plugin::Leaving;
use std::collections::BTreeSet;

/// The leavings by a member that is unsubscribed since somebody refuses: of the one for whom it is
/// done, who is the one for whom it was delivered if they have the address still, and of everybody
/// who says no there.
pub(crate) fn withdrawals(
    context: &DeliveryContext,
    supporter_id: i64,
    member: &str,
) -> Vec<Leaving> {
    // Of whoever left by it before, in another audience, it is known how.
    let people: BTreeSet<i64> = context
        .refusers_at(member)
        .chain([supporter_id])
        .filter(|id| !context.has_left(*id, member))
        .collect();
    let leaving = |id| Leaving {
        remote_id: member.to_owned(),
        supporter_id: Some(id),
        why: if context.says_yes(id) {
            opted_out_by_another()
        } else {
            opted_out()
        },
    };
    people.into_iter().map(leaving).collect()
}

/// The leavings by a member that was to be unsubscribed and is nowhere: as if it had been; and it
/// was erased, which is a word of the person for whom it was delivered, unless they were asked to
/// confirm and may not have answered.
pub(crate) fn withdrawals_of_missing(
    context: &DeliveryContext,
    supporter_id: i64,
    member: &str,
) -> Vec<Leaving> {
    let mut leavings = withdrawals(context, supporter_id, member);
    let owner = context
        .member(member)
        .filter(|member| member.remote_status != "pending")
        .and_then(|member| member.supporter_id);
    let other = owner.filter(|owner| leavings.iter().all(|one| one.supporter_id != Some(*owner)));
    leavings.extend(other.map(|id| Leaving {
        remote_id: member.to_owned(),
        supporter_id: Some(id),
        why: erased(),
    }));
    leavings
}
