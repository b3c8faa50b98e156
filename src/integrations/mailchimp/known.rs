//! What the mirror and the ledger know of the people who were handed over, with what a crash left
//! half-done read back first.

use super::client::Failure;
use super::desk::Desk;
use super::former::{self, Former};
use super::member::{
    erased, has_left, hash_of, is_given_up, is_live, is_out, is_out_word, opted_out, why_out,
};
use super::mirror::take_in;
use super::owners::is_of_another;
use super::plan::{Case, Place};
use super::wire::WireMember;
use crate::domain::{Member, Profile, Standing, Step, Way, Why};
use crate::plugin::{DeliveryRow, Leaving, PluginContext, PluginError, Suppressed};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// So long Mailchimp may not show what it was told.
pub(super) const UNSHOWN: TimeDelta = TimeDelta::minutes(10);

/// What is known of the people of one batch, read once for all of them.
pub(super) struct Known {
    members: BTreeMap<String, Member>,
    /// Members that we subscribed in earlier audiences.
    earlier: BTreeMap<String, Vec<Member>>,
    pub(super) rows: BTreeMap<i64, DeliveryRow>,
    /// People who were being added when the last delivery was cut off, and who are there.
    pub(super) recovered: BTreeSet<i64>,
    /// Who left, now or before, in whatever audience.
    suppressed: Suppressed,
    /// Those of them that are not written down yet.
    pub(super) leavings: Vec<Leaving>,
    /// Whoever says no, by the id of the address.
    refusers: BTreeMap<String, BTreeSet<i64>>,
    /// Addresses that people had before, by supporter.
    former: BTreeMap<i64, Vec<Former>>,
}

impl Known {
    pub(super) async fn load(
        desk: &Desk,
        ctx: &PluginContext,
        people: &[Profile],
    ) -> Result<Known, PluginError> {
        let supporters: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
        let rows = ctx.ledger(&supporters).await?;
        let former = former::find(ctx, people, &rows).await?;
        let here = people.iter().filter_map(|person| person.address.as_ref());
        let before = rows.values().filter_map(|row| row.address.as_ref());
        let had = former.values().flatten().map(|one| one.remote_id.clone());
        let addresses: BTreeSet<String> = here.chain(before).map(hash_of).chain(had).collect();
        let addresses: Vec<String> = addresses.into_iter().collect();
        let members = ctx
            .members(&addresses)
            .await?
            .into_iter()
            .chain(ctx.members_of(&supporters).await?);
        let members = members
            .map(|member| (member.remote_id.clone(), member))
            .collect();
        let suppressed = ctx.suppressed(&addresses, &supporters).await?;
        let mut earlier = BTreeMap::new();
        for audience in ctx.earlier_destinations().await? {
            let there = ctx.at(&audience);
            let found = there
                .members(&addresses)
                .await?
                .into_iter()
                .chain(there.members_of(&supporters).await?);
            let found: BTreeMap<String, Member> = found
                .map(|member| (member.remote_id.clone(), member))
                .collect();
            earlier.insert(audience, found.into_values().collect());
        }
        let mut known = Known::of(people, rows, members, suppressed, earlier, former);
        let troubled = desk.memory().earlier;
        known.earlier.retain(|audience, _| {
            troubled
                .get(audience)
                .is_none_or(|earlier| earlier.trouble.is_none())
        });
        Ok(known)
    }

    /// From what was read of people; `earlier`: members of earlier audiences, whoever put them
    /// there; `former`: addresses that people had.
    pub(super) fn of(
        people: &[Profile],
        rows: BTreeMap<i64, DeliveryRow>,
        members: BTreeMap<String, Member>,
        mut suppressed: Suppressed,
        mut earlier: BTreeMap<String, Vec<Member>>,
        former: BTreeMap<i64, Vec<Former>>,
    ) -> Known {
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
        let mut known = Known {
            members,
            earlier,
            rows,
            recovered,
            suppressed,
            leavings,
            refusers,
            former,
        };
        known.read_back_adds(people);
        known.find_leavings(people);
        known
    }

