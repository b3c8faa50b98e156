//! What the mirror and the ledger know of the people who were handed over, with what a crash left half-done read back first.

use super::client::Failure;
use super::desk::Desk;
use super::member::{hash_of, is_live};
use super::plan::Case;
use crate::domain::{Member, Profile, Step};
use crate::plugin::{DeliveryRow, PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
pub(super) struct Known {
    members: BTreeMap<String, Member>,
    pub(super) rows: BTreeMap<i64, DeliveryRow>,
    /// People who were being added when the last delivery was cut off, and who are there.
    pub(super) recovered: BTreeSet<i64>,
}

impl Known {
    pub(super) async fn load(ctx: &PluginContext, people: &[Profile]) -> Result<Known, PluginError> {
        let supporters: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
        let here: Vec<String> = people.iter().filter_map(|person| person.address.as_ref()).map(hash_of).collect();
        let members = ctx.members(&here).await?.into_iter().chain(ctx.members_of(&supporters).await?);
        let members = members.map(|member| (member.remote_id.clone(), member)).collect();
        let mut known = Known { members, rows: ctx.ledger(&supporters).await?, recovered: BTreeSet::new() };
        known.read_back_adds(people);
        Ok(known)
    }

    /// Whoever was being added and is there now was added by us.
    fn read_back_adds(&mut self, people: &[Profile]) {
        for person in people {
            let Some(id) = person.address.as_ref().map(hash_of) else { continue };
            let was_adding =
                self.rows.get(&person.supporter_id).is_some_and(|row| is_sending(row, Step::Add) && row.address == person.address);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if was_adding && is_live(member) && member.remote_status != "transactional" {
                member.subscribed_by_us = true;
                member.supporter_id = Some(person.supporter_id);
                self.recovered.insert(person.supporter_id);
            }
        }
    }

    /// Whoever was being moved has moved if the old address is gone. Writes down what was read back, before it is sent again.
    pub(super) async fn settle(&mut self, desk: &Desk, ctx: &PluginContext, people: &[Profile]) -> Result<(), PluginError> {
        let mut found: Vec<Member> = people
            .iter()
            .filter(|person| self.recovered.contains(&person.supporter_id))
            .filter_map(|person| self.members.get(&hash_of(person.address.as_ref()?)).cloned())
            .collect();
        for person in people {
            let was_moving =
                self.rows.get(&person.supporter_id).is_some_and(|row| is_sending(row, Step::Move) && row.address == person.address);
            let Some(here) = person.address.as_ref().map(hash_of).filter(|id| was_moving && self.members.contains_key(id)) else {
                continue;
            };
            let theirs = |member: &&Member| member.supporter_id == Some(person.supporter_id) && member.remote_id != here;
            let Some(old) = self.members.values().find(theirs).cloned() else { continue };
            match desk.api.member(&old.remote_id).await {
                Err(Failure::Missing) => {
                    ctx.forget_members(std::slice::from_ref(&old.remote_id)).await?;
                    self.members.remove(&old.remote_id);
                    if let Some(member) = self.members.get_mut(&here) {
                        member.subscribed_by_us |= old.subscribed_by_us && is_live(member);
                        member.supporter_id = Some(person.supporter_id);
                        found.push(member.clone());
                    }
                }
                Ok(_) => {}
                Err(failure) => return Err(failure.into_error("looking for a moved member")),
            }
        }
        ctx.save_members(&found, &[]).await
    }

    /// One case a person, in their order.
    pub(super) fn cases<'a>(&'a self, people: &'a [Profile]) -> Vec<Case<'a>> {
        let mut by_supporter: BTreeMap<i64, Vec<&Member>> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(supporter) = member.supporter_id {
                by_supporter.entry(supporter).or_default().push(member);
            }
        }
        let case = |profile: &'a Profile| {
            let id = profile.address.as_ref().map(hash_of);
            let theirs = by_supporter.get(&profile.supporter_id).map(Vec::as_slice).unwrap_or_default();
            Case {
                profile,
                here: id.as_ref().and_then(|id| self.members.get(id)),
                elsewhere: theirs.iter().copied().filter(|member| Some(&member.remote_id) != id.as_ref()).collect(),
                row: self.rows.get(&profile.supporter_id),
            }
        };
        people.iter().map(case).collect()
    }

    /// A member by its id.
    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }
}

fn is_sending(row: &DeliveryRow, intent: Step) -> bool {
    row.state == "sending" && row.intent.as_deref() == Some(intent.as_str())
}
