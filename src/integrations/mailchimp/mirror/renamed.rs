//! Contacts who changed their address in Mailchimp: shown under the new one, and not at all any
//! more under the old one, which the mirror would take for there.
//!
//! The new address is the contact's own word, so the old one is given up like that of somebody who
//! left: putting it there again would mail a person twice, at an address that they do not want.

use super::member::{contact_of, hash};
use super::status::{PENDING, erased, is_given_up, is_live};
use crate::domain::Member;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::api::client::Failure;
use crate::plugin::{Leaving, PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Of these members, those who were known under another address, by their present id.
pub(crate) async fn find(
    api: &Api,
    ctx: &PluginContext,
    shown: &[&WireMember],
) -> Result<BTreeMap<String, Member>, PluginError> {
    let mut here: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for member in shown {
        here.entry(contact_of(member).unwrap_or_default())
            .or_default()
            .push(hash(&member.email_address));
    }
    // A name that several have is no name.
    here.retain(|contact, ids| !contact.is_empty() && ids.len() == 1);
    let contacts: Vec<String> = here.keys().map(|contact| (*contact).to_owned()).collect();
    let mut before: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for member in ctx.members_of_contacts(&contacts).await? {
        let present = member
            .contact_id
            .as_deref()
            .and_then(|contact| here.get(contact))
            .and_then(|ids| ids.first());
        if let Some(present) =
            present.filter(|present| **present != member.remote_id && !is_given_up(&member))
        {
            before.entry(present.clone()).or_default().push(member);
        }
    }
    let mut renamed = BTreeMap::new();
    for (present, mut members) in before {
        let Some(old) = members.pop().filter(|_| members.is_empty()) else {
            continue;
        };
        ctx.go_on()?;
        match api.member(&old.remote_id).await {
            Err(Failure::Missing) => drop(renamed.insert(present, old)),
            Ok(there) if is_another(&there, &old) => drop(renamed.insert(present, old)),
            Ok(_) => {}
            Err(failure) => {
                return Err(failure.into_error("looking for somebody who has another address"));
            }
        }
    }
    Ok(renamed)
}

/// Contacts at whose address somebody else is shown.
#[derive(Default)]
pub(crate) struct Displaced {
    /// They have another address by now.
    pub(crate) elsewhere: Vec<WireMember>,
    /// They are there under none: erased, which is a word of theirs.
    pub(crate) erased: Vec<Leaving>,
}

/// Contacts at whose address somebody else is shown, and that are shown under no other one with
/// these: each is asked for by its own name.
pub(crate) async fn displaced(
    api: &Api,
    ctx: &PluginContext,
    shown: &[&WireMember],
    known: &BTreeMap<String, Member>,
) -> Result<Displaced, PluginError> {
    let here: BTreeSet<&str> = shown.iter().filter_map(|wire| contact_of(wire)).collect();
    let mut found = Displaced::default();
    for wire in shown {
        let Some(old) = known
            .get(&hash(&wire.email_address))
            .filter(|old| is_live(old) && is_another(wire, old))
        else {
            continue;
        };
        let Some(name) = old
            .contact_id
            .as_deref()
            .filter(|name| !here.contains(name))
        else {
            continue;
        };
        ctx.go_on()?;
        match api.member(name).await {
            Ok(there) if contact_of(&there) == Some(name) => found.elsewhere.push(there),
            // Whoever was asked to confirm may have been dropped for not answering.
            Err(Failure::Missing)
                if old.remote_status != PENDING && has_come(ctx, wire, old).await? =>
            {
                found.erased.push(Leaving {
                    remote_id: old.remote_id.clone(),
                    supporter_id: old.supporter_id,
                    why: erased(),
                });
            }
            Ok(_) | Err(Failure::Missing) => {}
            Err(failure) => {
                return Err(
                    failure.into_error("looking for a contact at whose address somebody else is")
                );
            }
        }
    }
    Ok(found)
}

/// Whether a contact had another address before. One that is new here may be the very person who was
/// erased, back by a form.
async fn has_come(
    ctx: &PluginContext,
    wire: &WireMember,
    old: &Member,
) -> Result<bool, PluginError> {
    let Some(name) = contact_of(wire) else {
        return Ok(false);
    };
    let before = ctx.members_of_contacts(&[name.to_owned()]).await?;
    Ok(before.iter().any(|one| one.remote_id != old.remote_id))
}

/// Takes out of what is known by address whoever is shown under another address: at the one of
/// before there is somebody else.
pub(crate) fn set_apart(known: &mut BTreeMap<String, Member>, shown: &[&WireMember]) {
    let mut present: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for wire in shown {
        present
            .entry(contact_of(wire).unwrap_or_default())
            .or_default()
            .insert(hash(&wire.email_address));
    }
    let is_elsewhere = |old: &Member| {
        old.contact_id
            .as_deref()
            .and_then(|name| present.get(name))
            .is_some_and(|ids| !ids.contains(&old.remote_id))
    };
    known.retain(|_, old| !is_elsewhere(old));
}

/// Whether an address is another contact's than the one that is known there.
fn is_another(shown: &WireMember, known: &Member) -> bool {
    contact_of(shown)
        .zip(known.contact_id.as_deref())
        .is_some_and(|(shown, known)| shown != known)
}
