//! What the program of a life remembers, and how it comes to know the two worlds: people, the
//! mirror, who left, what a cut left.

use super::super::super::changes::Changes;
use super::super::super::known::Known;
use super::super::super::member::{
    erased, has_left, hash, hash_of, is_given_up, is_live, is_out, is_out_word, seen, why_out,
};
use super::super::super::mirror::{came_back, leavings, went};
use super::super::super::wire::{MemberPage, WireMember};
use super::super::person;
use super::program::{Cut, Program};
use super::world::{Audience, Contact, Soul, World};
use super::wrong::Wrong;
use crate::domain::{Address, Member, Profile, Standing, Step, Way};
use crate::plugin::{DeliveryRow, Leaving, Suppressed};
use chrono::SecondsFormat;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What is remembered of one audience.
#[derive(Default)]
pub(super) struct Mirror {
    pub(super) members: BTreeMap<String, Member>,
    pub(super) rows: BTreeMap<i64, DeliveryRow>,
    /// It was looked at once.
    is_known: bool,
    /// While it is configured: the other one was looked at once.
    is_other_known: bool,
    /// For a wrong version.
    own: Suppressed,
}

pub(super) fn wire(email: &str, contact: &Contact) -> WireMember {
    let (email_address, contact_id, status) = (
        email.to_owned(),
        contact.name.clone(),
        contact.status.to_owned(),
    );
    let unsubscribe_reason = contact.reason().to_owned();
    WireMember {
        email_address,
        contact_id,
        status,
        unsubscribe_reason,
        last_changed: Some(contact.changed),
        ..WireMember::default()
    }
}

/// A list of members as it goes over the wire.
fn page(audience: &Audience) -> String {
    let member = |(email, contact): (&String, &Contact)| {
        let changed = contact.changed.to_rfc3339_opts(SecondsFormat::Secs, false);
        json!({
            "email_address": email, "contact_id": contact.name, "status": contact.status, "unsubscribe_reason": contact.reason(),
            "last_changed": changed,
        })
    };
    json!({"members": audience.contacts.iter().map(member).collect::<Vec<_>>(), "total_items": audience.contacts.len()}).to_string()
}

