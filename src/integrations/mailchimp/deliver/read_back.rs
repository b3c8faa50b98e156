//! What a crash left half-done, and who was erased in Mailchimp, is read back before anything is
//! sent.

use super::load::load;
use crate::domain::{Member, Profile, Step};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::decide::claims::is_same_contact;
use crate::integrations::mailchimp::decide::context::{DeliveryContext, is_sending};
use crate::integrations::mailchimp::mirror::intake::take_in;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::missing::UNSHOWN;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{
    is_given_up, is_out_word, opted_out, opted_out_by_another,
};
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeSet;

/// Whoever was being moved has moved if the old address is gone. Writes down what was read back
/// and who left, before anything is sent. Answers who is not to be sent now, since Mailchimp
/// does not show yet what was written there.
pub(crate) async fn read_back(
    context: &mut DeliveryContext,
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<BTreeSet<i64>, PluginError> {
    let unshown = find_erased(context, session, ctx, people).await?;
    ctx.suppress(&std::mem::take(&mut context.leavings)).await?;
    ctx.explain_leavings(
        &context.consenting_again,
        &opted_out(),
        &opted_out_by_another(),
    )
    .await?;
    let mut found: Vec<Member> = people
        .iter()
        .filter(|person| context.recovered.contains(&person.supporter_id))
        .filter_map(|person| {
            context
                .member(&context.added(person.supporter_id)?)
                .cloned()
        })
        .collect();
    for person in people {
        let moved = match moved_unheard(context, person) {
            None => moved_away(context, session, person).await?,
            moved => moved,
        };
        if let Some((old, there)) = moved {
            ctx.forget_members(std::slice::from_ref(&old.remote_id))
                .await?;
            let member = context.note_moved(&old, person.supporter_id, &there);
            found.extend(member.cloned());
        }
    }
    ctx.save_members(&found, &[]).await?;
    Ok(unshown)
}

/// The contact of somebody who was being moved and is at the new address, if the old one is gone.
async fn moved_away(
    context: &DeliveryContext,
    session: &MailchimpSession,
    person: &Profile,
) -> Result<Option<(Member, String)>, PluginError> {
    let was_moving = context
        .rows
        .get(&person.supporter_id)
        .is_some_and(|row| is_sending(row, Step::Move) && row.address == person.address);
    let here = person.address.as_ref().map(hash_of);
    let Some(here) = here.filter(|id| was_moving && context.member(id).is_some()) else {
        return Ok(None);
    };
    let Some(old) = context.member_elsewhere(person.supporter_id, &here) else {
        return Ok(None);
    };
    match session.api.member(&old.remote_id).await {
        Err(Failure::Missing) => Ok(Some((old.clone(), here))),
        Ok(_) => Ok(None),
        Err(failure) => Err(failure.into_error("looking for a moved member")),
    }
}

/// The contact of somebody whose address was mended before it was heard that the move to the wrong
/// one was made, and where it is: it did not take that address by itself.
fn moved_unheard(context: &DeliveryContext, person: &Profile) -> Option<(Member, String)> {
    let row = context.rows.get(&person.supporter_id)?;
    let is_unheard = ["sending", "deferred"].contains(&row.state.as_str())
        && row.intent.as_deref() == Some(Step::Move.as_str())
        && row.address != person.address;
    let there = context.member(&hash_of(row.address.as_ref().filter(|_| is_unheard)?))?;
    let old = context.member(&hash_of(person.address.as_ref()?))?;
    (is_given_up(old) && is_same_contact(old, there))
        .then(|| (old.clone(), there.remote_id.clone()))
}

/// A contact of somebody who is about to be added under another address may have been erased
/// there, which no list tells. One that was written a moment ago may merely not be shown yet:
/// then it stays known, and its people wait.
async fn find_erased(
    context: &mut DeliveryContext,
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<BTreeSet<i64>, PluginError> {
    let (mut lost, mut out): (Vec<(i64, String)>, Vec<WireMember>) = Default::default();
    let mut unshown = BTreeSet::new();
    let is_young = |member: &Member| {
        member
            .last_seen_at
            .is_some_and(|at| (ctx.now() - at).abs() < UNSHOWN)
    };
    for (supporter_id, member) in context.perhaps_erased(people) {
        match session.api.member(&member).await {
            Err(Failure::Missing) if context.member(&member).is_some_and(is_young) => {
                unshown.insert(supporter_id);
            }
            Err(Failure::Missing) => lost.push((supporter_id, member)),
            // Left, and no list has shown it yet.
            Ok(there)
                if is_out_word(&there.status)
                    && context
                        .member(&member)
                        .is_none_or(|member| member.remote_status != there.status) =>
            {
                out.push(there);
            }
            Ok(_) => {}
            Err(failure) => {
                return Err(failure.into_error("looking for somebody under an earlier address"));
            }
        }
    }
    if !out.is_empty() {
        take_in(session, ctx, &out).await?;
        *context = load(session, ctx, people).await?;
    }
    let gone: Vec<String> = lost.iter().map(|(_, member)| member.clone()).collect();
    for (supporter_id, remote_id) in lost {
        context.note_erased(supporter_id, remote_id);
    }
    ctx.forget_members(&gone).await?;
    Ok(unshown)
}
