//! Which organizations this process serves: a look at the database, as a run. Several processes
//! share the organizations out by rendezvous: each organization prefers the process with which its
//! hash is highest, so that all agree without talking to each other.

use crate::actors::Shared;
use crate::actors::entity_sync::FeedSchedule;
use crate::domain::Time;
use crate::entities::Entity;
use crate::store::{Error, FeedSummary, Fence, Organization, Unserved};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What a look needs to know.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Organizations that this process would serve.
    pub(super) candidates: BTreeSet<i64>,
    /// Those that it serves now.
    pub(super) served: BTreeSet<i64>,
    /// Organizations that nobody serves though another process should: this one takes them, and
    /// keeps them.
    pub(super) adopted: BTreeSet<i64>,
    /// Rows that changed before this are known.
    pub(super) since: Time,
    /// Somebody waits for an organization that is not served here.
    pub(super) asked: bool,
    /// One process serves all that it is asked to, without presence and without sharing.
    pub(super) alone: bool,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Leases that this process holds.
    pub(super) held: BTreeMap<i64, Fence>,
    /// Of those, the ones that were just taken.
    pub(super) taken: BTreeSet<i64>,
    /// What is known of the feeds of those.
    pub(super) known: BTreeMap<i64, BTreeMap<Entity, FeedSchedule>>,
    /// Served ones that another process should serve.
    pub(super) surplus: BTreeSet<i64>,
    /// Who holds what this process would serve and does not hold; known when somebody waits for it.
    pub(super) elsewhere: BTreeMap<i64, String>,
    /// What nobody holds, though it should be served.
    pub(super) unserved: Vec<Unserved>,
    /// The processes that are there.
    pub(super) there: Vec<String>,
    /// Rows that changed.
    pub(super) changed: Vec<Organization>,
    /// The database's clock at the look.
    pub(super) at: Option<Time>,
}

/// Rows that changed so shortly before the last look may have been committed after it.
const DOUBT: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// Reads which organizations there are, who is present and who holds which lease, and takes or
/// gives back what this process should.
pub(super) async fn check_leases(shared: Arc<Shared>, question: Question) -> Result<Found, Error> {
    let (store, holder, ttl) = (&shared.store, shared.holder.as_str(), shared.plan().lease);
    let at = store.ping().await?;
    let (there, held) = if question.alone {
        (
            vec![holder.to_owned()],
            store.renew_leases(holder, ttl).await?,
        )
    } else {
        store.attend(holder, ttl).await?
    };
    let mut found = Found {
        at: Some(at),
        ..Found::default()
    };
    let is_mine = |id: i64| {
        question.alone || question.adopted.contains(&id) || preferred(&there, id) == Some(holder)
    };
    found.surplus = question
        .served
        .iter()
        .copied()
        .filter(|id| !is_mine(*id))
        .collect();
    let wanted: Vec<i64> = question
        .candidates
        .iter()
        .copied()
        .filter(|id| !question.served.contains(id) && is_mine(*id))
        .collect();
    // Leases that could not be given back are not kept from others by being renewed.
    let (kept, stray): (Vec<_>, Vec<_>) = held
        .into_iter()
        .partition(|(id, _)| question.served.contains(id));
    found.held = kept.into_iter().collect();
    store
        .release_leases(
            &stray
                .into_iter()
                .filter(|(id, _)| !wanted.contains(id))
                .collect::<Vec<_>>(),
        )
        .await?;
    for (id, fence) in store.take_leases(holder, ttl, &wanted).await? {
        found.taken.insert(id);
        found.held.insert(id, fence);
    }
    if !found.taken.is_empty() {
        for summary in store.feed_summaries().await? {
            if found.taken.contains(&summary.classy_id) {
                let FeedSummary {
                    classy_id,
                    entity,
                    times,
                    swept_at,
                    first_pass_at,
                    reconciled_at,
                    passing,
                    is_outdated,
                    short_passes,
                    lacks,
                } = summary;
                let known = FeedSchedule {
                    rests_until: times.next_run_at,
                    times,
                    swept_at,
                    first_pass_at,
                    reconciled_at,
                    passing,
                    is_outdated,
                    short_passes,
                    lacks,
                    ..FeedSchedule::default()
                };
                found
                    .known
                    .entry(classy_id)
                    .or_default()
                    .insert(entity, known);
            }
        }
    }
    if question.asked || wanted.len() > found.taken.len() {
        let is_elsewhere =
            |id: &i64| question.candidates.contains(id) && !found.held.contains_key(id);
        found.elsewhere = store
            .lease_holders()
            .await?
            .into_iter()
            .filter(|(id, _)| is_elsewhere(id))
            .collect();
    }
    if !question.alone {
        found.unserved = store.unserved().await?;
    }
    // Last, so that whoever took a lease after a change knows of the change. After a clock that was
    // set back everything is read.
    let since = if at < question.since {
        Time::UNIX_EPOCH
    } else {
        question.since - DOUBT
    };
    found.changed = store.organizations_changed_since(since).await?;
    found.there = there;
    Ok(found)
}

/// The process that an organization prefers among those that are there.
fn preferred(there: &[String], classy_id: i64) -> Option<&str> {
    let weight = |holder: &String| {
        let mut hasher = DefaultHasher::new();
        (holder, classy_id).hash(&mut hasher);
        hasher.finish()
    };
    there
        .iter()
        .max_by_key(|holder| weight(holder))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_share_evenly_and_only_what_a_lost_one_had_moves() {
        let three: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let share = |holder: &str| {
            (0..3_000)
                .filter(|id| preferred(&three, *id) == Some(holder))
                .count()
        };
        for holder in ["a", "b", "c"] {
            assert!(
                (850..1150).contains(&share(holder)),
                "{holder} has {}",
                share(holder)
            );
        }
        let two = &three[..2];
        for id in 0..3_000 {
            let before = preferred(&three, id);
            assert!(
                before == Some("c") || before == preferred(two, id),
                "{id} moved without need"
            );
        }
    }
}
