//! Who loses tags.

use super::consent::{confirm, not_sent};
use super::record::Accepted;
use super::untag::TagRemoval;
use super::update::MemberUpdate;
use crate::domain::{Member, Profile, Verdict};
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeMap;

/// Who loses tags: those who were sent, and those who only lose some. The latter are written down
/// and asked for consent first.
pub(super) async fn tag_removals(
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
    accepted: &[Accepted],
    rest: Vec<MemberUpdate>,
) -> Result<(Vec<TagRemoval>, Vec<Verdict>), PluginError> {
    let removal = |update: &MemberUpdate, member: &Member| TagRemoval {
        address: update.desired.address.clone(),
        member: member.clone(),
        tags: update.untags.clone(),
    };
    let mut removals: Vec<TagRemoval> = accepted
        .iter()
        .filter(|accepted| !accepted.update.untags.is_empty())
        .map(|accepted| removal(&accepted.update, &accepted.member))
        .collect();
    let (tags_only, nothing): (Vec<MemberUpdate>, Vec<MemberUpdate>) = rest
        .into_iter()
        .partition(|update| !update.untags.is_empty());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    let accepted_verdict = |update: &MemberUpdate| {
        by_id
            .get(&update.supporter_id)
            .map(|person| update.accepted(person, ctx.now()))
    };
    let mut verdicts: Vec<Verdict> = nothing.iter().filter_map(accepted_verdict).collect();
    if tags_only.is_empty() {
        return Ok((removals, verdicts));
    }
    let sending: Vec<_> = tags_only
        .iter()
        .map(|update| update.sending(None, &session.managed()))
        .collect();
    let fresh = confirm(ctx, &sending).await?;
    for update in &tags_only {
        let person = fresh.get(&update.supporter_id);
        match (
            person,
            person.and_then(Profile::mailable_address),
            &update.before,
        ) {
            (Some(person), Some(address), Some(member)) if *address == update.desired.address => {
                removals.push(removal(update, member));
                verdicts.push(update.accepted(person, ctx.now()));
            }
            (person, ..) => verdicts.push(not_sent(
                update.supporter_id,
                person,
                "changed meanwhile; looked at again",
            )),
        }
    }
    Ok((removals, verdicts))
}