    /// Who left is known by the address, and as the people who had it, now or until a while ago:
    /// they must not be put there again under another one. An address that we took off for
    /// somebody's refusal is that person's leaving alone.
    fn find_leavings(&mut self, people: &[Profile]) {
        for person in people {
            let id = person.supporter_id;
            let here = person.address.as_ref().map(hash_of);
            let before = self
                .rows
                .get(&id)
                .and_then(|row| row.address.as_ref())
                .map(hash_of);
            let had = self.former.get(&id).map(Vec::as_slice).unwrap_or_default();
            let by_address = self.members.values().filter(|member| {
                let is_here = Some(&member.remote_id) == here.as_ref();
                let was_here = Some(&member.remote_id) == before.as_ref();
                let had_it = had.iter().any(|one| {
                    one.remote_id == member.remote_id && one.counts(member.last_seen_at)
                });
                is_here || was_here || had_it || member.supporter_id == Some(id)
            });
            let mut found: Vec<Leaving> = Vec::new();
            for member in by_address.filter(|member| is_out(member) && !is_given_up(member)) {
                if !has_left(member) {
                    // The address alone is bad, in whatever audience.
                    let is_known = self.suppressed.addresses.contains_key(&member.remote_id);
                    let bounced = Leaving {
                        remote_id: member.remote_id.clone(),
                        supporter_id: None,
                        why: why_out(member),
                    };
                    self.leavings.extend(Some(bounced).filter(|_| !is_known));
                    continue;
                }
                let taken_off = self
                    .suppressed
                    .addresses
                    .get(&member.remote_id)
                    .is_some_and(|why| why.way == Way::TakenOff);
                let is_known = self
                    .suppressed
                    .supporters
                    .get(&id)
                    .is_some_and(|by| by.contains_key(&member.remote_id));
                if !is_known && (!taken_off || person.email_opt_in == Some(false)) {
                    let why = if taken_off {
                        opted_out()
                    } else {
                        why_out(member)
                    };
                    found.push(Leaving {
                        remote_id: member.remote_id.clone(),
                        supporter_id: Some(id),
                        why,
                    });
                }
            }
            // In another audience, by an erasure, or by a contact that has another address since:
            // who has the address is skipped for it, and is to be under no other one, either.
            let had = had.iter().map(|one| one.remote_id.clone());
            let theirs: BTreeSet<String> = here.into_iter().chain(before).chain(had).collect();
            for remote_id in theirs
                .into_iter()
                .filter(|id| self.members.get(id).is_none_or(is_given_up))
            {
                let is_theirs = |why: &&Why| !matches!(why.way, Way::TakenOff | Way::Bounced);
                if let Some(why) = self.suppressed.addresses.get(&remote_id).filter(is_theirs)
                    && !self
                        .suppressed
                        .supporters
                        .get(&id)
                        .is_some_and(|by| by.contains_key(&remote_id))
                {
                    found.push(Leaving {
                        why: why.clone(),
                        remote_id,
                        supporter_id: Some(id),
                    });
                }
            }
            for one in &found {
                self.suppressed
                    .supporters
                    .entry(id)
                    .or_default()
                    .insert(one.remote_id.clone(), one.why.clone());
            }
            self.leavings.append(&mut found);
        }
    }

