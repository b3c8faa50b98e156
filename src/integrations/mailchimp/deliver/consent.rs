//! Consent is asked again right before each send, here and nowhere else.
//!
//! A delivery decides about each person once, by what was known when it began; minutes may go by
//! until the call that writes about them. So every send (`push`, `follow`, `change`, `tag_removals`) goes
//! through `confirm`: who is about to be sent is in the ledger before the call, and everybody is
//! read once more. What was decided is sent only to whoever is still as it was decided.

use crate::domain::{Address, Fate, Profile, Time, Verdict};
use crate::integrations::mailchimp::decide::desired::DesiredMember;
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::plugin::{PluginContext, PluginError, Sending};
use std::collections::BTreeMap;

/// Writes down who is about to be sent; answers with everybody as they are at this moment.
pub(super) async fn confirm(
    ctx: &PluginContext,
    sending: &[Sending],
) -> Result<BTreeMap<i64, Profile>, PluginError> {
    let people = ctx.begin_sending(sending).await?;
    Ok(people
        .into_iter()
        .map(|person| (person.supporter_id, person))
        .collect())
}

/// What Mailchimp should have of somebody at this moment, if they may still be mailed at the
/// address for which it was decided.
pub(super) fn still_desired(
    person: Option<&Profile>,
    address: &Address,
    managed: &ManagedTags,
    now: Time,
) -> Option<DesiredMember> {
    DesiredMember::of(person?, managed, now).filter(|desired| desired.address == *address)
}

/// The verdict on whoever is not sent, since they are not any more as it was decided.
pub(super) fn not_sent(supporter_id: i64, person: Option<&Profile>, else_why: &str) -> Verdict {
    let why = person
        .and_then(Profile::refusal)
        .unwrap_or_else(|| else_why.to_owned());
    Verdict::of(supporter_id, Fate::Skipped(why))
}
