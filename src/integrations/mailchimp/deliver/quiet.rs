//! The quiet first push: tags are left out of the batch and put on by the one call that tells
//! Mailchimp not to set off what waits for a tag. It costs a call for each person.

use super::record::Accepted;
use crate::domain::Member;
use crate::integrations::mailchimp::api::requests::{TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::mirror::audience::AudienceSchema;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// People between two notes of what is done.
const PIECE: usize = 100;

/// Tags everybody who was sent without tags; the mirror knows it afterwards.
pub(crate) async fn tag(
    session: &MailchimpSession,
    ctx: &PluginContext,
    accepted: &mut [Accepted],
) -> Result<(), PluginError> {
    let mut quiet: Vec<&mut Accepted> = accepted
        .iter_mut()
        .filter(|one| one.update.is_quiet && !one.update.desired.tags.is_empty())
        .collect();
    if quiet.is_empty() {
        return Ok(());
    }
    let schema = session.schema(ctx).await?;
    // Whoever brings a tag that does not exist yet goes alone: two at once might make two of one
    // name.
    let mut named: BTreeSet<String> = BTreeSet::new();
    let is_first = |one: &&mut Accepted| {
        let lacks = |tag: &&String| {
            !schema.segments.contains_key(&tag.to_lowercase()) && !session.audience.was_made(tag)
        };
        let before = named.len();
        named.extend(one.update.desired.tags.iter().filter(lacks).cloned());
        named.len() > before
    };
    let (mut first, mut rest): (Vec<&mut Accepted>, Vec<&mut Accepted>) =
        quiet.drain(..).partition(is_first);
    let pieces = first.chunks_mut(1).map(|one| (one, 1)).chain(
        rest.chunks_mut(PIECE)
            .map(|piece| (piece, session.api.connections())),
    );
    for (piece, at_once) in pieces {
        ctx.go_on()?;
        ctx.mark();
        let calls: Vec<(String, TagChange)> = piece
            .iter()
            .map(|one| (one.member.remote_id.clone(), change(one, &schema)))
            .collect();
        let calls = calls
            .into_iter()
            .map(|(id, change)| async move { session.api.tag(&id, &change).await });
        let answers: Vec<_> = stream::iter(calls)
            .buffer_unordered(at_once)
            .collect()
            .await;
        for answer in answers {
            answer.map_err(|failure| failure.into_error("tagging people"))?;
        }
        for one in piece.iter_mut() {
            session.audience.note_made(one.update.desired.tags.iter());
            one.member
                .managed_tags
                .extend(one.update.desired.tags.iter().cloned());
        }
        let members: Vec<Member> = piece.iter().map(|one| one.member.clone()).collect();
        ctx.save_members(&members, &[]).await?;
    }
    Ok(())
}

fn change(one: &Accepted, schema: &AudienceSchema) -> TagChange {
    let spelled = |tag: &String| {
        schema
            .segments
            .get(&tag.to_lowercase())
            .map_or_else(|| tag.clone(), |(name, _)| name.clone())
    };
    let on = |tag: &String| TagTo {
        name: spelled(tag),
        status: TagStatus::Active,
    };
    TagChange {
        tags: one.update.desired.tags.iter().map(on).collect(),
        is_syncing: true,
    }
}
