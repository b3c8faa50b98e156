//! Tags of ours that people should not have any more are taken off: by tag for many people, or by
//! person for many tags, whichever is fewer calls. No other tag is ever named.

use crate::domain::{Address, Member};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::is_given_up;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Addresses in one call.
const MOST: usize = 500;

/// Somebody who loses tags.
#[derive(Clone)]
pub(crate) struct TagRemoval {
    pub(crate) address: Address,
    pub(crate) member: Member,
    pub(crate) tags: Vec<String>,
}

/// Takes them off; the mirror knows it afterwards.
pub(crate) async fn remove_tags(
    session: &MailchimpSession,
    ctx: &PluginContext,
    removals: Vec<TagRemoval>,
) -> Result<(), PluginError> {
    let removals = still_there(session, ctx, removals).await?;
    if removals.is_empty() {
        return Ok(());
    }
    let schema = session
        .audience
        .schema_with(
            &session.api,
            &removals.iter().flat_map(|removal| &removal.tags).collect(),
        )
        .await?;
    // Of a tag that does not exist nobody has any.
    let there = |tag: &String| schema.segments.get(&tag.to_lowercase()).cloned();
    let (by_tag, mut singly) = route(&removals, |tag| there(tag).is_some());
    for (tag, addresses) in by_tag {
        let Some((_, segment)) = there(&tag) else {
            continue;
        };
        for part in addresses.iter().collect::<Vec<_>>().chunks(MOST) {
            ctx.go_on()?;
            ctx.mark();
            for address in not_removed(session, segment, part).await? {
                singly.entry(address).or_default().insert(tag.clone());
            }
        }
    }
    ctx.go_on()?;
    let ids: BTreeMap<&Address, &str> = removals
        .iter()
        .map(|removal| (&removal.address, removal.member.remote_id.as_str()))
        .collect();
    let calls = singly.iter().filter_map(|(address, tags)| {
        let off = |tag: &String| TagTo {
            name: there(tag).map_or_else(|| tag.clone(), |(name, _)| name),
            status: TagStatus::Inactive,
        };
        let untag = TagChange {
            tags: tags.iter().map(off).collect(),
            is_syncing: false,
        };
        Some(((*ids.get(address)?).to_owned(), untag))
    });
    let calls: Vec<(String, TagChange)> = calls.collect();
    let calls = calls
        .into_iter()
        .map(|(id, untag)| async move { session.api.tag(&id, &untag).await });
    let answers: Vec<Result<(), Failure>> = stream::iter(calls)
        .buffer_unordered(session.api.connections())
        .collect()
        .await;
    for answer in answers {
        match answer {
            // Whoever is not there has no tags.
            Ok(()) | Err(Failure::Missing) => {}
            Err(failure) => return Err(failure.into_error("taking tags off")),
        }
    }
    let members = removals.into_iter().map(|mut removal| {
        removal
            .member
            .managed_tags
            .retain(|tag| !removal.tags.contains(tag));
        removal.member
    });
    ctx.save_members(&members.collect::<Vec<_>>(), &[]).await
}

/// Those who have their address still, as they are known now. Whoever has another one since keeps
/// the tags until the next look.
async fn still_there(
    session: &MailchimpSession,
    ctx: &PluginContext,
    removals: Vec<TagRemoval>,
) -> Result<Vec<TagRemoval>, PluginError> {
    if removals.is_empty() {
        return Ok(removals);
    }
    freshen(session, ctx).await?;
    let ids: Vec<String> = removals
        .iter()
        .map(|removal| removal.member.remote_id.clone())
        .collect();
    let mut members: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let there = removals.into_iter().filter_map(|removal| {
        let member = members
            .remove(&removal.member.remote_id)
            .filter(|member| !is_given_up(member))?;
        Some(TagRemoval { member, ..removal })
    });
    Ok(there.collect())
}

type ByTag = BTreeMap<String, BTreeSet<Address>>;

