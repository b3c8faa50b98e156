//! What must hold in a life, told apart from the program: who refuses as Classy was last served,
//! who left and where.

use super::audience::Contact;
use super::rule::{Rule, Way};
use super::world::{Soul, canonical};
use crate::domain::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody left an audience.
pub(super) struct Leaving {
    pub(super) which: usize,
    pub(super) email: String,
    pub(super) way: Way,
    /// That it was erased can be known, by asking for it.
    pub(super) may_be_asked: bool,
    /// Whoever had the address, and for whom it was delivered, as far as the program knew the
    /// contact.
    pub(super) people: BTreeSet<i64>,
    /// For whom it was delivered, if the program put it there.
    pub(super) owner: Option<i64>,
}

/// What is so, as far as anybody can know it, and what was wrong so far.
#[derive(Default)]
pub(super) struct Truth {
    /// People as they were last shown; whoever vanished since, as they were.
    pub(super) served: BTreeMap<i64, Soul>,
    /// The same, of the last delivery that came to its end.
    pub(super) settled: BTreeMap<i64, Soul>,
    pub(super) left: BTreeSet<i64>,
    pub(super) may_have_left: BTreeSet<i64>,
    pub(super) left_at: BTreeSet<String>,
    /// The same, of nobody who is known, by audience.
    pub(super) left_alone: BTreeSet<(usize, String)>,
    /// Those of them that are only bad: it says nothing of whoever has one.
    pub(super) bounced: BTreeSet<String>,
    /// Addresses that we took off for somebody's refusal: it is theirs alone.
    pub(super) off: BTreeSet<String>,
    /// Where the program sent people, and may not have heard what became of them: whoever is there
    /// then, it takes for them.
    pub(super) sending: BTreeMap<(usize, String), i64>,
    /// Who was asked to confirm, and the program may not have heard that they were.
    pub(super) asking: BTreeMap<(usize, String), Time>,
    /// When, by audience and address.
    pub(super) asked: BTreeMap<(usize, String), Time>,
    /// Whoever did not confirm, by audience and address, and whom they were asked for.
    pub(super) dropped: BTreeMap<(usize, String), Option<i64>>,
    /// Addresses at which somebody refused whom Mailchimp had dropped: what the program made of it
    /// does not show there.
    pub(super) unclear: BTreeSet<String>,
    /// Leavings of which the program has not heard.
    pub(super) unseen: Vec<Leaving>,
    /// Whoever came by a form, by audience and address, until the program looks.
    pub(super) came: BTreeSet<(usize, String)>,
    /// The same, where the program had taken somebody off.
    pub(super) came_off: BTreeSet<(usize, String)>,
    pub(super) renamed: BTreeSet<String>,
    /// Addresses that contacts took at Mailchimp since the program looked, each with those of
    /// before, by audience.
    pub(super) took: BTreeMap<(usize, String), BTreeSet<String>>,
    /// Somebody whom the program put into the other audience is there still.
    pub(super) is_kept_up: bool,
    pub(super) wrong: Vec<(Rule, String)>,
}

/// An address at which somebody left otherwise, too, is not only bad.
fn note_bounce(bounced: &mut BTreeSet<String>, one: &Leaving) {
    bounced.remove(&one.email);
    bounced.extend(Some(one.email.clone()).filter(|_| one.way == Way::Bounced));
}

pub(super) fn refuses(soul: &Soul) -> bool {
    soul.opt_in == Some(false)
}

impl Truth {
    /// Everybody as the program was shown them.
    pub(super) const fn served(&self) -> &BTreeMap<i64, Soul> {
        &self.served
    }

