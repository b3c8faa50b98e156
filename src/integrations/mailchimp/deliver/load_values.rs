//! What fields hold is known before they are written: only that can be taken back.

use super::update::MemberUpdate;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::mirror::intake::take_in;
use crate::integrations::mailchimp::mirror::member::values;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::is_out_word;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;

/// Before a send: what fields hold of contacts of whom that is not known yet, such as those who
/// were there before they were supporters. Answers whether one of them turned out to have left,
/// which is known from then on.
pub(crate) async fn load_values(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: &mut [MemberUpdate],
) -> Result<bool, PluginError> {
    let unknown: BTreeSet<String> = updates
        .iter()
        .filter_map(|update| update.before.as_ref())
        .filter(|before| before.values.is_none())
        .map(|before| before.remote_id.clone())
        .collect();
    let calls = unknown
        .into_iter()
        .map(|id| async move { (session.api.member(&id).await, id) });
    let answers: Vec<(Result<WireMember, Failure>, String)> = stream::iter(calls)
        .buffer_unordered(session.api.connections())
        .collect()
        .await;
    let mut out = Vec::new();
    for (answer, id) in answers {
        let found = match answer {
            Ok(wire) => {
                let found = values(&wire).unwrap_or_default();
                out.extend(Some(wire).filter(|wire| is_out_word(&wire.status)));
                found
            }
            Err(Failure::Missing) => continue,
            Err(failure) => {
                return Err(failure.into_error("looking at a contact before it is changed"));
            }
        };
        for before in updates
            .iter_mut()
            .filter_map(|update| update.before.as_mut())
            .filter(|before| before.remote_id == id)
        {
            before.values = Some(found.clone());
        }
    }
    if !out.is_empty() {
        take_in(session, ctx, &out).await?;
    }
    Ok(!out.is_empty())
}
