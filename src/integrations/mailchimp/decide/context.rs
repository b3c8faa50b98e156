//! What the mirror and the ledger know of the people who were handed over together.

use super::case::{Case, MemberPlace};
use super::claims::{is_of_another, is_ours_and_in};
use super::leavings::find_leavings;
use crate::domain::{AddressClaim, Member, Profile, Step, Time, Way, Why};
use crate::integrations::mailchimp::mirror::former::FormerAddress;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::{
    erased, has_left, is_given_up, is_live, is_out, opted_out, why_out,
};
use crate::plugin::{DeliveryRow, Leaving, Suppressed};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// So long after it was made a call of which nobody heard may still be carried out and shown:
/// Mailchimp ends its own work after two minutes (contract 7), and shows it a while later.
const CARRIED_OUT_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// What is known of the people of one batch, read once for all of them.
pub(crate) struct DeliveryContext {
    members: BTreeMap<String, Member>,
    /// Members that we subscribed in earlier audiences.
    earlier: BTreeMap<String, Vec<Member>>,
    pub(crate) rows: BTreeMap<i64, DeliveryRow>,
    /// People who were being added when the last delivery was cut off, and who are there.
    pub(crate) recovered: BTreeSet<i64>,
    /// Who left, now or before, in whatever audience.
    suppressed: Suppressed,
    /// Those of them that are not written down yet.
    pub(crate) leavings: Vec<Leaving>,
    /// Whoever says yes, was taken off for a no of theirs, and came back since: their next no is a
    /// new one.
    pub(crate) consenting_again: BTreeSet<i64>,
    /// Whoever says no, by the id of the address.
    refusers: BTreeMap<String, BTreeSet<i64>>,
    /// Whoever says yes, though another holder of the address may refuse there.
    consenting: BTreeSet<i64>,
    /// Addresses that people had before, by supporter.
    former: BTreeMap<i64, Vec<FormerAddress>>,
}

impl DeliveryContext {
    /// From what was read of people; `earlier`: members of earlier audiences, whoever put them
    /// there; `former`: addresses that people had.
    pub(crate) fn of(
        people: &[Profile],
        rows: BTreeMap<i64, DeliveryRow>,
        members: BTreeMap<String, Member>,
        mut suppressed: Suppressed,
        mut earlier: BTreeMap<String, Vec<Member>>,
        former: BTreeMap<i64, Vec<FormerAddress>>,
    ) -> DeliveryContext {
        // Whoever left an earlier audience before anybody here had the address is known by the
        // address alone.
        for member in earlier
            .values()
            .flatten()
            .filter(|member| is_out(member) && !is_given_up(member))
        {
            suppressed
                .addresses
                .entry(member.remote_id.clone())
                .or_insert_with(|| why_out(member));
        }
        earlier
            .values_mut()
            .for_each(|members| members.retain(|member| member.subscribed_by_us));
        let (recovered, leavings, refusers) = (BTreeSet::new(), Vec::new(), refusers(people));
        let is_over = |id: i64, address: &String| {
            suppressed
                .supporters
                .get(&id)
                .is_none_or(|by| !by.contains_key(address))
        };
        let says_yes = |person: &&Profile| person.email_opt_in == Some(true) && !person.is_absent;
        let consenting_again = people
            .iter()
            .filter(says_yes)
            .map(|person| person.supporter_id)
            .filter(|id| {
                suppressed.taken_off.get(id).is_some_and(|by| {
                    by.iter()
                        .any(|(address, why)| *why == opted_out() && is_over(*id, address))
                })
            })
            .collect();
        let mut context = DeliveryContext {
            members,
            earlier,
            rows,
            recovered,
            suppressed,
            leavings,
            consenting_again,
            refusers,
            consenting: people
                .iter()
                .filter(|person| person.email_opt_in == Some(true))
                .map(|person| person.supporter_id)
                .collect(),
            former,
        };
        context.read_back_adds(people);
        context.leavings = find_leavings(
            people,
            &context.members,
            &context.rows,
            &context.former,
            &mut context.suppressed,
        );
        context
    }

    /// Why nothing is sent to somebody, if they left under whatever address, or somebody else left
    /// under theirs; a word of theirs first.
    pub(crate) fn suppression(&self, person: &Profile) -> Option<&Why> {
        let by_person = self
            .suppressed
            .supporters
            .get(&person.supporter_id)
            .into_iter()
            .flat_map(BTreeMap::values);
        let by_address = person
            .address
            .as_ref()
            .and_then(|address| self.suppressed.addresses.get(&hash_of(address)));
        let all = || by_person.clone().chain(by_address);
        let said_no = all().find(|why| why.way == Way::SaidNo);
        said_no
            .or_else(|| all().find(|why| why.way.is_word_of_no()))
            .or_else(|| all().next())
    }

