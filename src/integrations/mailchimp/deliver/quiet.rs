//! The quiet first push: tags are left out of the batch and put on by the one call that tells
//! Mailchimp not to set off what waits for a tag. It costs a call for each person.

use super::record::Taken;
use crate::domain::Member;
use crate::integrations::mailchimp::api::requests::{TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::mirror::audience::Shelf;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// People between two notes of what is done.
const PIECE: usize = 100;

/// Tags everybody who was sent without tags; the mirror knows it afterwards.
pub(crate) async fn tag(
    desk: &Desk,
    ctx: &PluginContext,
    taken: &mut [Taken],
) -> Result<(), PluginError> {
    let mut quiet: Vec<&mut Taken> = taken
        .iter_mut()
        .filter(|one| one.work.is_quiet && !one.work.picture.tags.is_empty())
        .collect();
    if quiet.is_empty() {
        return Ok(());
    }
    let shelf = desk.shelf(ctx).await?;
    // Whoever brings a tag that does not exist yet goes alone: two at once might make two of one
    // name.
    let mut named: BTreeSet<String> = BTreeSet::new();
    let is_first = |one: &&mut Taken| {
        let lacks = |tag: &&String| {
            !shelf.segments.contains_key(&tag.to_lowercase()) && !desk.audience.was_made(tag)
        };
        let before = named.len();
        named.extend(one.work.picture.tags.iter().filter(lacks).cloned());
        named.len() > before
    };
    let (mut first, mut rest): (Vec<&mut Taken>, Vec<&mut Taken>) =
        quiet.drain(..).partition(is_first);
    let pieces = first.chunks_mut(1).map(|one| (one, 1)).chain(
        rest.chunks_mut(PIECE)
            .map(|piece| (piece, desk.api.connections())),
    );
    for (piece, at_once) in pieces {
        ctx.go_on()?;
        ctx.mark();
        let calls: Vec<(String, TagChange)> = piece
            .iter()
            .map(|one| (one.member.remote_id.clone(), change(one, &shelf)))
            .collect();
        let calls = calls
            .into_iter()
            .map(|(id, change)| async move { desk.api.tag(&id, &change).await });
        let answers: Vec<_> = stream::iter(calls)
            .buffer_unordered(at_once)
            .collect()
            .await;
        for answer in answers {
            answer.map_err(|failure| failure.into_error("tagging people"))?;
        }
        for one in piece.iter_mut() {
            desk.audience.note_made(one.work.picture.tags.iter());
            one.member
                .managed_tags
                .extend(one.work.picture.tags.iter().cloned());
        }
        let members: Vec<Member> = piece.iter().map(|one| one.member.clone()).collect();
        ctx.save_members(&members, &[]).await?;
    }
    Ok(())
}

fn change(one: &Taken, shelf: &Shelf) -> TagChange {
    let spelled = |tag: &String| {
        shelf
            .segments
            .get(&tag.to_lowercase())
            .map_or_else(|| tag.clone(), |(name, _)| name.clone())
    };
    let on = |tag: &String| TagTo {
        name: spelled(tag),
        status: TagStatus::Active,
    };
    TagChange {
        tags: one.work.picture.tags.iter().map(on).collect(),
        is_syncing: true,
    }
}
