//! What the program does in a life is held against what is so: each rule that it breaks is noted.

use super::audience::Contact;
use super::rule::Rule;
use super::truth::{Truth, refuses};
use super::world::{Soul, World, canonical};
use crate::domain::Time;
use std::collections::{BTreeMap, BTreeSet};

impl Truth {
    fn wrong(&mut self, rule: Rule, text: impl Into<String>) {
        self.wrong.push((rule, text.into()));
    }

    /// A program is about to put somebody there.
    pub(super) fn subscribes(
        &mut self,
        which: usize,
        email: &str,
        there: Option<&Contact>,
        asks: bool,
        now: Time,
    ) {
        if there.is_some_and(|there| there.status != "archived") {
            return;
        }
        if there.is_some() {
            self.wrong(Rule::BroughtBack, format!("{email} was archived"));
        }
        let speakers = self.speakers(email);
        if self.is_refused(email) || speakers.is_empty() {
            self.wrong(Rule::RefuserSent, email);
        }
        let is_left = |audience: usize| self.left_alone.contains(&(audience, email.to_owned()));
        if self.left_at.contains(email) || is_left(which) || self.is_kept_up && is_left(1 - which) {
            self.wrong(Rule::AddressLeft, email);
        }
        let is_erased = |id: &i64| {
            self.unseen
                .iter()
                .any(|one| one.which == which && one.may_be_asked && one.people.contains(id))
        };
        if speakers
            .iter()
            .all(|id| self.left.contains(id) || is_erased(id))
        {
            self.wrong(Rule::LeftBefore, format!("{email} of {speakers:?}"));
        }
        if asks {
            let said = speakers
                .iter()
                .filter_map(|id| self.served.get(id))
                .map(|soul| soul.decided_at)
                .max();
            let key = (which, email.to_owned());
            if self
                .asked
                .get(&key)
                .is_some_and(|asked| said.is_none_or(|said| said <= *asked))
            {
                self.wrong(Rule::AskedTwice, email);
            }
            self.dropped.remove(&key);
            self.asking.insert(key, now);
        }
    }

    /// A program is about to unsubscribe somebody.
    pub(super) fn unsubscribes(
        &mut self,
        email: &str,
        there: &Contact,
        contacts: &BTreeMap<String, Contact>,
    ) {
        let owner = there.owner.and_then(|id| self.served.get_key_value(&id));
        // Unsubscribed under their present address, and perhaps erased since, which no list shows;
        // or left another audience by it.
        let is_off = |soul: &Soul| {
            let email = canonical(&soul.spelled);
            let is_unsubscribed = contacts
                .get(&email)
                .is_some_and(|contact| contact.status == "unsubscribed");
            self.left_at.contains(&email)
                || is_unsubscribed
                || self.unseen.iter().any(|one| one.email == email)
        };
        let says_no = |(id, soul): (&i64, &Soul)| {
            refuses(soul) || self.left.contains(id) || self.may_have_left.contains(id)
        };
        let said_no = self.holders(email).any(says_no)
            || owner.is_some_and(|owner| says_no(owner) || is_off(owner.1));
        if !said_no {
            self.wrong(Rule::Unasked, email);
        }
        if there.is_foreign {
            self.wrong(Rule::Foreign, email);
        }
        // How it was archived does not show any more.
        if !there.is_in() {
            self.unseen.retain(|one| one.email != email);
        }
        let off: Vec<i64> = self
            .holders(email)
            .filter(|(_, soul)| refuses(soul))
            .map(|(id, _)| *id)
            .collect();
        self.left.extend(&off);
        self.left.extend(
            there
                .owner
                .filter(|id| self.served.get(id).is_some_and(refuses)),
        );
        self.may_have_left.extend(
            self.holders(email)
                .map(|(id, _)| *id)
                .chain(there.owner)
                .collect::<Vec<_>>(),
        );
        self.left_at.insert(email.to_owned());
        self.off.insert(email.to_owned());
    }