    pub(super) fn serve(&mut self, souls: &BTreeMap<i64, Soul>) {
        for (id, soul) in souls {
            match (soul.is_gone, self.served.get_mut(id)) {
                (false, _) => drop(self.served.insert(*id, soul.clone())),
                (true, Some(known)) => known.is_gone = true,
                (true, None) => {}
            }
        }
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        let of_people = self.settled.values().map(|soul| canonical(&soul.spelled));
        of_people
            .chain(self.left_at.iter().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    pub(super) fn ids_at(souls: &BTreeMap<i64, Soul>, email: &str) -> BTreeSet<i64> {
        souls
            .iter()
            .filter(|(_, soul)| canonical(&soul.spelled) == email)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn holders(&self, email: &str) -> impl Iterator<Item = (&i64, &Soul)> {
        self.served
            .iter()
            .filter(move |(_, soul)| canonical(&soul.spelled) == email)
    }

    pub(super) fn speakers(&self, email: &str) -> BTreeSet<i64> {
        self.holders(email)
            .filter(|(_, soul)| soul.opt_in == Some(true) && !soul.is_gone)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn is_refused(&self, email: &str) -> bool {
        self.holders(email)
            .any(|(_, soul)| refuses(soul) && !soul.is_gone)
    }

    /// Somebody left by an address: those whom the program knew there, if it knew the contact.
    pub(super) fn leave(&mut self, which: usize, email: &str, contact: &Contact, way: Way) {
        let is_erased = way == Way::Erased;
        // Whoever comes by a form and leaves between two looks is not seen.
        if self.came_off.remove(&(which, email.to_owned())) {
            self.off.insert(email.to_owned());
            self.left_at.insert(email.to_owned());
            return;
        }
        self.off.remove(email);
        if way == Way::Bounced {
            // It is bad in every audience, also where nobody of ours had it.
            self.unclear.insert(email.to_owned());
            let (people, owner) = (
                BTreeSet::new(),
                contact
                    .owner
                    .filter(|_| contact.is_heard && contact.by_program),
            );
            self.unseen.push(Leaving {
                which,
                email: email.to_owned(),
                way,
                may_be_asked: false,
                people,
                owner,
            });
            return;
        }
        let (served, settled) = (
            Self::ids_at(&self.served, email),
            Self::ids_at(&self.settled, email),
        );
        // Of an erasure only whoever it was delivered for can be told, since nothing is shown there
        // any more.
        let holders = served.intersection(&settled).filter(|_| !is_erased);
        let known = holders
            .chain(&contact.owner)
            .copied()
            .filter(|_| contact.is_heard);
        // Whoever did not confirm may have been dropped.
        // Nor is anybody asked about, in another audience, whose address was bad before.
        let cannot_be_told = contact.status == "pending" || contact.is_bounced();
        let is_ours = contact.is_heard && contact.by_program && !(is_erased && cannot_be_told);
        let (people, owner) = (known.collect(), contact.owner.filter(|_| is_ours));
        self.unseen.push(Leaving {
            which,
            email: email.to_owned(),
            way,
            may_be_asked: false,
            people,
            owner,
        });
        self.may_have_left
            .extend(served.union(&settled).chain(&contact.owner));
        // Under which of its addresses it left does not show.
        for before in self
            .took
            .get(&(which, email.to_owned()))
            .into_iter()
            .flatten()
        {
            self.may_have_left.extend(
                Self::ids_at(&self.served, before).union(&Self::ids_at(&self.settled, before)),
            );
        }
    }

    /// The program looked at the audience: it shows who left, unless they were erased.
    pub(super) fn looked(&mut self, which: usize, contacts: &BTreeMap<String, Contact>) {
        self.took.retain(|(audience, _), _| *audience != which);
        let is_out = |soul: &Soul| {
            contacts
                .get(&canonical(&soul.spelled))
                .is_some_and(|contact| !contact.is_in() && !contact.is_bounced())
        };
        self.may_have_left.extend(
            self.served
                .iter()
                .filter(|(_, soul)| is_out(soul))
                .map(|(id, _)| *id),
        );
        self.came_off.retain(|(audience, _)| *audience != which);
        let came: Vec<(usize, String)> = self
            .came
            .extract_if(.., |(audience, _)| *audience == which)
            .collect();
        for (_, email) in came {
            self.came_back(&Self::ids_at(&self.served, &email));
        }
        let is_shown = |email: &String| {
            contacts
                .get(email)
                .is_some_and(|contact| contact.status == "pending")
        };
        self.asked
            .extend(self.asking.extract_if(.., |(audience, email), _| {
                *audience == which && is_shown(email)
            }));
        for one in self
            .unseen
            .extract_if(.., |one| one.which == which && one.way != Way::Erased)
        {
            note_bounce(&mut self.bounced, &one);
            // Whoever left before anybody had the address is known in this audience, and in others
            // as long as somebody of ours is here.
            let is_somebody = !one.people.is_empty()
                || self
                    .served
                    .values()
                    .any(|soul| canonical(&soul.spelled) == one.email);
            self.left.extend(one.people);
            if is_somebody {
                self.left_at.insert(one.email);
            } else {
                self.left_alone.insert((which, one.email));
            }
        }
    }

    /// The program is about to send people.
    pub(super) fn sends(&mut self, people: impl Iterator<Item = ((usize, String), i64)>) {
        self.sending.extend(people);
    }

    /// Mailchimp answered whom it took.
    pub(super) fn answered(&mut self, which: usize) {
        self.sending.retain(|(audience, _), _| *audience != which);
        self.asked.extend(
            self.asking
                .extract_if(.., |(audience, _), _| *audience == which),
        );
    }

    /// The program is about to ask for contacts singly, and is not told of those who are erased
    /// after it.
    pub(super) fn knows_erased(&mut self, which: usize) {
        self.unseen
            .iter_mut()
            .filter(|one| one.which == which)
            .for_each(|one| one.may_be_asked = true);
    }

    /// The program looked at an audience of before: of those whom it put there it sees who left,
    /// and at the first look also who was archived or erased.
    pub(super) fn looked_back(
        &mut self,
        which: usize,
        is_first: bool,
        contacts: &BTreeMap<String, Contact>,
    ) {
        self.took.retain(|(audience, _), _| *audience != which);
        self.is_kept_up = contacts
            .values()
            .any(|contact| contact.is_in() && contact.by_program && contact.is_heard);
        let is_archived = |email: &String| {
            contacts
                .get(email)
                .is_some_and(|contact| contact.status == "archived")
        };
        let is_seen = |one: &Leaving| {
            one.which == which
                && one.owner.is_some()
                && (is_first || one.way != Way::Erased && !is_archived(&one.email))
        };
        for one in self.unseen.extract_if(.., |one| is_seen(one)) {
            note_bounce(&mut self.bounced, &one);
            self.left
                .extend(one.owner.filter(|_| one.way != Way::Bounced));
            self.left_at.insert(one.email);
        }
    }

    /// Mailchimp refuses somebody since they were erased there.
    pub(super) fn refused(&mut self, email: &str, id: i64) {
        self.may_have_left.extend(Self::ids_at(&self.served, email));
        self.left.insert(id);
        self.left_at.insert(email.to_owned());
    }

    /// A contact took another address at Mailchimp.
    pub(super) fn takes(&mut self, which: usize, from: &str, to: &str) {
        self.moved(which, from, to);
        self.renamed.insert(from.to_owned());
        let mut before = self
            .took
            .remove(&(which, from.to_owned()))
            .unwrap_or_default();
        before.insert(from.to_owned());
        self.took.insert((which, to.to_owned()), before);
    }

    /// A contact has another address.
    pub(super) fn moved(&mut self, which: usize, from: &str, to: &str) {
        if let Some(asked) = self.asked.remove(&(which, from.to_owned())) {
            self.asked.insert((which, to.to_owned()), asked);
        }
        for one in self
            .unseen
            .iter_mut()
            .filter(|one| one.which == which && one.email == from)
        {
            to.clone_into(&mut one.email);
        }
    }

    /// Somebody is there by their own doing.
    pub(super) fn come(&mut self, which: usize, email: &str, souls: &BTreeMap<i64, Soul>) {
        self.came_off
            .extend(Some((which, email.to_owned())).filter(|_| self.off.contains(email)));
        for set in [
            &mut self.left_at,
            &mut self.bounced,
            &mut self.off,
            &mut self.renamed,
        ] {
            set.remove(email);
        }
        self.left_alone.retain(|(_, left)| left != email);
        self.came.insert((which, email.to_owned()));
        self.unseen.retain(|one| one.email != email);
        let key = (which, email.to_owned());
        self.asking.remove(&key);
        self.asked.remove(&key);
        self.dropped.remove(&key);
        self.came_back(
            &Self::ids_at(souls, email)
                .union(&Self::ids_at(&self.served, email))
                .copied()
                .collect(),
        );
    }

    fn came_back(&mut self, people: &BTreeSet<i64>) {
        self.left.retain(|id| !people.contains(id));
        for one in &mut self.unseen {
            one.people.retain(|id| !people.contains(id));
            one.owner = one.owner.filter(|id| !people.contains(id));
        }
    }
}
