//! Somebody who had left was brought back by a write: the one thing that must never happen. They
//! are taken off again at once, and nothing more is sent until a person has looked.

use super::change::{ChangeRequest, ChangeResult, Look, apply_changes};
use crate::domain::Member;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeMap;

/// People who were brought back though they had left.
#[derive(Default)]
pub(crate) struct Resubscribed {
    pub(crate) requests: Vec<ChangeRequest>,
    pub(crate) members: Vec<Member>,
}

/// Somebody who had left was brought back. They are taken off again at once, and a person must
/// look.
pub(super) async fn undo_resubscription(
    session: &MailchimpSession,
    ctx: &PluginContext,
    resubscribed: Resubscribed,
) -> PluginError {
    let count = resubscribed.requests.len();
    let happened = format!("Mailchimp subscribed {count} people who had left the audience");
    // Before anything else, since what comes next may be cut off.
    if let Err(error) = ctx.suspend(&happened).await {
        tracing::error!(
            error = error.to_string(),
            "that the plugin is suspended could not be written down"
        );
    }
    let undone = unsubscribe_again(session, ctx, resubscribed).await;
    let what = if undone == count {
        "they were unsubscribed again at once"
    } else {
        "not all of them could be unsubscribed again"
    };
    PluginError::Alarm(format!(
        "{happened}; {what}. Nothing more is sent until a person has looked"
    ))
}

/// Unsubscribes people whom a write brought back though they had left; answers how many of them are
/// off again.
pub(crate) async fn unsubscribe_again(
    session: &MailchimpSession,
    ctx: &PluginContext,
    resubscribed: Resubscribed,
) -> usize {
    let mut members: BTreeMap<String, Member> = resubscribed
        .members
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let answers = apply_changes(session, ctx, resubscribed.requests, Look::First)
        .await
        .done;
    let mut off = Vec::new();
    for (request, result) in answers {
        if let (ChangeResult::Done(_), Some(mut member)) = (result, members.remove(&request.member))
        {
            "unsubscribed".clone_into(&mut member.remote_status);
            member.ever_left_at = Some(ctx.now());
            off.push(member);
        }
    }
    // If it cannot be written down, the next look at Mailchimp shows it.
    if ctx.save_members(&off, &[]).await.is_err() {
        tracing::warn!("what was undone could not be written into the mirror");
    }
    off.len()
}
