//! The mirror: the contacts of a place as they were last seen, and as a preview would have changed
//! them.

use super::PluginContext;
use crate::domain::{Member, Time};
use crate::plugin::PluginError;
use crate::store::Left;
use std::collections::{BTreeMap, BTreeSet};

impl PluginContext {
    /// The contacts that were delivered for these supporters.
    pub async fn members_of(&self, supporters: &[i64]) -> Result<Vec<Member>, PluginError> {
        let stored = self.store.members_of(&self.key, supporters).await?;
        let wanted: BTreeSet<i64> = supporters.iter().copied().collect();
        Ok(self.lay_over(stored, |member| {
            member.supporter_id.is_some_and(|id| wanted.contains(&id))
        }))
    }

    /// The contacts with these ids of the other side.
    pub async fn members(&self, remote_ids: &[String]) -> Result<Vec<Member>, PluginError> {
        let stored = self.store.members(&self.key, remote_ids).await?;
        let wanted: BTreeSet<&String> = remote_ids.iter().collect();
        Ok(self.lay_over(stored, |member| wanted.contains(&member.remote_id)))
    }

    /// The contacts that the other side calls by these names, whatever their addresses.
    pub async fn members_of_contacts(
        &self,
        contact_ids: &[String],
    ) -> Result<Vec<Member>, PluginError> {
        let stored = self
            .store
            .members_of_contacts(&self.key, contact_ids)
            .await?;
        let wanted: BTreeSet<&String> = contact_ids.iter().collect();
        Ok(self.lay_over(stored, |member| {
            member
                .contact_id
                .as_ref()
                .is_some_and(|id| wanted.contains(id))
        }))
    }

    /// The next `limit` contacts after an id of the other side. Does not know what a preview would
    /// have written.
    pub async fn members_after(&self, after: &str, limit: u64) -> Result<Vec<Member>, PluginError> {
        Ok(self.store.members_after(&self.key, after, limit).await?)
    }

    /// The `limit` contacts in one of these statuses that changed last, by the other side's time,
    /// after a moment and up to another.
    pub async fn latest_members(
        &self,
        statuses: &[&str],
        between: (Option<Time>, Option<Time>),
        limit: u64,
    ) -> Result<Vec<Member>, PluginError> {
        let is_meant = |member: &Member| {
            let at = member.last_seen_at;
            statuses.contains(&member.remote_status.as_str())
                && at > between.0
                && between.1.is_none_or(|until| at <= Some(until))
        };
        let stored = self
            .store
            .latest_members(&self.key, statuses, between, limit)
            .await?;
        let mut found = self.lay_over(stored, is_meant);
        found.sort_by_key(|member| std::cmp::Reverse(member.last_seen_at));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// How many contacts the mirror has in each status; `since`: of those that changed since.
    pub async fn member_counts(
        &self,
        since: Option<Time>,
    ) -> Result<BTreeMap<String, u64>, PluginError> {
        let mut counts = self.store.member_counts(&self.key, since).await?;
        let laid: BTreeMap<String, Option<Member>> = self.overlay().members.clone();
        if laid.is_empty() {
            return Ok(counts);
        }
        let changed = |member: &&Member| {
            since.is_none_or(|since| member.last_seen_at.is_some_and(|at| at > since))
        };
        let ids: Vec<String> = laid.keys().cloned().collect();
        for hidden in self
            .store
            .members(&self.key, &ids)
            .await?
            .iter()
            .filter(changed)
        {
            counts
                .entry(hidden.remote_status.clone())
                .and_modify(|count| *count = count.saturating_sub(1));
        }
        for shown in laid.values().flatten().filter(changed) {
            *counts.entry(shown.remote_status.clone()).or_default() += 1;
        }
        Ok(counts)
    }

    pub(super) fn lay_over(
        &self,
        stored: Vec<Member>,
        wanted: impl Fn(&Member) -> bool,
    ) -> Vec<Member> {
        let overlay = self.overlay();
        let untouched = stored
            .into_iter()
            .filter(|member| !overlay.members.contains_key(&member.remote_id));
        untouched
            .chain(
                overlay
                    .members
                    .values()
                    .flatten()
                    .filter(|member| wanted(member))
                    .cloned(),
            )
            .collect()
    }

    /// Writes contacts into the mirror, and into the audit trail who left.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn save_members(&self, members: &[Member], left: &[Left]) -> Result<(), PluginError> {
        self.mark();
        match &self.fence {
            Some(fence) => {
                self.store
                    .save_members(fence, &self.key, members, left)
                    .await?
            }
            None => self.overlay().members.extend(
                members
                    .iter()
                    .map(|member| (member.remote_id.clone(), Some(member.clone()))),
            ),
        }
        Ok(())
    }

    /// Takes contacts out of the mirror.
    ///
    /// # Errors
    /// A lost lease; database errors.
    pub async fn forget_members(&self, remote_ids: &[String]) -> Result<(), PluginError> {
        match &self.fence {
            Some(fence) => {
                self.store
                    .forget_members(fence, &self.key, remote_ids)
                    .await?
            }
            None => self
                .overlay()
                .members
                .extend(remote_ids.iter().map(|id| (id.clone(), None))),
        }
        Ok(())
    }
}
