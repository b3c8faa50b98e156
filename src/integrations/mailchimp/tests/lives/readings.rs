//! How the program of a life comes to know the two worlds: lists of members, earlier audiences,
//! what a cut left.

use super::audience::{Audience, Contact};
use super::program::{Cut, Program};
use super::world::World;
use super::wrong::Wrong;
use crate::domain::{Member, Profile, Step, Way};
use crate::integrations::mailchimp::api::answers::{MemberPage, WireMember};
use crate::integrations::mailchimp::mirror::changes::Changes;
use crate::integrations::mailchimp::mirror::departures::{came_back, leavings, went};
use crate::integrations::mailchimp::mirror::member::{hash, hash_of, observed_member};
use crate::integrations::mailchimp::mirror::status::{
    erased, has_left, is_live, is_out_word, why_out,
};
use crate::plugin::Leaving;
use chrono::SecondsFormat;
use serde_json::json;
use std::collections::BTreeSet;

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
    /// Who left the audience of before is learned.
    pub(super) fn read_earlier(&mut self, world: &mut World) {
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
            let member = observed_member(&shown, Some(old), &self.managed, now);
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
    pub(super) fn read_members(
        &mut self,
        world: &mut World,
        people: &[Profile],
    ) -> Result<(), Cut> {
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

    /// What a cut left is read back, who left is written down.
    pub(super) fn read_back(&mut self, world: &World, people: &[Profile]) {
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
