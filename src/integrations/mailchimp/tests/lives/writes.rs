//! The writes of a delivery in a life: moves, contacts that get another owner, opt-outs, additions.

use super::audience::Answer;
use super::program::{Cut, Program};
use super::readings::{email_of, wire};
use super::world::World;
use crate::domain::{Address, Member, Profile, Step, Way};
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::decide::case::MemberPlace;
use crate::integrations::mailchimp::decide::claims::is_of_another;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::inherited::inherited_contact;
use crate::integrations::mailchimp::decide::plan::Moves;
use crate::integrations::mailchimp::decide::withdrawals::{withdrawals, withdrawals_of_missing};
use crate::integrations::mailchimp::deliver::suppress::{suppressed_member, suppressions_of};
use crate::integrations::mailchimp::mirror::member::{hash_of, observed_member};
use crate::integrations::mailchimp::mirror::status::{erased, is_out};
use crate::plugin::Leaving;
use std::collections::BTreeSet;

impl Program {
    /// Moves; answers with those who have a word already.
    pub(super) fn change_email(
        &mut self,
        world: &mut World,
        people: &[Profile],
    ) -> Result<BTreeSet<i64>, Cut> {
        let (mut members, mut gone, mut leavings, mut decided) =
            (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        let known = self.known(world, people);
        for (person, plan) in people.iter().zip(self.plans(world, people, Moves::ToCome)) {
            let (Decision::Move { from }, Some(address)) = (plan.decision, person.address.clone())
            else {
                continue;
            };
            self.begin(world, person, Step::Move);
            let (id, now) = (person.supporter_id, world.now);
            let World {
                audiences,
                truth,
                current,
                ..
            } = world;
            let audience = &mut audiences[*current];
            let answer = match email_of(audience, &from, None) {
                Some(email) => self.call(|| {
                    let answer = audience.rename_to(&email, address.as_str(), now);
                    if matches!(answer, Answer::Done { .. }) {
                        truth.moved(*current, &email, address.as_str());
                    }
                    answer
                })?,
                None => Answer::Missing,
            };
            let arrived = audience
                .contacts
                .get(address.as_str())
                .map(|contact| wire(address.as_str(), contact));
            match (answer, arrived) {
                (Answer::Done { .. } | Answer::Missing, Some(wire)) => {
                    let mut member = observed_member(
                        &wire,
                        self.mirrors[world.current].members.get(&from),
                        &self.managed,
                        now,
                    );
                    member.supporter_id = Some(id);
                    gone.push(from);
                    members.push(member);
                }
                (Answer::Refused(text), _) => {
                    if RefusalClass::of(text).is_final() {
                        let there = known.member(&hash_of(&address));
                        let member =
                            suppressed_member(id, &address, RefusalClass::of(text), there, now);
                        leavings.extend(suppressions_of(&member, there));
                        members.push(member);
                    }
                    decided.insert(id);
                }
                (_, None) => {
                    leavings.push(Leaving {
                        remote_id: from.clone(),
                        supporter_id: Some(id),
                        why: erased(),
                    });
                    gone.push(from);
                    decided.insert(id);
                }
            }
        }
        self.suppress(world.current, leavings);
        self.mirrors[world.current].save(members, &gone);
        Ok(decided)
    }

    /// Contacts to which nothing is written, and that are somebody else's now.
    pub(super) fn inherit(&mut self, world: &mut World, people: &[Profile], plans: &[Plan]) {
        let known = self.known(world, people);
        let skipped = people
            .iter()
            .zip(plans)
            .filter(|(_, plan)| matches!(plan.decision, Decision::Skip(_)));
        let heirs: Vec<Member> = skipped
            .filter_map(|(person, _)| inherited_contact(person, &known, world.now))
            .collect();
        for heir in &heirs {
            if let Some(email) = email_of(world.audience(), &heir.remote_id, None)
                && let Some(contact) = world.audience().contacts.get_mut(&email)
            {
                contact.owner = heir.supporter_id;
            }
        }
        self.mirrors[world.current].save(heirs, &[]);
    }

    pub(super) fn unsubscribe(
        &mut self,
        world: &mut World,
        people: &[Profile],
        plans: &[Plan],
        decided: &BTreeSet<i64>,
    ) -> Result<(), Cut> {
        let known = self.known(world, people);
        let mut leavings = Vec::new();
        let mut changes: [(Vec<Member>, Vec<String>); 2] = Default::default();
        for (person, plan) in people
            .iter()
            .zip(plans)
            .filter(|(person, _)| !decided.contains(&person.supporter_id))
        {
            let Decision::Unsubscribe {
                members: places, ..
            } = &plan.decision
            else {
                continue;
            };
            for MemberPlace {
                audience: earlier,
                member: member_id,
            } in places
            {
                self.begin(world, person, Step::Unsubscribe);
                let (id, now) = (person.supporter_id, world.now);
                let which = if earlier.is_some() {
                    1 - world.current
                } else {
                    world.current
                };
                let old = self.mirrors[which].members.get(member_id).cloned();
                let name = old.as_ref().and_then(|old| old.contact_id.as_deref());
                let World {
                    audiences, truth, ..
                } = world;
                let audience = &mut audiences[which];
                let Some(email) = email_of(audience, member_id, name) else {
                    if earlier.is_none() {
                        leavings.extend(withdrawals_of_missing(&known, id, member_id));
                    }
                    changes[which].1.push(member_id.clone());
                    continue;
                };
                leavings.extend(withdrawals(&known, id, member_id));
                let contact = audience.contacts[&email].clone();
                self.call(|| {
                    truth.unsubscribes(&email, &contact, &audience.contacts);
                    audience.unsubscribe(&email, now)
                })?;
                let mut member = observed_member(
                    &wire(&email, &audience.contacts[&email]),
                    old.as_ref(),
                    &self.managed,
                    now,
                );
                member.remote_id.clone_from(member_id);
                member.supporter_id = Some(id);
                member.subscribed_by_us = false;
                changes[which].0.push(member);
            }
        }
        self.suppress(world.current, leavings);
        for (mirror, (members, gone)) in self.mirrors.iter_mut().zip(changes) {
            mirror.save(members, &gone);
        }
        Ok(())
    }

    pub(super) fn subscribe(
        &mut self,
        world: &mut World,
        people: &[Profile],
        plans: &[Plan],
        decided: &BTreeSet<i64>,
    ) -> Result<(), Cut> {
        let (now, current, asks) = (world.now, world.current, world.double_optin);
        let suppressed = self.suppressed(world, people);
        let mut updates: Vec<(i64, Address, bool, Option<Member>)> = Vec::new();
        for (person, plan) in people
            .iter()
            .zip(plans)
            .filter(|(person, _)| !decided.contains(&person.supporter_id))
        {
            let (Decision::Add | Decision::Change, Some(address)) =
                (&plan.decision, person.address.clone())
            else {
                continue;
            };
            let before = self.mirrors[current]
                .members
                .get(&hash_of(&address))
                .cloned();
            let why = suppressed.why(person.supporter_id, &hash_of(&address));
            let has_left = why.is_some_and(|why| why.way != Way::Bounced);
            let is_none_for_them = |member: &Member| {
                is_out(member) || is_of_another(member, person.supporter_id) && has_left
            };
            if before.as_ref().map_or(why.is_some(), is_none_for_them) {
                continue;
            }
            let is_add = plan.decision == Decision::Add;
            self.begin(world, person, if is_add { Step::Add } else { Step::Change });
            updates.push((person.supporter_id, address, is_add, before));
        }
        if updates.is_empty() {
            return Ok(());
        }
        let World {
            audiences, truth, ..
        } = world;
        let audience = &mut audiences[current];
        truth.sends(
            updates
                .iter()
                .map(|(id, address, ..)| ((current, address.as_str().to_owned()), *id)),
        );
        let answers = self.call(|| {
            let one = |(id, address, ..): &(i64, Address, bool, Option<Member>)| {
                // Whoever was erased is refused, which no list foretells.
                if !audience.forgotten.contains(address.as_str()) {
                    truth.subscribes(
                        current,
                        address.as_str(),
                        audience.contacts.get(address.as_str()),
                        asks,
                        now,
                    );
                }
                let answer = audience.subscribe(
                    address.as_str(),
                    if asks { "pending" } else { "subscribed" },
                    now,
                );
                if let Some(contact) = audience.contacts.get_mut(address.as_str()) {
                    contact.owner = Some(*id);
                }
                answer
            };
            updates.iter().map(one).collect::<Vec<_>>()
        })?;
        truth.answered(current);
        let (mut members, mut leavings) = (Vec::new(), Vec::new());
        for ((id, address, is_add, before), answer) in updates.into_iter().zip(answers) {
            match (answer, audience.contacts.get_mut(address.as_str())) {
                (Answer::Done { is_new }, Some(contact)) => {
                    contact.is_heard = true;
                    let mut member = observed_member(
                        &wire(address.as_str(), contact),
                        before.as_ref(),
                        &self.managed,
                        now,
                    );
                    member.supporter_id = Some(id);
                    member.subscribed_by_us |= is_add && is_new && !is_out(&member);
                    members.push(member);
                }
                (Answer::Refused(text), _) => {
                    truth.refused(address.as_str(), id);
                    let member = suppressed_member(
                        id,
                        &address,
                        RefusalClass::of(text),
                        before.as_ref(),
                        now,
                    );
                    leavings.extend(suppressions_of(&member, before.as_ref()));
                    members.push(member);
                }
                _ => {}
            }
        }
        self.suppress(current, leavings);
        self.mirrors[current].save(members, &[]);
        Ok(())
    }
}