    /// Whether it is known already that somebody left by a member.
    pub(crate) fn has_left(&self, supporter_id: i64, member: &str) -> bool {
        self.suppressed
            .supporters
            .get(&supporter_id)
            .is_some_and(|by| by.contains_key(member))
    }

    /// The member who was being added for somebody when the last delivery was cut off, at the
    /// address of that time.
    pub(crate) fn added(&self, supporter: i64) -> Option<String> {
        self.rows
            .get(&supporter)
            .filter(|row| is_sending(row, Step::Add))?
            .address
            .as_ref()
            .map(hash_of)
    }

    /// People who were being added, and who are not there: the call may still be carried out.
    pub(crate) fn unheard(&self, now: Time) -> BTreeSet<i64> {
        let is_unheard = |row: &&DeliveryRow| {
            (now - row.updated_at).abs() < CARRIED_OUT_WITHIN
                && self
                    .added(row.supporter_id)
                    .is_some_and(|id| !self.members.contains_key(&id))
        };
        let rows = self.rows.values().filter(is_unheard);
        rows.map(|row| row.supporter_id).collect()
    }

    /// Whoever was being added and is there now was added by us, though the person may have another
    /// address by now.
    fn read_back_adds(&mut self, people: &[Profile]) {
        for person in people {
            let Some(member) = self
                .added(person.supporter_id)
                .and_then(|id| self.members.get_mut(&id))
            else {
                continue;
            };
            if is_live(member) && member.remote_status != "transactional" {
                member.subscribed_by_us = true;
                member.supporter_id = Some(person.supporter_id);
                self.recovered.insert(person.supporter_id);
            }
        }
    }

    /// Contacts to be asked for singly, each with the supporter who is about to be added under
    /// another address, or to be given somebody else's contact: theirs, and those at addresses that
    /// they had. One of ours that is about to be moved is none of them: whether it is there shows
    /// by the move.
    pub(crate) fn perhaps_erased(&self, people: &[Profile]) -> Vec<(i64, String)> {
        let claimed: BTreeSet<String> = people
            .iter()
            .filter_map(Profile::mailable_address)
            .map(hash_of)
            .collect();
        let mut found = Vec::new();
        for case in self.cases(people) {
            let is_free = case
                .here
                .is_none_or(|here| is_live(here) && is_of_another(here, case.profile.supporter_id));
            let is_new =
                case.profile.mailable_address().is_some() && is_free && case.suppressed.is_none();
            let before = case
                .row
                .and_then(|row| self.members.get(&hash_of(row.address.as_ref()?)));
            let before = before.filter(|member| {
                !case
                    .elsewhere
                    .iter()
                    .any(|other| other.remote_id == member.remote_id)
            });
            let id = case.profile.supporter_id;
            let moves = |member: &Member| {
                case.here.is_none()
                    && member.supporter_id == Some(id)
                    && !claimed.contains(&member.remote_id)
            };
            // Whoever was asked to confirm may have been dropped for not answering.
            let stays = |member: &&Member| {
                !is_ours_and_in(member) || member.remote_status != "pending" && !moves(member)
            };
            // Theirs that bounced may have been erased since, which is a word of the person.
            let is_bounced =
                |member: &Member| is_out(member) && !is_given_up(member) && !has_left(member);
            let is_there = |member: &&Member| {
                is_live(member) || member.supporter_id == Some(id) && is_bounced(member)
            };
            let had = self
                .former
                .get(&id)
                .into_iter()
                .flatten()
                .filter_map(|one| self.members.get(&one.remote_id));
            let all = case
                .elsewhere
                .iter()
                .copied()
                .chain(before)
                .chain(had)
                .filter(|member| is_new && is_there(member))
                .filter(stays);
            found.extend(
                all.map(|member| (id, member.remote_id.clone()))
                    .collect::<BTreeSet<_>>(),
            );
        }
        found
    }