    /// Why nothing is sent to somebody, if they left under whatever address, or somebody else left
    /// under theirs; a word of theirs first.
    pub(super) fn suppression(&self, person: &Profile) -> Option<&Why> {
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
    pub(super) fn has_left(&self, supporter_id: i64, member: &str) -> bool {
        self.suppressed
            .supporters
            .get(&supporter_id)
            .is_some_and(|by| by.contains_key(member))
    }

    /// The member who was being added for somebody when the last delivery was cut off, at the
    /// address of that time.
    pub(super) fn added(&self, supporter: i64) -> Option<String> {
        self.rows
            .get(&supporter)
            .filter(|row| is_sending(row, Step::Add))?
            .address
            .as_ref()
            .map(hash_of)
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

    /// Whoever was being moved has moved if the old address is gone. Writes down what was read back
    /// and who left, before anything is sent. Answers who is not to be sent now, since Mailchimp
    /// does not show yet what was written there.
    pub(super) async fn settle(
        &mut self,
        desk: &Desk,
        ctx: &PluginContext,
        people: &[Profile],
    ) -> Result<BTreeSet<i64>, PluginError> {
        let unshown = self.find_erased(desk, ctx, people).await?;
        ctx.suppress(&std::mem::take(&mut self.leavings)).await?;
        let mut found: Vec<Member> = people
            .iter()
            .filter(|person| self.recovered.contains(&person.supporter_id))
            .filter_map(|person| self.members.get(&self.added(person.supporter_id)?).cloned())
            .collect();
        for person in people {
            let was_moving = self
                .rows
                .get(&person.supporter_id)
                .is_some_and(|row| is_sending(row, Step::Move) && row.address == person.address);
            let Some(here) = person
                .address
                .as_ref()
                .map(hash_of)
                .filter(|id| was_moving && self.members.contains_key(id))
            else {
                continue;
            };
            let theirs = |member: &&Member| {
                member.supporter_id == Some(person.supporter_id) && member.remote_id != here
            };
            let Some(old) = self.members.values().find(theirs).cloned() else {
                continue;
            };
            match desk.api.member(&old.remote_id).await {
                Err(Failure::Missing) => {
                    ctx.forget_members(std::slice::from_ref(&old.remote_id))
                        .await?;
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
        ctx.save_members(&found, &[]).await?;
        Ok(unshown)
    }

    /// A contact of somebody who is about to be added under another address may have been erased
    /// there, which no list tells. One that was written a moment ago may merely not be shown yet:
    /// then it stays known, and its people wait.
    async fn find_erased(
        &mut self,
        desk: &Desk,
        ctx: &PluginContext,
        people: &[Profile],
    ) -> Result<BTreeSet<i64>, PluginError> {
        let (mut lost, mut out): (Vec<(i64, String)>, Vec<WireMember>) = Default::default();
        let mut unshown = BTreeSet::new();
        let is_young = |known: &Member| {
            known
                .last_seen_at
                .is_some_and(|at| (ctx.now() - at).abs() < UNSHOWN)
        };
        for (supporter_id, member) in self.perhaps_erased(people) {
            match desk.api.member(&member).await {
                Err(Failure::Missing) if self.members.get(&member).is_some_and(is_young) => {
                    unshown.insert(supporter_id);
                }
                Err(Failure::Missing) => lost.push((supporter_id, member)),
                // Left, and no list has shown it yet.
                Ok(there)
                    if is_out_word(&there.status)
                        && self
                            .members
                            .get(&member)
                            .is_none_or(|known| known.remote_status != there.status) =>
                {
                    out.push(there);
                }
                Ok(_) => {}
                Err(failure) => {
                    return Err(failure.into_error("looking for somebody under an earlier address"));
                }
            }
        }
        if !out.is_empty() {
            take_in(desk, ctx, &out).await?;
            *self = Known::load(desk, ctx, people).await?;
        }
        let gone: Vec<String> = lost.iter().map(|(_, member)| member.clone()).collect();
        for (supporter_id, remote_id) in lost {
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
        ctx.forget_members(&gone).await?;
        Ok(unshown)
    }

    /// Contacts to be asked for singly, each with the supporter who is about to be added under
    /// another address, or to be given somebody else's contact: theirs, and those at addresses that
    /// they had. One of ours that is about to be moved is none of them: whether it is there shows
    /// by the move.
    pub(super) fn perhaps_erased(&self, people: &[Profile]) -> Vec<(i64, String)> {
        let claimed: BTreeSet<String> = people
            .iter()
            .filter_map(Profile::consented)
            .map(hash_of)
            .collect();
        let mut found = Vec::new();
        for case in self.cases(people) {
            let is_free = case
                .here
                .is_none_or(|here| is_live(here) && is_of_another(here, case.profile.supporter_id));
            let is_new = case.profile.consented().is_some() && is_free && case.suppressed.is_none();
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
                !member.subscribed_by_us || member.remote_status != "pending" && !moves(member)
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
    pub(super) fn cases<'a>(&'a self, people: &'a [Profile]) -> Vec<Case<'a>> {
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
    pub(super) fn member_at(&self, place: &Place) -> Option<&Member> {
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
    pub(super) fn refusers_at(&self, id: &str) -> impl Iterator<Item = i64> {
        self.refusers.get(id).into_iter().flatten().copied()
    }

    /// A member by its id.
    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }
}

fn is_sending(row: &DeliveryRow, intent: Step) -> bool {
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
        let other = match person.standing {
            Standing::Refused { by } => Some(by),
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
