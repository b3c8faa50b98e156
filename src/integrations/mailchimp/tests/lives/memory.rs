//! What the program of a life remembers, and what it makes of it: people, the mirror, who left.

use super::super::person;
use super::program::Program;
use super::world::{Soul, World};
use super::wrong::Wrong;
use crate::domain::{Address, AddressClaim, Member, Profile};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::mirror::member::{hash, hash_of};
use crate::integrations::mailchimp::mirror::status::{is_given_up, is_live, is_out};
use crate::plugin::{DeliveryRow, Leaving, Suppressed};
use std::collections::{BTreeMap, BTreeSet};

/// What is remembered of one audience.
#[derive(Default)]
pub(super) struct Mirror {
    pub(super) members: BTreeMap<String, Member>,
    pub(super) rows: BTreeMap<i64, DeliveryRow>,
    /// It was looked at once.
    pub(super) is_known: bool,
    /// While it is configured: the other one was looked at once.
    pub(super) is_other_known: bool,
    /// For a wrong version.
    pub(super) own: Suppressed,
}

impl Program {
    /// People as the database shows them.
    pub(super) fn profiles(&self, world: &World) -> Vec<Profile> {
        let souls = world.truth.served();
        let key = |soul: &Soul| match self.wrong {
            Some(Wrong::RawAddresses) => soul.spelled.to_lowercase(),
            _ => Address::parse(&soul.spelled)
                .map(|address| address.as_str().to_owned())
                .unwrap_or_default(),
        };
        let claim = |id: i64, soul: &Soul| {
            let present = || {
                souls
                    .iter()
                    .filter(|(_, other)| !other.is_gone && key(other) == key(soul))
            };
            match present().find(|(other, soul)| soul.opt_in == Some(false) && **other != id) {
                Some((by, _)) => AddressClaim::Refused { by: *by },
                None => match present().find(|(_, soul)| soul.opt_in == Some(true)) {
                    Some((speaker, _)) if *speaker != id => {
                        AddressClaim::OwnedBy { owner: *speaker }
                    }
                    _ => AddressClaim::Owns,
                },
            }
        };
        let profile = |(id, soul): (&i64, &Soul)| Profile {
            address: Address::parse(&soul.spelled),
            email_opt_in: match soul.opt_in {
                Some(false) if self.is(Wrong::GoneForgives) && soul.is_gone => None,
                None if self.is(Wrong::SilenceIsNo) => Some(false),
                opt_in => opt_in,
            },
            consent_decided_at: Some(soul.decided_at),
            is_absent: soul.is_gone,
            claim: claim(*id, soul),
            ..person(*id)
        };
        souls.iter().map(profile).collect()
    }

    pub(super) fn suppress(&mut self, which: usize, leavings: Vec<Leaving>) {
        for Leaving {
            remote_id,
            supporter_id,
            why,
        } in leavings
        {
            for all in [&mut self.suppressed, &mut self.mirrors[which].own] {
                let of_address = why.clone().beside(all.addresses.get(&remote_id), true);
                all.addresses.insert(remote_id.clone(), of_address);
                if let Some(id) = supporter_id {
                    let by = all.supporters.entry(id).or_default();
                    by.insert(
                        remote_id.clone(),
                        why.clone().beside(by.get(&remote_id), false),
                    );
                }
            }
        }
    }

    pub(super) fn suppressed(&self, world: &World, people: &[Profile]) -> Suppressed {
        let mut suppressed = match self.wrong {
            Some(Wrong::EachAudienceAlone) => self.mirrors[world.current].own.clone(),
            _ => self.suppressed.clone(),
        };
        suppressed
            .supporters
            .retain(|id, _| !self.forgets(world, *id, people));
        if self.is(Wrong::ByPersonOnly) {
            suppressed.addresses.clear();
        }
        suppressed
    }

    /// A wrong version does not know that a person left.
    pub(super) fn forgets(&self, world: &World, id: i64, people: &[Profile]) -> bool {
        let person = || people.iter().find(|person| person.supporter_id == id);
        let said_yes = || person().is_some_and(|person| person.email_opt_in == Some(true));
        let is_there = |address: &Address| {
            self.mirrors[world.current]
                .members
                .get(&hash_of(address))
                .is_some_and(is_live)
        };
        let inherits =
            || person().is_some_and(|person| person.address.as_ref().is_some_and(is_there));
        self.is(Wrong::ByAddressOnly)
            || self.is(Wrong::YesLifts) && said_yes()
            || self.is(Wrong::LeaverInherits) && inherits()
    }

    pub(super) fn known(&self, world: &World, people: &[Profile]) -> DeliveryContext {
        let (mirror, other) = (&self.mirrors[world.current], 1 - world.current);
        let (mut members, mut rows) = (mirror.members.clone(), mirror.rows.clone());
        let out: BTreeSet<String> = members
            .values()
            .filter(|member| is_out(member))
            .map(|member| member.remote_id.clone())
            .collect();
        for member in members
            .values_mut()
            .filter(|member| out.contains(&member.remote_id))
        {
            member.supporter_id = member
                .supporter_id
                .filter(|id| !self.forgets(world, *id, people));
        }
        for row in rows.values_mut() {
            let is_out = |address: &Address| {
                out.contains(&hash_of(address)) || !mirror.members.contains_key(&hash_of(address))
            };
            let is_dropped = self.forgets(world, row.supporter_id, people)
                && row.address.as_ref().is_some_and(is_out);
            row.address = row.address.take().filter(|_| !is_dropped);
            if self.is(Wrong::NoReadBack) {
                "skipped".clone_into(&mut row.state);
            }
        }
        let mut earlier = BTreeMap::new();
        if !self.mirrors[other].ours().is_empty() {
            let is_known = |member: &&Member| match self.wrong {
                Some(Wrong::EachAudienceAlone | Wrong::ByPersonOnly | Wrong::NeverLooksBack) => {
                    member.subscribed_by_us
                }
                _ => true,
            };
            earlier.insert(
                other.to_string(),
                self.mirrors[other]
                    .members
                    .values()
                    .filter(is_known)
                    .cloned()
                    .collect(),
            );
        }
        DeliveryContext::of(
            people,
            rows,
            members,
            self.suppressed(world, people),
            earlier,
            BTreeMap::new(),
        )
    }
}

impl Mirror {
    /// The member that a contact was under another address, where nobody is any more.
    pub(super) fn before(&self, shown: &WireMember, there: &BTreeSet<String>) -> Option<&Member> {
        let id = hash(&shown.email_address);
        let is_before = |member: &&Member| {
            let is_same = member.contact_id.as_deref() == Some(&shown.contact_id);
            is_same
                && member.remote_id != id
                && !is_given_up(member)
                && !there.contains(&member.remote_id)
        };
        self.members.values().find(is_before)
    }

    /// Members whom the program subscribed.
    pub(super) fn ours(&self) -> Vec<Member> {
        self.members
            .values()
            .filter(|member| member.subscribed_by_us)
            .cloned()
            .collect()
    }

    pub(super) fn save(&mut self, members: Vec<Member>, gone: &[String]) {
        self.members.extend(
            members
                .into_iter()
                .map(|member| (member.remote_id.clone(), member)),
        );
        self.members.retain(|id, _| !gone.contains(id));
    }
}
