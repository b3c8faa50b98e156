//! People are sent in chunks, side by side.

use super::push::{push, without_adds_if_full};
use super::record::BatchResult;
use super::update::{MemberUpdate, NO_WORD, silent};
use crate::integrations::mailchimp::api::calls::TRIES;
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// People in one call.
pub(crate) const CHUNK: usize = 500;

/// Sends in chunks, side by side. Whoever Mailchimp was silent on goes alone.
pub(super) async fn push_all(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    context: &DeliveryContext,
) -> Result<BatchResult, PluginError> {
    let was_silent = |update: &MemberUpdate| {
        context
            .rows
            .get(&update.supporter_id)
            .and_then(|row| row.reason.as_deref())
            == Some(NO_WORD)
    };
    let (alone, mut updates): (Vec<MemberUpdate>, Vec<MemberUpdate>) =
        updates.into_iter().partition(was_silent);
    let mut all = BatchResult::default();
    if updates.len() > CHUNK || alone.len() + usize::from(!updates.is_empty()) > 1 {
        updates = introduce(session, ctx, updates, &mut all).await?;
    }
    let mut chunks: Vec<Vec<MemberUpdate>> = alone.into_iter().map(|update| vec![update]).collect();
    let alone = chunks.len();
    while !updates.is_empty() {
        let rest = updates.split_off(updates.len().min(CHUNK));
        chunks.push(std::mem::replace(&mut updates, rest));
    }
    let calls = chunks
        .into_iter()
        .enumerate()
        .map(|(place, chunk)| async move {
            let first = chunk.first().map(|update| update.supporter_id);
            let is_alone = place < alone;
            let tries = if is_alone { 1 } else { TRIES };
            match (push(session, ctx, chunk, tries).await, first) {
                // At whom Mailchimp fails costs nobody else the delivery.
                (Err(PluginError::Unavailable(_)), Some(id)) if is_alone => Ok(BatchResult {
                    verdicts: vec![silent(id)],
                    ..BatchResult::default()
                }),
                (part, _) => part,
            }
        });
    let parts: Vec<Result<BatchResult, PluginError>> = stream::iter(calls)
        .buffer_unordered(session.api.connections())
        .collect()
        .await;
    // All of them are heard before the first trouble is told: what was taken is in the mirror by
    // then.
    for part in parts {
        let part = part?;
        all.accepted.extend(part.accepted);
        all.verdicts.extend(part.verdicts);
    }
    Ok(all)
}

/// Tags that do not exist yet are made by a few people who need them, before the others: two chunks
/// at once might make two of one name. Answers with the others.
async fn introduce(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    all: &mut BatchResult,
) -> Result<Vec<MemberUpdate>, PluginError> {
    let schema = session.schema(ctx).await?;
    let mut rest = updates;
    loop {
        rest = without_adds_if_full(session, ctx, rest, all).await?;
        let mut named: BTreeSet<String> = BTreeSet::new();
        let is_first = |update: &MemberUpdate| {
            let lacks = |tag: &&String| {
                !update.is_quiet
                    && !schema.segments.contains_key(&tag.to_lowercase())
                    && !session.audience.was_made(tag)
            };
            let before = named.len();
            named.extend(update.desired.tags.iter().filter(lacks).cloned());
            named.len() > before
        };
        let (first, others): (Vec<MemberUpdate>, Vec<MemberUpdate>) =
            rest.into_iter().partition(is_first);
        rest = others;
        if first.is_empty() {
            return Ok(rest);
        }
        // Some of them may be refused, and whoever else needs the same tag is asked next.
        let part = push(session, ctx, first, TRIES).await?;
        all.accepted.extend(part.accepted);
        all.verdicts.extend(part.verdicts);
    }
}
