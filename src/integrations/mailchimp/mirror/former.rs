//! Addresses that people had until a while ago: whoever left by one may be somebody who has another
//! one by now, and whom no delivery ever looked at there.

use super::member::hash_of;
use crate::domain::{Profile, Time};
use crate::plugin::{DeliveryRow, PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// So far back it is asked who had an address.
const BACK: TimeDelta = TimeDelta::days(90);

/// Mailchimp tells when a contact changed last, which may be after it left, and its clock is
/// another one.
const SLACK: TimeDelta = TimeDelta::minutes(10);

/// It tells whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// An address that somebody has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormerAddress {
    /// Mailchimp's id of it.
    pub(crate) remote_id: String,
    /// When it was read that they have another one.
    until: Time,
    /// A delivery looked at them since. The audience was read before that, so whoever was in then
    /// left later.
    was_looked_at: bool,
}

impl FormerAddress {
    fn of(until: Time, remote_id: String, looked_at: Option<&Time>) -> FormerAddress {
        FormerAddress {
            remote_id,
            until,
            was_looked_at: looked_at.is_some_and(|at| *at > until),
        }
    }

    /// Whether whoever had it then counts as one of those who left by it. In doubt they do.
    pub(crate) fn counts(&self, left_at: Option<Time>) -> bool {
        match left_at {
            None => !self.was_looked_at,
            Some(at) if self.was_looked_at => at + SECOND < self.until,
            Some(at) => at <= self.until + SLACK,
        }
    }
}

/// The addresses that these people had, of whoever was not looked at since: who left by one before
/// that is known.
pub(crate) async fn find(
    ctx: &PluginContext,
    people: &[Profile],
    rows: &BTreeMap<i64, DeliveryRow>,
) -> Result<BTreeMap<i64, Vec<FormerAddress>>, PluginError> {
    let is_new = |person: &&Profile| {
        rows.get(&person.supporter_id)
            .is_none_or(|row| row.address != person.address)
    };
    let present: BTreeMap<i64, Option<String>> = people
        .iter()
        .filter(is_new)
        .map(|person| (person.supporter_id, person.address.as_ref().map(hash_of)))
        .collect();
    let ids: Vec<i64> = present.keys().copied().collect();
    let mut found = ctx.former_addresses(ctx.now() - BACK, Some(&ids)).await?;
    // Some are only written in another way.
    found.retain(|one| {
        present
            .get(&one.supporter_id)
            .is_some_and(|here| here.as_ref() != Some(&hash_of(&one.address)))
    });
    let looked_at = ctx
        .looked_at(&found.iter().map(|one| one.supporter_id).collect::<Vec<_>>())
        .await?;
    let mut former: BTreeMap<i64, Vec<FormerAddress>> = BTreeMap::new();
    for one in found {
        let had = FormerAddress::of(
            one.until,
            hash_of(&one.address),
            looked_at.get(&one.supporter_id),
        );
        former
            .entry(one.supporter_id)
            .or_default()
            .extend(Some(had).filter(|had| !had.was_looked_at));
    }
    Ok(former)
}

/// Whoever had one of these addresses when somebody left by it, by its id; with each the moment at
/// which the contact changed last.
pub(crate) async fn who_had(
    ctx: &PluginContext,
    left: &BTreeMap<String, Option<Time>>,
) -> Result<BTreeMap<String, BTreeSet<i64>>, PluginError> {
    let mut found: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let earliest = ctx.now() - BACK;
    let Some(since) = left
        .values()
        .map(|at| at.map_or(earliest, |at| at - SLACK))
        .min()
    else {
        return Ok(found);
    };
    let former = ctx.former_addresses(since.max(earliest), None).await?;
    let former: Vec<(i64, Time, String)> = former
        .into_iter()
        .map(|one| (one.supporter_id, one.until, hash_of(&one.address)))
        .filter(|(.., id)| left.contains_key(id))
        .collect();
    if former.is_empty() {
        return Ok(found);
    }
    let looked_at = ctx
        .looked_at(
            &former
                .iter()
                .map(|(supporter_id, ..)| *supporter_id)
                .collect::<Vec<_>>(),
        )
        .await?;
    for (supporter_id, until, remote_id) in former {
        let left_at = left.get(&remote_id).copied().flatten();
        if FormerAddress::of(until, remote_id.clone(), looked_at.get(&supporter_id)).counts(left_at)
        {
            found.entry(remote_id).or_default().insert(supporter_id);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::mailchimp::tests::day;

    #[test]
    fn whoever_had_the_address_when_somebody_left_by_it_counts_and_in_doubt_too() {
        let minutes = |count: i64| day(1) + TimeDelta::minutes(count);
        let former = |was_looked_at: bool| FormerAddress {
            remote_id: String::new(),
            until: day(1),
            was_looked_at,
        };
        // Nobody looked at them since: also somebody of whose leaving the moment is not known, or
        // not exactly.
        let counts = [
            None,
            Some(minutes(-60)),
            Some(minutes(9)),
            Some(minutes(11)),
        ]
        .map(|at| former(false).counts(at));
        assert_eq!(counts, [true, true, true, false]);
        // The address was in when they were looked at: whoever left later is somebody else.
        let counts = [None, Some(minutes(-1)), Some(day(1)), Some(minutes(9))]
            .map(|at| former(true).counts(at));
        assert_eq!(counts, [false, true, false, false]);
    }
}
