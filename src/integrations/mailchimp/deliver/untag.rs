//! Tags of ours that people should not have any more are taken off: by tag for many people, or by
//! person for many tags, whichever is fewer calls. No other tag is ever named.

use crate::domain::{Address, Member};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::is_given_up;
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Addresses in one call.
const MOST: usize = 500;

/// Somebody who loses tags.
#[derive(Clone)]
pub(crate) struct Loser {
    pub(crate) address: Address,
    pub(crate) member: Member,
    pub(crate) tags: Vec<String>,
}

/// Takes them off; the mirror knows it afterwards.
pub(crate) async fn take_off(
    desk: &Desk,
    ctx: &PluginContext,
    losers: Vec<Loser>,
) -> Result<(), PluginError> {
    let losers = still_there(desk, ctx, losers).await?;
    if losers.is_empty() {
        return Ok(());
    }
    let shelf = desk
        .audience
        .shelf_of(
            &desk.api,
            &losers.iter().flat_map(|loser| &loser.tags).collect(),
        )
        .await?;
    // Of a tag that does not exist nobody has any.
    let there = |tag: &String| shelf.segments.get(&tag.to_lowercase()).cloned();
    let (by_tag, mut singly) = route(&losers, |tag| there(tag).is_some());
    for (tag, addresses) in by_tag {
        let Some((_, segment)) = there(&tag) else {
            continue;
        };
        for part in addresses.iter().collect::<Vec<_>>().chunks(MOST) {
            ctx.go_on()?;
            ctx.mark();
            for address in not_taken_off(desk, segment, part).await? {
                singly.entry(address).or_default().insert(tag.clone());
            }
        }
    }
    ctx.go_on()?;
    let ids: BTreeMap<&Address, &str> = losers
        .iter()
        .map(|loser| (&loser.address, loser.member.remote_id.as_str()))
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
        .map(|(id, untag)| async move { desk.api.tag(&id, &untag).await });
    let answers: Vec<Result<(), Failure>> = stream::iter(calls)
        .buffer_unordered(desk.api.connections())
        .collect()
        .await;
    for answer in answers {
        match answer {
            // Whoever is not there has no tags.
            Ok(()) | Err(Failure::Missing) => {}
            Err(failure) => return Err(failure.into_error("taking tags off")),
        }
    }
    let members = losers.into_iter().map(|mut loser| {
        loser
            .member
            .managed_tags
            .retain(|tag| !loser.tags.contains(tag));
        loser.member
    });
    ctx.save_members(&members.collect::<Vec<_>>(), &[]).await
}

/// Those who have their address still, as they are known now. Whoever has another one since keeps
/// the tags until the next look.
async fn still_there(
    desk: &Desk,
    ctx: &PluginContext,
    losers: Vec<Loser>,
) -> Result<Vec<Loser>, PluginError> {
    if losers.is_empty() {
        return Ok(losers);
    }
    freshen(desk, ctx).await?;
    let ids: Vec<String> = losers
        .iter()
        .map(|loser| loser.member.remote_id.clone())
        .collect();
    let mut members: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let there = losers.into_iter().filter_map(|loser| {
        let member = members
            .remove(&loser.member.remote_id)
            .filter(|member| !is_given_up(member))?;
        Some(Loser { member, ..loser })
    });
    Ok(there.collect())
}

type ByTag = BTreeMap<String, BTreeSet<Address>>;

type ByPerson = BTreeMap<Address, BTreeSet<String>>;

/// Who loses what by which way. Segments are known to hold subscribed members only; everybody else
/// goes singly.
fn route(losers: &[Loser], exists: impl Fn(&String) -> bool) -> (ByTag, ByPerson) {
    let (mut by_tag, mut singly, mut subscribed) = (ByTag::new(), ByPerson::new(), ByPerson::new());
    for loser in losers {
        let tags: BTreeSet<String> = loser
            .tags
            .iter()
            .filter(|tag| exists(tag))
            .cloned()
            .collect();
        if tags.is_empty() {
            continue;
        }
        if loser.member.remote_status == "subscribed" {
            for tag in &tags {
                by_tag
                    .entry(tag.clone())
                    .or_default()
                    .insert(loser.address.clone());
            }
            subscribed.insert(loser.address.clone(), tags);
        } else {
            singly.insert(loser.address.clone(), tags);
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
async fn not_taken_off(
    desk: &Desk,
    segment: u64,
    addresses: &[&Address],
) -> Result<BTreeSet<Address>, PluginError> {
    let texts: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
    let mut left: BTreeSet<Address> = addresses.iter().map(|address| (*address).clone()).collect();
    match desk.api.take_off(segment, &texts).await {
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

    fn loser(number: usize, status: &str, tags: &[&str]) -> Loser {
        let member = Member {
            remote_id: number.to_string(),
            remote_status: status.to_owned(),
            ..Member::default()
        };
        let address = Address::parse(&format!("p{number}@x.org")).unwrap();
        Loser {
            address,
            member,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    fn calls(losers: &[Loser]) -> (usize, usize) {
        let (by_tag, singly) = route(losers, |tag| tag != "Gone");
        (by_tag.len(), singly.len())
    }

    #[test]
    fn the_way_with_fewer_calls_is_taken() {
        let many: Vec<Loser> = (0..300)
            .map(|number| loser(number, "subscribed", &["A", "B"]))
            .collect();
        assert_eq!(calls(&many), (2, 0));
        assert_eq!(calls(&many[..1]), (0, 1));
        assert_eq!(calls(&many[..2]), (2, 0));
    }

    #[test]
    fn segments_may_not_see_who_is_not_subscribed() {
        let losers: Vec<Loser> = (0..3)
            .map(|number| {
                loser(
                    number,
                    ["subscribed", "transactional", "pending"][number],
                    &["A"],
                )
            })
            .collect();
        assert_eq!(calls(&losers), (1, 2));
    }

    #[test]
    fn a_tag_that_is_not_there_costs_nothing() {
        assert_eq!(calls(&[loser(1, "subscribed", &["Gone"])]), (0, 0));
    }
}
