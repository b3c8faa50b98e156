//! The GDPR permissions that are configured are given to people whom we put there.

use super::change::{Order, What, carry_out};
use super::record::Taken;
use crate::integrations::mailchimp::api::answers::WirePermission;
use crate::integrations::mailchimp::mirror::permissions::{hold_against, is_named};
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};

/// Gives them: all to whom we added, and those that were configured since to whom we added before.
/// What people withdrew in the meantime is not given again.
pub(crate) async fn permit(
    desk: &Desk,
    ctx: &PluginContext,
    taken: &[Taken],
) -> Result<(), PluginError> {
    let wanted = &desk.settings.marketing_permissions;
    if wanted.is_empty() || !desk.audience.setup().has_permissions {
        return Ok(());
    }
    if let Some(first) = taken.iter().find(|taken| !taken.permissions.is_empty()) {
        hold_against(desk, &first.permissions)?;
    }
    let since = desk.memory().permissions;
    let is_due = |taken: &Taken, name: &String| {
        let is_new = || {
            since.get(name).is_some_and(|at| {
                taken
                    .work
                    .delivered_at
                    .is_none_or(|delivered| delivered < *at)
            })
        };
        taken.work.permits || is_new()
    };
    let lacking = |taken: &Taken| -> Vec<String> {
        let is_wanted = |permission: &&WirePermission| {
            !permission.enabled
                && wanted
                    .iter()
                    .any(|name| is_named(permission, name) && is_due(taken, name))
        };
        taken
            .permissions
            .iter()
            .filter(is_wanted)
            .map(|permission| permission.marketing_permission_id.clone())
            .collect()
    };
    let orders = taken
        .iter()
        .filter(|taken| taken.member.subscribed_by_us)
        .filter_map(|taken| {
            let ids = Some(lacking(taken)).filter(|ids| !ids.is_empty())?;
            let (supporter_id, address) = (
                taken.work.supporter_id,
                Some(taken.work.picture.address.clone()),
            );
            let (member, contact) = (
                taken.member.remote_id.clone(),
                taken.member.contact_id.clone(),
            );
            Some(Order {
                supporter_id,
                address,
                audience: None,
                member,
                contact,
                what: What::Permit(ids),
            })
        });
    carry_out(desk, ctx, orders.collect()).await.map(drop)
}