    /// One case a person, in their order.
    pub(crate) fn cases<'a>(&'a self, people: &'a [Profile]) -> Vec<Case<'a>> {
        let mut by_supporter: BTreeMap<i64, Vec<&Member>> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(supporter) = member.supporter_id {
                by_supporter.entry(supporter).or_default().push(member);
            }
        }
        let case = |profile: &'a Profile| {
            let id = profile.address.as_ref().map(hash_of);
            let theirs = by_supporter
                .get(&profile.supporter_id)
                .map(Vec::as_slice)
                .unwrap_or_default();
            Case {
                profile,
                taken_off: self.suppressed.taken_off.get(&profile.supporter_id),
                addresses_taken_off: &self.suppressed.addresses_taken_off,
                here: id.as_ref().and_then(|id| self.members.get(id)),
                elsewhere: theirs
                    .iter()
                    .copied()
                    .filter(|member| Some(&member.remote_id) != id.as_ref())
                    .collect(),
                earlier: self
                    .earlier
                    .iter()
                    .flat_map(|(audience, members)| {
                        members.iter().map(|member| (audience.as_str(), member))
                    })
                    .filter(|(_, member)| {
                        member.supporter_id == Some(profile.supporter_id)
                            || Some(&member.remote_id) == id.as_ref()
                    })
                    .collect(),
                row: self.rows.get(&profile.supporter_id),
                suppressed: self.suppression(profile),
            }
        };
        people.iter().map(case).collect()
    }

    /// A member of this audience, or of an earlier one.
    pub(crate) fn member_at(&self, place: &MemberPlace) -> Option<&Member> {
        match &place.audience {
            None => self.members.get(&place.member),
            Some(audience) => self
                .earlier
                .get(audience)?
                .iter()
                .find(|member| member.remote_id == place.member),
        }
    }

    /// Whoever says no and has the address with this id.
    pub(crate) fn refusers_at(&self, id: &str) -> impl Iterator<Item = i64> {
        self.refusers.get(id).into_iter().flatten().copied()
    }

    /// Whether somebody says yes at Classy.
    pub(crate) fn says_yes(&self, supporter_id: i64) -> bool {
        self.consenting.contains(&supporter_id)
    }

    /// Earlier audiences that are none for these people after all.
    pub(crate) fn leave_out_audiences(&mut self, is_left_out: impl Fn(&str) -> bool) {
        self.earlier.retain(|audience, _| !is_left_out(audience));
    }

    /// The member of a person that stands at another address than this one.
    pub(crate) fn member_elsewhere(&self, supporter_id: i64, here: &str) -> Option<&Member> {
        self.members
            .values()
            .find(|member| member.supporter_id == Some(supporter_id) && member.remote_id != here)
    }

    /// A member has moved to this address: it is still of the same person, and still ours.
    pub(crate) fn note_moved(
        &mut self,
        old: &Member,
        supporter_id: i64,
        here: &str,
    ) -> Option<&Member> {
        self.members.remove(&old.remote_id);
        let member = self.members.get_mut(here)?;
        member.subscribed_by_us |= old.subscribed_by_us && is_live(member);
        member.supporter_id = Some(supporter_id);
        Some(member)
    }

    /// A contact of somebody was erased, which is a word of theirs.
    pub(crate) fn note_erased(&mut self, supporter_id: i64, remote_id: String) {
        self.members.remove(&remote_id);
        self.suppressed
            .addresses
            .entry(remote_id.clone())
            .or_insert_with(erased);
        self.suppressed
            .supporters
            .entry(supporter_id)
            .or_default()
            .insert(remote_id.clone(), erased());
        self.leavings.push(Leaving {
            remote_id,
            supporter_id: Some(supporter_id),
            why: erased(),
        });
    }

    /// A member by its id.
    pub(crate) fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }
}

/// Whether the ledger says that this was under way when the last delivery was cut off.
pub(crate) fn is_sending(row: &DeliveryRow, intent: Step) -> bool {
    row.state == "sending" && row.intent.as_deref() == Some(intent.as_str())
}

/// Whoever says no, by the id of the address; also those who were not handed over, as far as
/// another holder of the address knows of them.
fn refusers(people: &[Profile]) -> BTreeMap<String, BTreeSet<i64>> {
    let mut refusers: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for person in people {
        let Some(address) = &person.address else {
            continue;
        };
        let own = (person.email_opt_in == Some(false)).then_some(person.supporter_id);
        let other = match person.claim {
            AddressClaim::Refused { by } => Some(by),
            _ => None,
        };
        if own.is_some() || other.is_some() {
            refusers
                .entry(hash_of(address))
                .or_default()
                .extend(own.into_iter().chain(other));
        }
    }
    refusers
}
