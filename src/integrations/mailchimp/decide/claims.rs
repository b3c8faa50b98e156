//! Which members are to be unsubscribed, and for whom: those of somebody who says no, and one at
//! the address of somebody who left.

use super::case::{Case, MemberPlace};
use crate::domain::{Address, AddressClaim, Member, OPTED_OUT, Way, Why};
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{
    is_given_up, is_live, is_mailed, is_out, opted_out_by_another,
};
use crate::integrations::mailchimp::settings::OptOutScope;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses that are somebody's, among people who were handed over together.
pub(crate) struct Claims {
    /// Of those who may be mailed there.
    pub(crate) spoken_for: BTreeSet<String>,
    /// Of those who say yes there, whoever owns it.
    wanted: BTreeSet<String>,
}

impl Claims {
    pub(crate) fn of(cases: &[Case<'_>]) -> Claims {
        let staying = || cases.iter().filter(|case| why_not_theirs(case).is_none());
        let is_served =
            |case: &&Case<'_>| case.suppressed.is_none() || case.here.is_some_and(is_live);
        let says_yes = |case: &&Case<'_>| {
            case.profile.email_opt_in == Some(true)
                && !case.profile.is_absent
                && case.suppressed.is_none()
        };
        Claims {
            spoken_for: staying()
                .filter(is_served)
                .filter_map(|case| case.profile.mailable_address())
                .map(hash_of)
                .collect(),
            wanted: staying()
                .filter(says_yes)
                .filter_map(|case| case.profile.address.as_ref())
                .map(hash_of)
                .collect(),
        }
    }
}

/// Why the member at somebody's address is none for them: they left, and it was another one's until
/// now, or was ours before they said so under another address or in another audience. A member that
/// came by itself is there by its own word.
pub(crate) fn why_not_theirs<'a>(case: &Case<'a>) -> Option<&'a Why> {
    let (member, why) = (
        case.here.filter(|member| is_live(member))?,
        case.suppressed.filter(|why| why.way != Way::Bounced)?,
    );
    let is_anothers = is_of_another(member, case.profile.supporter_id) && !case.profile.is_absent;
    (is_anothers || is_ours_and_in(member) && why.way.is_word_of_no()).then_some(why)
}

/// Whether a member was delivered for somebody else.
pub(crate) fn is_of_another(member: &Member, supporter_id: i64) -> bool {
    member
        .supporter_id
        .is_some_and(|owner| owner != supporter_id)
}

/// Members that are to be unsubscribed, each with the one person for whom it is done. `moving`:
/// those that are about to move away.
pub(crate) fn owners(
    cases: &[Case<'_>],
    claims: &Claims,
    moving: &BTreeSet<String>,
    scope: OptOutScope,
) -> BTreeMap<MemberPlace, i64> {
    // Whoever came back by themselves after a no is there by their own word. Delivered since, they
    // said yes at Classy, too, and a later no counts like the first; and so does one after a yes that
    // was not delivered, and the first one of anybody at an address where another one had said no.
    let is_ours_again = |case: &Case<'_>, member: &Member| {
        // The same contact, though it has another address by now.
        let was_here = |old: &&&Member| is_given_up(old) && is_same_contact(old, member);
        let before = case.here.iter().chain(&case.elsewhere).filter(was_here);
        let ids = before.map(|old| &old.remote_id).chain([&member.remote_id]);
        let ids: Vec<&String> = ids.collect();
        let whys: Vec<&Why> = ids
            .iter()
            .filter_map(|id| case.taken_off?.get(*id))
            .collect();
        let is_delivered = case.row.is_some_and(|row| row.state == "delivered");
        let says_no = case.profile.email_opt_in == Some(false);
        // Whoever said no while it was off has said so before it came back.
        let is_new_word = whys.iter().all(|why| **why == opted_out_by_another());
        let was_taken_off = || ids.iter().any(|id| case.addresses_taken_off.contains(*id));
        is_delivered && !whys.is_empty() || says_no && is_new_word && was_taken_off()
    };
    let is_meant = |case: &Case<'_>, member: &Member| {
        scope == OptOutScope::Everybody
            && !case.addresses_taken_off.contains(&member.remote_id)
            && !was_known_to_refuse(case)
    };
    let is_concerned = |case: &Case<'_>, member: &Member| {
        may_be_mailed(member)
            && (member.subscribed_by_us || is_meant(case, member) || is_ours_again(case, member))
    };
    // The one for whom it was delivered, else whoever says no, else the lowest id.
    let mut ranks: BTreeMap<MemberPlace, (bool, bool, i64)> = BTreeMap::new();
    for case in cases {
        let id = case.profile.supporter_id;
        let here = refused(case).into_iter().filter(|member| {
            is_concerned(case, member) && !claims.spoken_for.contains(&member.remote_id)
        });
        let of_leaver = case.here.filter(|member| {
            why_not_theirs(case).is_some()
                && is_ours_and_in(member)
                && !claims.wanted.contains(&member.remote_id)
        });
        let here = here
            .chain(of_leaver)
            .filter(|member| !moving.contains(&member.remote_id));
        let here = here.map(|member| (MemberPlace::here(&member.remote_id), member));
        let earlier = refused_earlier(case)
            .into_iter()
            .filter(|(_, member)| !claims.spoken_for.contains(&member.remote_id));
        for (place, member) in here.chain(earlier) {
            let rank = (
                member.supporter_id != Some(id),
                case.profile.email_opt_in != Some(false),
                id,
            );
            ranks
                .entry(place)
                .and_modify(|best| *best = rank.min(*best))
                .or_insert(rank);
        }
    }
    ranks
        .into_iter()
        .map(|(place, (_, _, id))| (place, id))
        .collect()
}

