//! Who loses tags.

use super::consent::{confirm, not_sent};
use super::record::Taken;
use super::untag::Loser;
use super::update::Work;
use crate::domain::{Member, Profile, Verdict};
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeMap;

/// Who loses tags: those who were sent, and those who only lose some. The latter are written down
/// and asked for consent first.
pub(super) async fn losers(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
    taken: &[Taken],
    rest: Vec<Work>,
) -> Result<(Vec<Loser>, Vec<Verdict>), PluginError> {
    let loser = |work: &Work, member: &Member| Loser {
        address: work.picture.address.clone(),
        member: member.clone(),
        tags: work.untags.clone(),
    };
    let mut losers: Vec<Loser> = taken
        .iter()
        .filter(|taken| !taken.work.untags.is_empty())
        .map(|taken| loser(&taken.work, &taken.member))
        .collect();
    let (tags_only, nothing): (Vec<Work>, Vec<Work>) =
        rest.into_iter().partition(|work| !work.untags.is_empty());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    let told = |work: &Work| {
        by_id
            .get(&work.supporter_id)
            .map(|person| work.taken(person, ctx.now()))
    };
    let mut verdicts: Vec<Verdict> = nothing.iter().filter_map(told).collect();
    if tags_only.is_empty() {
        return Ok((losers, verdicts));
    }
    let sending: Vec<_> = tags_only
        .iter()
        .map(|work| work.sending(None, &desk.managed()))
        .collect();
    let fresh = confirm(ctx, &sending).await?;
    for work in &tags_only {
        let person = fresh.get(&work.supporter_id);
        match (person, person.and_then(Profile::consented), &work.before) {
            (Some(person), Some(address), Some(member)) if *address == work.picture.address => {
                losers.push(loser(work, member));
                verdicts.push(work.taken(person, ctx.now()));
            }
            (person, ..) => verdicts.push(not_sent(
                work.supporter_id,
                person,
                "changed meanwhile; looked at again",
            )),
        }
    }
    Ok((losers, verdicts))
}
