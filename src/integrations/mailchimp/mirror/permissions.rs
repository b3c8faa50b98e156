//! The GDPR permissions of an audience: those that are configured must be there.

use super::memory::Memory;
use super::session::MailchimpSession;
use crate::integrations::mailchimp::api::answers::WirePermission;
use crate::plugin::PluginError;
use std::collections::BTreeSet;

/// Whether a permission is the one that is configured, by its id or its text.
pub(crate) fn is_named(permission: &WirePermission, name: &str) -> bool {
    permission.marketing_permission_id == name || permission.text == name
}

/// The configured names that the audience is known to have. One that it does not know is an error:
/// it would be given to nobody, silently. The audience's list can be read of a member only, and is
/// read once for each name.
pub(crate) async fn check(
    session: &MailchimpSession,
    memory: &Memory,
) -> Result<BTreeSet<String>, PluginError> {
    let wanted: BTreeSet<String> = session
        .settings
        .marketing_permissions
        .iter()
        .cloned()
        .collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    if !session.audience.setup().has_permissions {
        return Err(unknown(
            "the audience asks for no permissions; turn its GDPR fields on, or leave the key out"
                .to_owned(),
        ));
    }
    if wanted.is_subset(&memory.known_permissions) {
        return Ok(memory.known_permissions.clone());
    }
    let there = session
        .api
        .permissions()
        .await
        .map_err(|failure| failure.into_error("reading the audience's permissions"))?;
    hold_against(session, &there)?;
    Ok(if there.is_empty() {
        BTreeSet::new()
    } else {
        wanted
    })
}

/// Whether the audience has all that are configured, as far as it shows any.
pub(crate) fn hold_against(
    session: &MailchimpSession,
    there: &[WirePermission],
) -> Result<(), PluginError> {
    let is_there = |name: &String| {
        there.is_empty() || there.iter().any(|permission| is_named(permission, name))
    };
    match session
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

/// What is wrong with the configured permissions, as an error.
pub(crate) fn unknown(cause: String) -> PluginError {
    PluginError::Configuration {
        key: "plugins.mailchimp.marketing_permissions".to_owned(),
        cause,
    }
}
