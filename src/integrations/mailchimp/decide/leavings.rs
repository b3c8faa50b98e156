//! Who of the people who were handed over left, now or before, and is not written down yet.

use crate::domain::{Member, Profile, Way, Why};
use crate::integrations::mailchimp::mirror::former::FormerAddress;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{
    has_left, is_given_up, is_out, opted_out, opted_out_by_another, why_out,
};
use crate::plugin::{DeliveryRow, Leaving, Suppressed};
use std::collections::{BTreeMap, BTreeSet};

/// Who left is known by the address, and as the people who had it, now or until a while ago:
/// they must not be put there again under another one. An address that we took off for
/// somebody's refusal is that person's leaving alone.
pub(super) fn find_leavings(
    people: &[Profile],
    members: &BTreeMap<String, Member>,
    rows: &BTreeMap<i64, DeliveryRow>,
    former: &BTreeMap<i64, Vec<FormerAddress>>,
    suppressed: &mut Suppressed,
) -> Vec<Leaving> {
    let mut leavings = Vec::new();
    for person in people {
        let id = person.supporter_id;
        let here = person.address.as_ref().map(hash_of);
        let before = rows
            .get(&id)
            .and_then(|row| row.address.as_ref())
            .map(hash_of);
        let had = former.get(&id).map(Vec::as_slice).unwrap_or_default();
        let by_address = members.values().filter(|member| {
            let is_here = Some(&member.remote_id) == here.as_ref();
            let was_here = Some(&member.remote_id) == before.as_ref();
            let had_it = had
                .iter()
                .any(|one| one.remote_id == member.remote_id && one.counts(member.last_seen_at));
            is_here || was_here || had_it || member.supporter_id == Some(id)
        });
        let mut found: Vec<Leaving> = Vec::new();
        for member in by_address.filter(|member| is_out(member) && !is_given_up(member)) {
            if !has_left(member) {
                // The address alone is bad, in whatever audience.
                let is_known = suppressed.addresses.contains_key(&member.remote_id);
                let bounced = Leaving {
                    remote_id: member.remote_id.clone(),
                    supporter_id: None,
                    why: why_out(member),
                };
                leavings.extend(Some(bounced).filter(|_| !is_known));
                continue;
            }
            let taken_off = suppressed
                .addresses
                .get(&member.remote_id)
                .is_some_and(|why| why.way == Way::TakenOff);
            // Of another one's no it is known, and now it is theirs, too.
            let is_own =
                |why: &&Why| **why != opted_out_by_another() || person.email_opt_in != Some(false);
            let is_known = suppressed
                .supporters
                .get(&id)
                .and_then(|by| by.get(&member.remote_id))
                .filter(is_own)
                .is_some();
            if !is_known && (!taken_off || person.email_opt_in == Some(false)) {
                let why = if taken_off {
                    opted_out()
                } else {
                    why_out(member)
                };
                found.push(Leaving {
                    remote_id: member.remote_id.clone(),
                    supporter_id: Some(id),
                    why,
                });
            }
        }
        // In another audience, by an erasure, or by a contact that has another address since:
        // who has the address is skipped for it, and is to be under no other one, either.
        let had = had.iter().map(|one| one.remote_id.clone());
        let theirs: BTreeSet<String> = here.into_iter().chain(before).chain(had).collect();
        for remote_id in theirs
            .into_iter()
            .filter(|id| members.get(id).is_none_or(is_given_up))
        {
            let is_theirs = |why: &&Why| !matches!(why.way, Way::TakenOff | Way::Bounced);
            if let Some(why) = suppressed.addresses.get(&remote_id).filter(is_theirs)
                && !suppressed
                    .supporters
                    .get(&id)
                    .is_some_and(|by| by.contains_key(&remote_id))
            {
                found.push(Leaving {
                    why: why.clone(),
                    remote_id,
                    supporter_id: Some(id),
                });
            }
        }
        for one in &found {
            suppressed
                .supporters
                .entry(id)
                .or_default()
                .insert(one.remote_id.clone(), one.why.clone());
        }
        leavings.append(&mut found);
    }
    leavings
}
