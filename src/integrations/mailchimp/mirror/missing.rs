//! Contacts of ours that a whole reading does not show. One may have been renamed and erased between
//! two looks, which no list tells: sending there would make a new contact of somebody who had
//! themselves erased.

use super::intake::take_in;
use super::member::is_somebody;
use super::session::MailchimpSession;
use super::status::{PENDING, erased, is_listed};
use crate::domain::Member;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::client::Failure;
use crate::plugin::{Leaving, PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::HashSet;

/// Contacts that are looked through at once.
const PIECE: u64 = 1_000;

/// So many are asked for singly after one reading; the next one goes on.
const MOST: usize = 50;

/// So long Mailchimp may not show what it was told.
pub(crate) const UNSHOWN: TimeDelta = TimeDelta::minutes(10);

/// Asks singly for those who are not among whom it showed; whoever is not there either was erased.
pub(super) async fn find_missing(
    session: &MailchimpSession,
    ctx: &PluginContext,
    shown: &HashSet<String>,
) -> Result<(), PluginError> {
    let is_young = |member: &Member| {
        member
            .last_seen_at
            .is_none_or(|at| (ctx.now() - at).abs() < UNSHOWN)
    };
    let is_missing = |member: &Member| {
        member.subscribed_by_us
            && is_listed(&member.remote_status)
            // Whoever does not confirm is dropped without a word, and without one of theirs.
            && member.remote_status != PENDING
            && !is_young(member)
            && !shown.contains(&member.remote_id)
    };
    let (mut missing, mut after) = (Vec::new(), String::new());
    while missing.len() < MOST {
        let piece = ctx.members_after(&after, PIECE).await?;
        let Some(last) = piece.last() else { break };
        after.clone_from(&last.remote_id);
        missing.extend(piece.into_iter().filter(is_missing));
    }
    missing.truncate(MOST);
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for member in missing {
        ctx.go_on()?;
        match look_for(session, &member).await? {
            Some(found) if is_somebody(&found) => there.push(found),
            _ => gone.push(member),
        }
    }
    take_in(session, ctx, &there).await?;
    let leaving = |member: &Member| Leaving {
        remote_id: member.remote_id.clone(),
        supporter_id: member.supporter_id,
        why: erased(),
    };
    ctx.suppress(&gone.iter().map(leaving).collect::<Vec<_>>())
        .await?;
    let ids: Vec<String> = gone.into_iter().map(|member| member.remote_id).collect();
    ctx.forget_members(&ids).await
}

/// A contact by its address, or whatever its address is by now.
async fn look_for(
    session: &MailchimpSession,
    member: &Member,
) -> Result<Option<WireMember>, PluginError> {
    for name in [Some(&member.remote_id), member.contact_id.as_ref()]
        .into_iter()
        .flatten()
    {
        match session.api.member(name).await {
            Ok(found) => return Ok(Some(found)),
            Err(Failure::Missing) => {}
            Err(failure) => {
                return Err(failure.into_error("looking for somebody whom no list shows"));
            }
        }
    }
    Ok(None)
}
