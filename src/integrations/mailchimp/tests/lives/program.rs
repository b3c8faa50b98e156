//! The program in a life: one delivery made of the pure parts of the plugin. What asks Mailchimp or
//! the database is the model's own; what decides is the plugin's.

use super::audience::Contact;
use super::memory::Mirror;
use super::readings::wire;
use super::world::World;
use super::wrong::Wrong;
use crate::domain::{Profile, Step};
use crate::integrations::mailchimp::decide::decision::Plan;
use crate::integrations::mailchimp::decide::plan::{Moves, Rules, plan_all};
use crate::integrations::mailchimp::deliver::audit::{STILL_SUBSCRIBED, evaluate};
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::integrations::mailchimp::mirror::member::hash;
use crate::integrations::mailchimp::settings::{OnOptOut, OptOutScope};
use crate::plugin::{DeliveryRow, Suppressed};
use std::collections::BTreeSet;

/// A delivery was cut off.
pub(super) struct Cut;

pub(super) struct Program {
    pub(super) wrong: Option<Wrong>,
    /// Writes that are still done, and whether the one after them is, before the program dies.
    pub(super) fuse: Option<(usize, bool)>,
    pub(super) managed: ManagedTags,
    pub(super) mirrors: [Mirror; 2],
    pub(super) suppressed: Suppressed,
}

impl Program {
    pub(super) fn new(wrong: Option<Wrong>) -> Program {
        let (managed, mirrors, suppressed) = (
            ManagedTags::new("Classy-"),
            Default::default(),
            Suppressed::default(),
        );
        Program {
            wrong,
            fuse: None,
            managed,
            mirrors,
            suppressed,
        }
    }

    pub(super) fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// A call that changes something: it may be the last one, done or not.
    pub(super) fn call<T>(&mut self, doing: impl FnOnce() -> T) -> Result<T, Cut> {
        match &mut self.fuse {
            Some((0, is_done)) => {
                if *is_done {
                    doing();
                }
                Err(Cut)
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(doing())
            }
            None => Ok(doing()),
        }
    }

    pub(super) fn plans(&self, world: &World, people: &[Profile], moves: Moves) -> Vec<Plan> {
        let known = self.known(world, people);
        let rules = Rules {
            managed: &self.managed,
            on_opt_out: OnOptOut::Unsubscribe,
            opt_out_scope: if self.is(Wrong::OursIsEverybody) {
                OptOutScope::Everybody
            } else {
                OptOutScope::Ours
            },
            moves: if self.is(Wrong::MovesSpareAlways) {
                Moves::ToCome
            } else {
                moves
            },
            double_optin: world.double_optin,
            now: world.now,
        };
        plan_all(&known.cases(people), &rules)
    }

    /// Written down before a call.
    pub(super) fn begin(&mut self, world: &World, person: &Profile, intent: Step) {
        let row = self.row(world, person.supporter_id);
        "sending".clone_into(&mut row.state);
        row.intent = Some(intent.as_str().to_owned());
        row.address = person.address.clone().or(row.address.take());
    }

    fn row(&mut self, world: &World, id: i64) -> &mut DeliveryRow {
        self.mirrors[world.current]
            .rows
            .entry(id)
            .or_insert_with(|| DeliveryRow {
                supporter_id: id,
                state: "skipped".to_owned(),
                reason: None,
                fingerprint: None,
                attempts: 0,
                address: None,
                intent: None,
                next_attempt_at: None,
                delivered_at: None,
                undone_mark: None,
                updated_at: world.now,
            })
    }

    /// Reads, decides and does.
    pub(super) fn deliver(&mut self, world: &mut World) -> Result<(), Cut> {
        let souls = world.souls.clone();
        world.truth.serve(&souls);
        let people = self.profiles(world);
        self.read_earlier(world);
        self.read_members(world, &people)?;
        world.truth.knows_erased(world.current);
        self.read_back(world, &people);
        let decided = self.change_email(world, &people)?;
        let plans = self.plans(world, &people, Moves::Done);
        self.inherit(world, &people, &plans);
        self.unsubscribe(world, &people, &plans, &decided)?;
        if world.dice.roll(6) == 0 {
            let contacts: Vec<String> = world.audience().contacts.keys().cloned().collect();
            let email = contacts
                .get(world.dice.roll(contacts.len()))
                .cloned()
                .unwrap_or_default();
            let said = world.leave(world.current, &email);
            world.log.push(format!("meanwhile {said}"));
        }
        if !self.is(Wrong::NoLookBeforeSend) {
            self.read_members(world, &people)?;
        }
        self.subscribe(world, &people, &plans, &decided)?;
        for person in &people {
            let row = self.row(world, person.supporter_id);
            "delivered".clone_into(&mut row.state);
            row.address = person.address.clone().or(row.address.take());
        }
        let left = std::mem::take(&mut self.known(world, &people).leavings);
        self.suppress(world.current, left);
        let plans = self.plans(world, &people, Moves::Done);
        self.unsubscribe(world, &people, &plans, &BTreeSet::new())?;
        for person in &people {
            "delivered".clone_into(&mut self.row(world, person.supporter_id).state);
        }
        let told = self.audit(world, &people);
        let mut truth = std::mem::take(&mut world.truth);
        truth.end_delivery(world, &told);
        world.truth = truth;
        Ok(())
    }

    /// Addresses of which an audit says that they are mailed though their holder refuses.
    fn audit(&self, world: &World, people: &[Profile]) -> BTreeSet<String> {
        let mirror = &self.mirrors[world.current].members;
        let told = |(email, contact): &(&String, &Contact)| {
            let holders: Vec<Profile> = people
                .iter()
                .filter(|one| one.address.as_ref().is_some_and(|at| at.as_str() == *email))
                .cloned()
                .collect();
            evaluate(
                &wire(email, contact),
                mirror.get(&hash(email)),
                &holders,
                mirror
                    .get(&hash(email))
                    .and_then(|member| member.supporter_id)
                    .and_then(|id| people.iter().find(|one| one.supporter_id == id)),
                hash(email),
                &[],
            )
            .kind
                == STILL_SUBSCRIBED
        };
        let contacts = world.audiences[world.current].contacts.iter();
        contacts
            .filter(told)
            .map(|(email, _)| email.clone())
            .filter(|_| !self.is(Wrong::HiddenAmongForeign))
            .collect()
    }
}