/// The address at Mailchimp of a member, by its id or by the contact's name.
pub(super) fn email_of(audience: &Audience, id: &str, name: Option<&str>) -> Option<String> {
    let by_id = audience.contacts.keys().find(|email| hash(email) == id);
    by_id
        .or_else(|| {
            audience
                .contacts
                .iter()
                .find(|(_, contact)| Some(contact.name.as_str()) == name)
                .map(|(email, _)| email)
        })
        .cloned()
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
        let standing = |id: i64, soul: &Soul| {
            let present = || {
                souls
                    .iter()
                    .filter(|(_, other)| !other.is_gone && key(other) == key(soul))
            };
            match present().find(|(other, soul)| soul.opt_in == Some(false) && **other != id) {
                Some((by, _)) => Standing::Refused { by: *by },
                None => match present().find(|(_, soul)| soul.opt_in == Some(true)) {
                    Some((speaker, _)) if *speaker != id => Standing::Silent { speaker: *speaker },
                    _ => Standing::Speaks,
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
            standing: standing(*id, soul),
            ..person(*id)
        };
        souls.iter().map(profile).collect()
    }

    /// Who left the audience of before is learned.
    pub(super) fn look_back(&mut self, world: &mut World) {
        let (now, current) = (world.now, world.current);
        let other = 1 - current;
        let ours = self.mirrors[other].ours();
        let is_first =
            !std::mem::replace(&mut self.mirrors[current].is_other_known, !ours.is_empty());
        if ours.is_empty() {
            return;
        }
        let World {
            audiences, truth, ..
        } = world;
        truth.looked_back(other, is_first, &audiences[other].contacts);
        if self.is(Wrong::NeverLooksBack) {
            return;
        }
        let contacts = &audiences[other].contacts;
        let (mut leavings, mut members, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let is_shown = |contact: &Contact| {
            is_out_word(contact.status) && (is_first || contact.status != "archived")
        };
        for (email, contact) in contacts.iter().filter(|(_, contact)| is_shown(contact)) {
            let shown = wire(email, contact);
            let Some(old) = self.mirrors[other]
                .members
                .get(&hash(email))
                .filter(|old| went(&shown, Some(old)))
            else {
                continue;
            };
            let member = seen(&shown, Some(old), &self.managed, now);
            let supporter_id = old.supporter_id.filter(|_| has_left(&member));
            let leaving = |_| Leaving {
                remote_id: hash(email),
                supporter_id,
                why: why_out(&member),
            };
            leavings.extend(old.supporter_id.map(leaving));
            members.push(member);
        }
        let there: BTreeSet<String> = contacts.keys().map(|email| hash(email)).collect();
        let mut changes = Changes::default();
        for (email, contact) in contacts {
            let (shown, mirror) = (wire(email, contact), &self.mirrors[other]);
            if let Some(before) = mirror.before(&shown, &there) {
                changes.note(
                    &shown,
                    mirror.members.get(&hash(email)),
                    Some(before),
                    &self.managed,
                    now,
                );
            }
        }
        members.extend(changes.members.into_values());
        let is_lost = |member: &&Member| {
            is_first
                && is_live(member)
                && member.remote_status != "pending"
                && email_of(
                    &audiences[other],
                    &member.remote_id,
                    member.contact_id.as_deref(),
                )
                .is_none()
        };
        for member in ours.iter().filter(is_lost) {
            let leaving = |id| Leaving {
                remote_id: member.remote_id.clone(),
                supporter_id: Some(id),
                why: erased(),
            };
            leavings.extend(member.supporter_id.map(leaving));
            gone.push(member.remote_id.clone());
        }
        self.suppress(other, leavings);
        self.mirrors[other].save(members, &gone);
    }

    /// The mirror is brought up to date.
    pub(super) fn look(&mut self, world: &mut World, people: &[Profile]) -> Result<(), Cut> {
        let now = world.now;
        let place = &mut self.mirrors[world.current];
        let is_mute = !place.is_known && world.dice.roll(5) == 0;
        let text = if is_mute {
            "{}".to_owned()
        } else {
            page(&world.audiences[world.current])
        };
        let page = match (serde_json::from_str::<MemberPage>(&text), self.wrong) {
            (Ok(page), _) => page,
            (Err(_), Some(Wrong::EmptyIsBelieved)) => MemberPage {
                members: Vec::new(),
                total_items: 0,
            },
            (Err(_), _) => return Err(Cut),
        };
        let there: BTreeSet<String> = page
            .members
            .iter()
            .map(|member| hash(&member.email_address))
            .collect();
        let (mut changes, mut left) = (Changes::default(), Vec::new());
        for shown in &page.members {
            let id = hash(&shown.email_address);
            let earlier = place
                .before(shown, &there)
                .filter(|_| self.wrong != Some(Wrong::RenamedIsNew))
                .cloned();
            let old = place.members.get(&id);
            let was_sent = place.rows.values().any(|row| {
                let is_add =
                    row.state == "sending" && row.intent.as_deref() == Some(Step::Add.as_str());
                is_add && row.address.as_ref().map(hash_of).as_ref() == Some(&id)
            });
            if place.is_known
                && came_back(shown, old.or(earlier.as_ref()))
                && !(old.is_none() && was_sent)
            {
                self.suppressed.addresses.remove(&id);
                place.own.addresses.remove(&id);
                for person in people
                    .iter()
                    .filter(|person| person.address.as_ref().map(hash_of).as_ref() == Some(&id))
                {
                    self.suppressed.supporters.remove(&person.supporter_id);
                    place.own.supporters.remove(&person.supporter_id);
                }
            }
            let is_known = self
                .suppressed
                .addresses
                .get(&id)
                .is_some_and(|why| why.way != Way::Bounced);
            let is_new = !is_known || !place.own.addresses.contains_key(&id);
            if is_new && went(shown, old.or(earlier.as_ref())) {
                left.extend(leavings(shown, old.or(earlier.as_ref()), people));
            }
            changes.note(shown, old, earlier.as_ref(), &self.managed, now);
        }
        place.members.extend(changes.members);
        place.is_known = true;
        self.suppress(world.current, left);
        world
            .truth
            .looked(world.current, &world.audiences[world.current].contacts);
        if !is_mute {
            world
                .audience()
                .contacts
                .values_mut()
                .for_each(|contact| contact.is_heard = true);
        }
        let unconfirmed = |member: &&Member| {
            member.remote_status == "pending" && !there.contains(&member.remote_id)
        };
        let dropped: Vec<Member> = self.mirrors[world.current]
            .members
            .values()
            .filter(unconfirmed)
            .cloned()
            .collect();
        if self.is(Wrong::AsksAgain) || self.is(Wrong::GoneIsLeft) {
            for member in dropped {
                self.mirrors[world.current]
                    .members
                    .remove(&member.remote_id);
                if let (true, supporter_id @ Some(_)) =
                    (self.is(Wrong::GoneIsLeft), member.supporter_id)
                {
                    self.suppress(
                        world.current,
                        vec![Leaving {
                            remote_id: member.remote_id,
                            supporter_id,
                            why: erased(),
                        }],
                    );
                }
            }
        }
        Ok(())
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
    fn forgets(&self, world: &World, id: i64, people: &[Profile]) -> bool {
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

    pub(super) fn known(&self, world: &World, people: &[Profile]) -> Known {
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
        Known::of(
            people,
            rows,
            members,
            self.suppressed(world, people),
            earlier,
            BTreeMap::new(),
        )
    }

    /// What a cut left is read back, who left is written down.
    pub(super) fn settle(&mut self, world: &World, people: &[Profile]) {
        let mut known = self.known(world, people);
        let audience = &world.audiences[world.current];
        let is_there = |id: &str| email_of(audience, id, None).is_some();
        let mut leavings = std::mem::take(&mut known.leavings);
        let mut gone: Vec<String> = Vec::new();
        for (supporter_id, remote_id) in known
            .perhaps_erased(people)
            .into_iter()
            .filter(|(_, id)| !is_there(id))
        {
            gone.push(remote_id.clone());
            leavings.push(Leaving {
                remote_id,
                supporter_id: Some(supporter_id),
                why: erased(),
            });
        }
        let mut found: Vec<Member> = Vec::new();
        for person in people {
            let added = known
                .added(person.supporter_id)
                .filter(|_| known.recovered.contains(&person.supporter_id));
            found.extend(added.and_then(|id| known.member(&id)).cloned());
            let Some(here) = person
                .address
                .as_ref()
                .and_then(|address| known.member(&hash_of(address)))
            else {
                continue;
            };
            let was_moving = known.rows.get(&person.supporter_id).is_some_and(|row| {
                row.state == "sending"
                    && row.intent.as_deref() == Some(Step::Move.as_str())
                    && row.address == person.address
            });
            let theirs = |member: &&Member| {
                member.supporter_id == Some(person.supporter_id)
                    && member.remote_id != here.remote_id
            };
            let old = self.mirrors[world.current]
                .members
                .values()
                .find(theirs)
                .filter(|old| was_moving && !is_there(&old.remote_id));
            if let Some(old) = old {
                let subscribed_by_us =
                    here.subscribed_by_us || old.subscribed_by_us && is_live(here);
                found.push(Member {
                    subscribed_by_us,
                    supporter_id: Some(person.supporter_id),
                    ..here.clone()
                });
                gone.push(old.remote_id.clone());
            }
        }
        self.suppress(world.current, leavings);
        self.mirrors[world.current].save(found, &gone);
    }
}

impl Mirror {
    /// The member that a contact was under another address, where nobody is any more.
    fn before(&self, shown: &WireMember, there: &BTreeSet<String>) -> Option<&Member> {
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
    fn ours(&self) -> Vec<Member> {
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
