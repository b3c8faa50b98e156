//! Which organizations this process serves: a look at the database, as a run. Several processes share the organizations out by
//! rendezvous: each organization prefers the process with which its hash is highest, so that all agree without talking to each other.

use crate::actors::Shared;
use crate::actors::entity_sync::Known;
use crate::domain::{Entity, Time};
use crate::store::{Error, FeedSummary, Fence, Organization};
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
    /// Rows that changed before this are known.
    pub(super) since: Time,
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
    pub(super) known: BTreeMap<i64, BTreeMap<Entity, Known>>,
    /// Served ones that another process should serve.
    pub(super) surplus: BTreeSet<i64>,
    /// Who holds what this process would serve and does not hold.
    pub(super) elsewhere: BTreeMap<i64, String>,
    /// Rows that changed.
    pub(super) changed: Vec<Organization>,
    /// The database's clock at the look.
    pub(super) at: Option<Time>,
}

/// Rows that changed so shortly before the last look may have been committed after it.
const DOUBT: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// Looks.
pub(super) async fn look(shared: Arc<Shared>, question: Question) -> Result<Found, Error> {
    let (store, holder, ttl) = (&shared.store, shared.holder.as_str(), shared.plan().lease);
    let at = store.ping().await?;
    let changed = store.organizations_changed_since(question.since - DOUBT).await?;
    let (there, held) =
        if question.alone { (vec![holder.to_owned()], store.renew_leases(holder, ttl).await?) } else { store.attend(holder, ttl).await? };
    let mut found = Found { changed, at: Some(at), ..Found::default() };
    let held: BTreeMap<i64, Fence> = held.into_iter().collect();
    let is_mine = |classy_id: i64| question.alone || preferred(&there, classy_id) == Some(holder);
    found.surplus = question.served.iter().copied().filter(|id| !is_mine(*id)).collect();
    found.held = held.into_iter().filter(|(id, _)| question.served.contains(id)).collect();
    let wanted: Vec<i64> = question.candidates.iter().copied().filter(|id| !question.served.contains(id) && is_mine(*id)).collect();
    for (id, fence) in store.take_leases(holder, ttl, &wanted).await? {
        found.taken.insert(id);
        found.held.insert(id, fence);
    }
    if !found.taken.is_empty() {
        for FeedSummary { classy_id, entity, times, swept_at, first_pass_at, reconciled_at, passing } in store.feed_summaries().await? {
            if found.taken.contains(&classy_id) {
                let known = Known { times, swept_at, first_pass_at, reconciled_at, passing, failures: 0 };
                found.known.entry(classy_id).or_default().insert(entity, known);
            }
        }
    }
    if wanted.len() > found.taken.len() {
        found.elsewhere =
            store.lease_holders().await?.into_iter().filter(|(id, _)| wanted.contains(id) && !found.taken.contains(id)).collect();
    }
    Ok(found)
}

/// The process that an organization prefers among those that are there.
fn preferred(there: &[String], classy_id: i64) -> Option<&str> {
    let weight = |holder: &String| {
        let mut hasher = DefaultHasher::new();
        (holder, classy_id).hash(&mut hasher);
        hasher.finish()
    };
    there.iter().max_by_key(|holder| weight(holder)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_share_evenly_and_only_what_a_lost_one_had_moves() {
        let three: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let share = |holder: &str| (0..3_000).filter(|id| preferred(&three, *id) == Some(holder)).count();
        for holder in ["a", "b", "c"] {
            assert!((850..1150).contains(&share(holder)), "{holder} has {}", share(holder));
        }
        let two = &three[..2];
        for id in 0..3_000 {
            let before = preferred(&three, id);
            assert!(before == Some("c") || before == preferred(two, id), "{id} moved without need");
        }
    }
}