/// Whether the no was heard by an earlier delivery, at the same address: where everybody's no is
/// passed on, whoever was there then was taken off, and who is there now came by themselves.
fn was_known_to_refuse(case: &Case<'_>) -> bool {
    let address = case.profile.address.as_ref();
    case.row.is_some_and(|row| {
        row.state == "skipped"
            && row.reason.as_deref() == Some(OPTED_OUT)
            && row.address.as_ref().map(Address::key) == address.map(Address::key)
    })
}

/// Members to which somebody said no: all of a person who did, and the one at an address of which
/// another holder did.
pub(crate) fn refused<'a>(case: &Case<'a>) -> Vec<&'a Member> {
    match (case.profile.email_opt_in, case.profile.claim) {
        (Some(false), _) => case.here.iter().chain(&case.elsewhere).copied().collect(),
        (_, AddressClaim::Refused { .. }) => case.here.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The same in earlier audiences: a word of no goes to every audience into which we ever subscribed
/// the person.
fn refused_earlier<'a>(case: &Case<'a>) -> Vec<(MemberPlace, &'a Member)> {
    let id = case.profile.address.as_ref().map(hash_of);
    let said_no = case.profile.email_opt_in == Some(false);
    let at_a_refused_address =
        said_no || matches!(case.profile.claim, AddressClaim::Refused { .. });
    let is_meant = |member: &Member| {
        is_ours_and_in(member)
            && (said_no && member.supporter_id == Some(case.profile.supporter_id)
                || at_a_refused_address && Some(&member.remote_id) == id.as_ref())
    };
    let meant = case.earlier.iter().filter(|(_, member)| is_meant(member));
    meant
        .map(|(audience, member)| {
            (
                MemberPlace {
                    audience: Some((*audience).to_owned()),
                    member: member.remote_id.clone(),
                },
                *member,
            )
        })
        .collect()
}

/// Whether a member is the contact that had another one's address before.
pub(crate) fn is_same_contact(before: &Member, after: &Member) -> bool {
    is_live(after) && before.contact_id.is_some() && before.contact_id == after.contact_id
}

/// Of a status that is not known here it is assumed: a no counts there, too.
fn may_be_mailed(member: &Member) -> bool {
    !is_out(member) && is_mailed(&member.remote_status)
}

pub(crate) fn is_in(member: &Member) -> bool {
    !is_out(member) && ["subscribed", "pending"].contains(&member.remote_status.as_str())
}

pub(crate) fn is_ours_and_in(member: &Member) -> bool {
    member.subscribed_by_us && is_in(member)
}
