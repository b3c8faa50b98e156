//! What it means that a contact is shown as it is: who left by it, for what reason, and who came
//! back.

use super::member::{hash, hash_of};
use super::status::{has_left, is_given_up, is_leaving, is_out, is_out_word, why_out};
use crate::domain::{Member, Profile, Why};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::plugin::Leaving;
use chrono::DateTime;
use std::collections::BTreeSet;

/// Out, and in as far as was known; or left, and had bounced as far as was known.
pub(crate) fn went(shown: &WireMember, known: Option<&Member>) -> bool {
    let is_news = |known: &Member| {
        !is_out(known) || is_leaving(shown) && !has_left(known) && !is_given_up(known)
    };
    is_out_word(&shown.status) && known.is_some_and(is_news)
}

/// The leaving of a contact: of the one for whom it was delivered, and of whoever has the address
/// now, or the one under which it was known; a bounce is the address's alone.
pub(crate) fn leavings(
    shown: &WireMember,
    known: Option<&Member>,
    people: &[Profile],
) -> Vec<Leaving> {
    let why = why_left(shown, known);
    if !is_persons(shown, known) {
        return vec![Leaving {
            remote_id: hash(&shown.email_address),
            supporter_id: None,
            why,
        }];
    }
    let ids = ids_of(shown, known);
    let is_holder = |person: &&Profile| {
        person
            .address
            .as_ref()
            .is_some_and(|address| ids.contains(&hash_of(address)))
    };
    let mut supporters: BTreeSet<i64> = people
        .iter()
        .filter(is_holder)
        .map(|person| person.supporter_id)
        .collect();
    supporters.extend(known.and_then(|known| known.supporter_id));
    let pairs = ids
        .iter()
        .flat_map(|id| supporters.iter().map(move |supporter| (id, *supporter)));
    pairs
        .map(|(id, supporter)| Leaving {
            remote_id: id.clone(),
            supporter_id: Some(supporter),
            why: why.clone(),
        })
        .collect()
}

/// The address at which a contact is shown, and the one at which it was known: it may have left
/// before it got the other one.
pub(super) fn ids_of(shown: &WireMember, known: Option<&Member>) -> BTreeSet<String> {
    known
        .map(|known| known.remote_id.clone())
        .into_iter()
        .chain([hash(&shown.email_address)])
        .collect()
}

/// Whether it is the leaving of a person, and not only of an address.
pub(super) fn is_persons(shown: &WireMember, known: Option<&Member>) -> bool {
    is_leaving(shown) || known.is_some_and(|known| known.ever_left_at.is_some())
}

pub(super) fn why_left(shown: &WireMember, known: Option<&Member>) -> Why {
    let out = Member {
        remote_status: shown.status.clone(),
        ..Member::default()
    };
    why_out(&Member {
        ever_left_at: is_persons(shown, known).then_some(DateTime::UNIX_EPOCH),
        ..out
    })
}

/// Shown subscribed, and out or nobody as far as was known.
pub(crate) fn came_back(shown: &WireMember, known: Option<&Member>) -> bool {
    shown.status == "subscribed" && known.is_none_or(is_out)
}