    /// A delivery came to its end. `told`: addresses of which an audit says that they are mailed
    /// though somebody refuses.
    pub(super) fn end_delivery(&mut self, world: &World, told: &BTreeSet<String>) {
        let contacts = &world.audiences[world.current].contacts;
        for (email, contact) in contacts.iter().filter(|(_, contact)| contact.is_in()) {
            let speakers = self.speakers(email);
            let owner_refuses = contact
                .owner
                .and_then(|id| self.served.get(&id))
                .is_some_and(refuses);
            let holder_refuses = self.holders(email).any(|(_, soul)| refuses(soul));
            if contact.by_program
                && (self.is_refused(email)
                    || speakers.is_empty() && (holder_refuses || owner_refuses))
            {
                self.wrong(Rule::RefuserMailed, email);
            }
            let is_left_to = |(id, soul): (&i64, &Soul)| {
                self.left.contains(id)
                    && !soul.is_gone
                    && contact.owner.is_some_and(|owner| owner != *id)
            };
            let stays = |(id, soul): (&i64, &Soul)| {
                soul.opt_in == Some(true) && !soul.is_gone && !self.left.contains(id)
            };
            if contact.by_program
                && self.holders(email).any(is_left_to)
                && !self.holders(email).any(stays)
            {
                self.wrong(Rule::LeaverMailed, email);
            }
            if contact.is_foreign && self.is_refused(email) && !told.contains(email) {
                self.wrong(Rule::Untold, email);
            }
        }
        let refused: Vec<String> = self
            .served
            .values()
            .filter(|soul| refuses(soul))
            .map(|soul| canonical(&soul.spelled))
            .collect();
        let refusers: BTreeSet<i64> = self
            .served
            .iter()
            .filter(|(_, soul)| refuses(soul))
            .map(|(id, _)| *id)
            .collect();
        for ((_, email), owner) in &self.dropped {
            if refused.contains(email) || owner.is_some_and(|id| refusers.contains(&id)) {
                self.unclear.insert(email.clone());
                self.may_have_left
                    .extend(Self::ids_at(&self.served, email).iter().chain(owner));
            }
        }
        for (id, soul) in self.served.clone() {
            let email = canonical(&soul.spelled);
            if contacts
                .get(&email)
                .is_some_and(|contact| !contact.is_in() && !contact.is_bounced())
            {
                self.may_have_left.insert(id);
                if !self.off.contains(&email) || refuses(&soul) {
                    self.left.insert(id);
                }
            }
        }
        for (id, soul) in self.served.clone() {
            let email = canonical(&soul.spelled);
            let is_left_alone =
                (0..2).any(|which| self.left_alone.contains(&(which, email.clone())));
            let is_bounced = self.bounced.contains(&email);
            let is_out = self.left_at.contains(&email) || is_left_alone;
            if world
                .audiences
                .iter()
                .any(|one| one.forgotten.contains(&email))
                || is_out && !is_bounced
            {
                self.may_have_left.insert(id);
            }
            // Whoever is skipped since the address left is not to be put there under another one.
            let is_known = contacts.contains_key(&email) || self.renamed.contains(&email);
            let is_skipped = self.left_at.contains(&email)
                && !is_bounced
                && !self.off.contains(&email)
                && !is_known;
            if is_skipped && self.speakers(&email).contains(&id) && !self.is_refused(&email) {
                self.left.insert(id);
            }
        }
        for email in self
            .served
            .values()
            .map(|soul| canonical(&soul.spelled))
            .collect::<BTreeSet<_>>()
        {
            let speakers = self.speakers(&email);
            let is_wanted =
                !speakers.is_empty() && !self.is_refused(&email) && !contacts.contains_key(&email);
            let key = (world.current, email.clone());
            let is_out = self.left_at.contains(&email)
                || (0..2).any(|which| self.left_alone.contains(&(which, email.clone())))
                || self.unclear.contains(&email)
                || self.renamed.contains(&email)
                || world
                    .audiences
                    .iter()
                    .any(|one| one.forgotten.contains(&email));
            if !is_wanted
                || is_out
                || self
                    .holders(&email)
                    .any(|(id, _)| self.may_have_left.contains(id) || self.left.contains(id))
            {
                continue;
            }
            // Whoever did not confirm is asked again once they say yes again, here or at another
            // address.
            let by_person = self.dropped.iter().filter(|((which, _), owner)| {
                *which == key.0 && owner.is_some_and(|id| speakers.contains(&id))
            });
            let asked: Vec<Time> = by_person
                .filter_map(|(key, _)| self.asked.get(key))
                .chain(self.asked.get(&key))
                .copied()
                .collect();
            if asked.is_empty() {
                self.wrong(Rule::Missing, &email);
            } else if speakers
                .iter()
                .filter_map(|id| self.served.get(id))
                .all(|soul| asked.iter().all(|asked| soul.decided_at > *asked))
            {
                self.wrong(Rule::NotAskedAgain, &email);
            }
        }
        self.settled.clone_from(&self.served);
    }
}
