//! The GDPR permissions of an audience: those that are configured are given to people whom we put
//! there.

use super::desk::Desk;
use super::memory::Memory;
use super::orders::{Order, What, carry_out};
use super::settle::Taken;
use super::wire::WirePermission;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeSet;

fn is_named(permission: &WirePermission, name: &str) -> bool {
    permission.marketing_permission_id == name || permission.text == name
}

/// The configured names that the audience is known to have. One that it does not know is an error:
/// it would be given to nobody, silently. The audience's list can be read of a member only, and is
/// read once for each name.
pub(super) async fn check(desk: &Desk, memory: &Memory) -> Result<BTreeSet<String>, PluginError> {
    let wanted: BTreeSet<String> = desk
        .settings
        .marketing_permissions
        .iter()
        .cloned()
        .collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    if !desk.audience.setup().has_permissions {
        return Err(unknown(
            "the audience asks for no permissions; turn its GDPR fields on, or leave the key out"
                .to_owned(),
        ));
    }
    if wanted.is_subset(&memory.known_permissions) {
        return Ok(memory.known_permissions.clone());
    }
    let there = desk
        .api
        .permissions()
        .await
        .map_err(|failure| failure.into_error("reading the audience's permissions"))?;
    hold_against(desk, &there)?;
    Ok(if there.is_empty() {
        BTreeSet::new()
    } else {
        wanted
    })
}

fn hold_against(desk: &Desk, there: &[WirePermission]) -> Result<(), PluginError> {
    let is_there = |name: &String| {
        there.is_empty() || there.iter().any(|permission| is_named(permission, name))
    };
    match desk
        .settings
        .marketing_permissions
        .iter()
        .find(|name| !is_there(name))
    {
        None => Ok(()),
        Some(name) => {
            let quoted = |permission: &WirePermission| {
                format!(
                    "\"{}\" ({})",
                    permission.text, permission.marketing_permission_id
                )
            };
            let list: Vec<String> = there.iter().map(quoted).collect();
            Err(unknown(format!(
                "the audience has no permission \"{name}\"; it has {}",
                list.join(", ")
            )))
        }
    }
}

fn unknown(cause: String) -> PluginError {
    PluginError::Configuration {
        key: "plugins.mailchimp.marketing_permissions".to_owned(),
        cause,
    }
}

/// Gives them: all to whom we added, and those that were configured since to whom we added before.
/// What people withdrew in the meantime is not given again.
pub(super) async fn permit(
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
