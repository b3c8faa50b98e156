//! People are sent in chunks, side by side.

use super::push::{push, without_adds_if_full};
use super::record::Settled;
use super::update::{NO_WORD, Work};
use crate::integrations::mailchimp::decide::context::Known;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// People in one call.
pub(crate) const CHUNK: usize = 500;

/// Sends in chunks, side by side. Whoever Mailchimp was silent on goes alone.
pub(super) async fn push_all(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    known: &Known,
) -> Result<Settled, PluginError> {
    let was_silent = |work: &Work| {
        known
            .rows
            .get(&work.supporter_id)
            .and_then(|row| row.reason.as_deref())
            == Some(NO_WORD)
    };
    let (alone, mut works): (Vec<Work>, Vec<Work>) = works.into_iter().partition(was_silent);
    let mut all = Settled::default();
    if works.len() > CHUNK || alone.len() + usize::from(!works.is_empty()) > 1 {
        works = introduce(desk, ctx, works, &mut all).await?;
    }
    let mut chunks: Vec<Vec<Work>> = alone.into_iter().map(|work| vec![work]).collect();
    while !works.is_empty() {
        let rest = works.split_off(works.len().min(CHUNK));
        chunks.push(std::mem::replace(&mut works, rest));
    }
    let calls = chunks.into_iter().map(|chunk| push(desk, ctx, chunk));
    let parts: Vec<Result<Settled, PluginError>> = stream::iter(calls)
        .buffer_unordered(desk.api.connections())
        .collect()
        .await;
    // All of them are heard before the first trouble is told: what was taken is in the mirror by
    // then.
    for part in parts {
        let part = part?;
        all.taken.extend(part.taken);
        all.verdicts.extend(part.verdicts);
    }
    Ok(all)
}

/// Tags that do not exist yet are made by a few people who need them, before the others: two chunks
/// at once might make two of one name. Answers with the others.
async fn introduce(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    all: &mut Settled,
) -> Result<Vec<Work>, PluginError> {
    let shelf = desk.shelf(ctx).await?;
    let mut rest = works;
    loop {
        rest = without_adds_if_full(desk, ctx, rest, all).await?;
        let mut named: BTreeSet<String> = BTreeSet::new();
        let is_first = |work: &Work| {
            let lacks = |tag: &&String| {
                !work.is_quiet
                    && !shelf.segments.contains_key(&tag.to_lowercase())
                    && !desk.audience.was_made(tag)
            };
            let before = named.len();
            named.extend(work.picture.tags.iter().filter(lacks).cloned());
            named.len() > before
        };
        let (first, others): (Vec<Work>, Vec<Work>) = rest.into_iter().partition(is_first);
        rest = others;
        if first.is_empty() {
            return Ok(rest);
        }
        // Some of them may be refused, and whoever else needs the same tag is asked next.
        let part = push(desk, ctx, first).await?;
        all.taken.extend(part.taken);
        all.verdicts.extend(part.verdicts);
    }
}
