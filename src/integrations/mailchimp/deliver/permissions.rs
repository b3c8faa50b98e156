//! The GDPR permissions that are configured are given to people whom we put there.

use super::change::{ChangeRequest, Look, MemberChange, apply_changes};
use super::record::Accepted;
use crate::integrations::mailchimp::api::answers::WirePermission;
use crate::integrations::mailchimp::mirror::permissions::{hold_against, is_named};
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};

/// Gives them: all to whom we added, and those that were configured since to whom we added before.
/// What people withdrew in the meantime is not given again.
pub(crate) async fn permit(
    session: &MailchimpSession,
    ctx: &PluginContext,
    accepted: &[Accepted],
) -> Result<(), PluginError> {
    let wanted = &session.settings.marketing_permissions;
    if wanted.is_empty() || !session.audience.setup().has_permissions {
        return Ok(());
    }
    if let Some(first) = accepted
        .iter()
        .find(|accepted| !accepted.permissions.is_empty())
    {
        hold_against(session, &first.permissions)?;
    }
    let since = session.memory().permissions;
    let is_due = |accepted: &Accepted, name: &String| {
        let is_new = || {
            since.get(name).is_some_and(|at| {
                accepted
                    .update
                    .delivered_at
                    .is_none_or(|delivered| delivered < *at)
            })
        };
        accepted.update.permits || is_new()
    };
    let lacking = |accepted: &Accepted| -> Vec<String> {
        let is_wanted = |permission: &&WirePermission| {
            !permission.enabled
                && wanted
                    .iter()
                    .any(|name| is_named(permission, name) && is_due(accepted, name))
        };
        accepted
            .permissions
            .iter()
            .filter(is_wanted)
            .map(|permission| permission.marketing_permission_id.clone())
            .collect()
    };
    let requests = accepted
        .iter()
        .filter(|accepted| accepted.member.subscribed_by_us)
        .filter_map(|accepted| {
            let ids = Some(lacking(accepted)).filter(|ids| !ids.is_empty())?;
            let (supporter_id, address) = (
                accepted.update.supporter_id,
                Some(accepted.update.desired.address.clone()),
            );
            let (member, contact) = (
                accepted.member.remote_id.clone(),
                accepted.member.contact_id.clone(),
            );
            Some(ChangeRequest {
                supporter_id,
                address,
                audience: None,
                member,
                contact,
                change: MemberChange::Permit(ids),
            })
        });
    let changes = apply_changes(session, ctx, requests.collect(), Look::First).await;
    changes.failure.map_or(Ok(()), Err)
}
