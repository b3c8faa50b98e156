//! Additions of a process that died before it heard of them. Whoever is there is known by the
//! ledger (`known`). Whoever is not, though others of the same call are, has another address in
//! Mailchimp since, or was erased.

use super::member::hash_of;
use super::name::Name;
use super::session::MailchimpSession;
use super::status::{MOVED, erased, is_live};
use crate::domain::{Member, Profile};
use crate::integrations::mailchimp::api::client::Failure;
use crate::plugin::{Leaving, PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Finds out what became of them, and writes it down.
pub(crate) async fn resolve(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<(), PluginError> {
    let sent = ctx.unheard_here().await?;
    let ids: Vec<String> = sent
        .iter()
        .map(|(_, _, address)| hash_of(address))
        .collect();
    let there: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let is_there = |id: &String| there.get(id).is_some_and(is_live);
    let arrived: BTreeSet<_> = sent
        .iter()
        .zip(&ids)
        .filter(|(_, id)| is_there(id))
        .map(|((call, ..), _)| *call)
        .collect();
    // Of a call of which nobody is there it is not known whether it arrived.
    let missing = sent
        .iter()
        .zip(ids)
        .filter(|(_, id)| !there.contains_key(id));
    let missing: BTreeMap<i64, (String, bool)> = missing
        .map(|((call, supporter_id, _), id)| (*supporter_id, (id, arrived.contains(call))))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let people = ctx
        .profiles(&missing.keys().copied().collect::<Vec<_>>())
        .await?;
    let mut renamed = renamed(ctx, &people).await?;
    let (mut members, mut leavings) = (Vec::new(), Vec::new());
    for person in &people {
        let (supporter_id, Some((id, has_arrived))) =
            (person.supporter_id, missing.get(&person.supporter_id))
        else {
            continue;
        };
        if !has_arrived && !renamed.contains_key(&supporter_id) {
            continue;
        }
        ctx.go_on()?;
        match session.api.member(id).await {
            Err(Failure::Missing) => {}
            Ok(_) => continue,
            Err(failure) => {
                return Err(
                    failure.into_error("looking for somebody who was sent without an answer")
                );
            }
        }
        if let Some(member) = renamed.remove(&supporter_id) {
            members.push(Member {
                remote_id: id.clone(),
                ..given_up(&member, supporter_id, ctx)
            });
            members.push(Member {
                supporter_id: Some(supporter_id),
                subscribed_by_us: true,
                ..member
            });
            continue;
        }
        // At the same address Mailchimp itself refuses whoever was erased, and takes whom it did
        // not take then. Whoever was asked to confirm may have been dropped for not answering.
        let has_another = person
            .address
            .as_ref()
            .is_some_and(|address| hash_of(address) != *id);
        if has_another && !session.audience.setup().double_optin {
            leavings.push(Leaving {
                remote_id: id.clone(),
                supporter_id: Some(supporter_id),
                why: erased(),
            });
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &[]).await
}

/// The contacts that these people are by now: the only one of that name that carries tags of ours
/// and is nobody's, of the only one of them who has that name.
async fn renamed(
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<BTreeMap<i64, Member>, PluginError> {
    let mut named: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for person in people {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        if let Some(name) = Name::of(&text(&person.first_name), &text(&person.last_name)).hash() {
            named.entry(name).or_default().push(person.supporter_id);
        }
    }
    let mut found: BTreeMap<i64, Vec<Member>> = BTreeMap::new();
    for member in ctx
        .nobodys_members(&named.keys().copied().collect())
        .await?
        .into_iter()
        .filter(|member| member.contact_id.is_some())
    {
        found
            .entry(member.name_hash.unwrap_or_default())
            .or_default()
            .push(member);
    }
    let only = |(name, mut members): (i64, Vec<Member>)| match (
        named.get(&name).map(Vec::as_slice),
        members.pop(),
        members.is_empty(),
    ) {
        (Some([supporter_id]), Some(member), true) => Some((*supporter_id, member)),
        _ => None,
    };
    Ok(found.into_iter().filter_map(only).collect())
}

/// The address of before of a contact that has another one now.
fn given_up(member: &Member, supporter_id: i64, ctx: &PluginContext) -> Member {
    Member {
        contact_id: member.contact_id.clone(),
        supporter_id: Some(supporter_id),
        remote_status: MOVED.to_owned(),
        ever_left_at: Some(ctx.now()),
        ..Member::default()
    }
}