type ByPerson = BTreeMap<Address, BTreeSet<String>>;

/// Who loses what by which way. Segments are known to hold subscribed members only; everybody else
/// goes singly.
fn route(removals: &[TagRemoval], exists: impl Fn(&String) -> bool) -> (ByTag, ByPerson) {
    let (mut by_tag, mut singly, mut subscribed) = (ByTag::new(), ByPerson::new(), ByPerson::new());
    for removal in removals {
        let tags: BTreeSet<String> = removal
            .tags
            .iter()
            .filter(|tag| exists(tag))
            .cloned()
            .collect();
        if tags.is_empty() {
            continue;
        }
        if removal.member.remote_status == "subscribed" {
            for tag in &tags {
                by_tag
                    .entry(tag.clone())
                    .or_default()
                    .insert(removal.address.clone());
            }
            subscribed.insert(removal.address.clone(), tags);
        } else {
            singly.insert(removal.address.clone(), tags);
        }
    }
    let calls: usize = by_tag
        .values()
        .map(|addresses| addresses.len().div_ceil(MOST))
        .sum();
    if subscribed.len() < calls {
        singly.extend(subscribed);
        by_tag.clear();
    }
    (by_tag, singly)
}

/// Those of whom Mailchimp did not say that they lost the tag or never had it.
async fn not_removed(
    session: &MailchimpSession,
    segment: u64,
    addresses: &[&Address],
) -> Result<BTreeSet<Address>, PluginError> {
    let texts: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
    let mut left: BTreeSet<Address> = addresses.iter().map(|address| (*address).clone()).collect();
    match session.api.remove_tag(segment, &texts).await {
        Ok(answer) => {
            let without = answer
                .errors
                .iter()
                .filter(|error| error.error.to_lowercase().contains("do not exist"));
            let without =
                without.flat_map(|error| error.email_addresses.iter().map(String::as_str));
            let done = answer
                .members_removed
                .iter()
                .map(|member| member.email_address.as_str())
                .chain(without);
            for address in done.filter_map(Address::parse) {
                left.remove(&address);
            }
            Ok(left)
        }
        // The tag was deleted meanwhile: nobody has it.
        Err(Failure::Missing) => Ok(BTreeSet::new()),
        // It knows none of them; each is asked for by themselves.
        Err(Failure::Invalid(_)) => Ok(left),
        Err(failure) => Err(failure.into_error("taking tags off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal(number: usize, status: &str, tags: &[&str]) -> TagRemoval {
        let member = Member {
            remote_id: number.to_string(),
            remote_status: status.to_owned(),
            ..Member::default()
        };
        let address = Address::parse(&format!("p{number}@x.org")).unwrap();
        TagRemoval {
            address,
            member,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    fn calls(removals: &[TagRemoval]) -> (usize, usize) {
        let (by_tag, singly) = route(removals, |tag| tag != "Gone");
        (by_tag.len(), singly.len())
    }

    #[test]
    fn the_way_with_fewer_calls_is_taken() {
        let many: Vec<TagRemoval> = (0..300)
            .map(|number| removal(number, "subscribed", &["A", "B"]))
            .collect();
        assert_eq!(calls(&many), (2, 0));
        assert_eq!(calls(&many[..1]), (0, 1));
        assert_eq!(calls(&many[..2]), (2, 0));
    }

    #[test]
    fn segments_may_not_see_who_is_not_subscribed() {
        let removals: Vec<TagRemoval> = (0..3)
            .map(|number| {
                removal(
                    number,
                    ["subscribed", "transactional", "pending"][number],
                    &["A"],
                )
            })
            .collect();
        assert_eq!(calls(&removals), (1, 2));
    }

    #[test]
    fn a_tag_that_is_not_there_costs_nothing() {
        assert_eq!(calls(&[removal(1, "subscribed", &["Gone"])]), (0, 0));
    }
}
