//! What is known of the people of one batch is read once for all of them.

use crate::domain::{Member, Profile};
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::mirror::former;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::memory::EarlierAudience;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Reads it, from the mirror, the ledger and what is known of who left.
pub(crate) async fn load(
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<DeliveryContext, PluginError> {
    let supporters: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
    let rows = ctx.ledger(&supporters).await?;
    let former = former::find(ctx, people, &rows).await?;
    let here = people.iter().filter_map(|person| person.address.as_ref());
    let before = rows.values().filter_map(|row| row.address.as_ref());
    let had = former.values().flatten().map(|one| one.remote_id.clone());
    let addresses: BTreeSet<String> = here.chain(before).map(hash_of).chain(had).collect();
    let addresses: Vec<String> = addresses.into_iter().collect();
    let members = ctx
        .members(&addresses)
        .await?
        .into_iter()
        .chain(ctx.members_of(&supporters).await?);
    let members = members
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let suppressed = ctx.suppressed(&addresses, &supporters).await?;
    let mut earlier = BTreeMap::new();
    for audience in ctx.earlier_destinations().await? {
        let there = ctx.at(&audience);
        let found = there
            .members(&addresses)
            .await?
            .into_iter()
            .chain(there.members_of(&supporters).await?);
        let found: BTreeMap<String, Member> = found
            .map(|member| (member.remote_id.clone(), member))
            .collect();
        earlier.insert(audience, found.into_values().collect());
    }
    let mut context = DeliveryContext::of(people, rows, members, suppressed, earlier, former);
    let troubled = session.memory().earlier;
    context.leave_out_audiences(|audience| {
        troubled
            .get(audience)
            .is_some_and(EarlierAudience::is_left_out)
    });
    Ok(context)
}
