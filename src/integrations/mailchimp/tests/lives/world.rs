//! The two worlds of a life: supporters at Classy, contacts at Mailchimp, and what people do in
//! them.

use super::super::day;
use super::audience::{Audience, Contact};
use super::rule::Way;
use super::truth::Truth;
use crate::domain::Time;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Decides what happens; the same seed, the same life.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }
}

/// Supporters at the beginning.
pub(super) const PEOPLE: i64 = 7;

/// A supporter at Classy.
#[derive(Debug, Clone)]
pub(super) struct Soul {
    pub(super) spelled: String,
    pub(super) opt_in: Option<bool>,
    pub(super) decided_at: Time,
    pub(super) is_gone: bool,
}

pub(super) struct World {
    pub(super) now: Time,
    pub(super) dice: Dice,
    pub(super) souls: BTreeMap<i64, Soul>,
    pub(super) audiences: [Audience; 2],
    /// The audience that is configured.
    pub(super) current: usize,
    pub(super) double_optin: bool,
    pub(super) truth: Truth,
    pub(super) log: Vec<String>,
    fresh: usize,
}

/// One spelling for one person, told apart from the program.
pub(super) fn canonical(spelled: &str) -> String {
    spelled.replace('\u{200b}', "").trim().to_lowercase()
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let mut dice = Dice(seed);
        let soul = |id: i64, dice: &mut Dice| Soul {
            spelled: format!("p{id}@x.org"),
            opt_in: [Some(true), Some(true), Some(true), Some(false), None][dice.roll(5)],
            decided_at: day(0),
            is_gone: false,
        };
        let souls: BTreeMap<i64, Soul> = (1..=PEOPLE).map(|id| (id, soul(id, &mut dice))).collect();
        let double_optin = dice.roll(4) == 0;
        let words: Vec<String> = souls
            .iter()
            .map(|(id, soul)| format!("{id}: {:?}", soul.opt_in))
            .collect();
        let told = format!(
            "life {seed}, asks first: {double_optin}; {}",
            words.join(", ")
        );
        World {
            now: day(100),
            dice,
            souls,
            audiences: Default::default(),
            current: 0,
            double_optin,
            truth: Truth::default(),
            log: vec![told],
            fresh: 0,
        }
    }

    /// Somebody may have been there before us, and may have left.
    pub(super) fn begin(&mut self, id: i64) {
        let email = format!("p{id}@x.org");
        match self.dice.roll(6) {
            0 => self.sign_up(&email),
            1 => {
                self.sign_up(&email);
                self.leave(0, &email);
            }
            _ => return,
        }
        let status = self.audiences[0]
            .contacts
            .get(&email)
            .map_or("erased", |contact| contact.status);
        self.log
            .push(format!("{email} is there before us: {status}"));
    }

    pub(super) fn audience(&mut self) -> &mut Audience {
        &mut self.audiences[self.current]
    }

    fn some(&mut self) -> i64 {
        let ids: Vec<i64> = self
            .souls
            .iter()
            .filter(|(_, soul)| !soul.is_gone)
            .map(|(id, _)| *id)
            .collect();
        ids[self.dice.roll(ids.len())]
    }

    fn soul(&mut self, id: i64) -> &mut Soul {
        self.souls.entry(id).or_insert_with(|| unreachable!("{id}"))
    }

    fn answer(&mut self, id: i64, opt_in: bool) {
        let now = self.now;
        let soul = self.soul(id);
        (soul.opt_in, soul.decided_at) = (Some(opt_in), now);
    }

    fn new_address(&mut self) -> String {
        self.fresh += 1;
        format!("fresh{}@x.org", self.fresh)
    }

    /// One thing happens.
    pub(super) fn step(&mut self) {
        self.now += TimeDelta::hours(1);
        let (one, other) = (self.some(), self.some());
        let (here, there) = (
            self.souls[&one].spelled.clone(),
            self.souls[&other].spelled.clone(),
        );
        let said = match self.dice.roll(20) {
            0 | 1 => {
                self.soul(one).spelled.clone_from(&there);
                self.soul(other).spelled.clone_from(&here);
                let no = self.dice.roll(3) > 0;
                if no {
                    self.answer(one, false);
                }
                format!("{one} and {other} swap addresses, {one} opts out: {no}")
            }
            2 | 3 => {
                self.answer(one, false);
                format!("{one} opts out")
            }
            4 => {
                self.answer(one, true);
                format!("{one} opts in")
            }
            5 => {
                let to = self.new_address();
                self.soul(one).spelled.clone_from(&to);
                format!("{one} moves to {to}")
            }
            6 => {
                let ways = [
                    canonical(&there),
                    format!("{there}\t"),
                    format!(" {}\n", there.to_uppercase()),
                    format!("{there}\u{200b}\u{a0}"),
                ];
                let to = ways[self.dice.roll(ways.len())].clone();
                self.soul(one).spelled.clone_from(&to);
                format!("{one} moves to {to:?}, the address of {other}")
            }
            7 => {
                let to = self.new_address();
                self.sign_up(&to);
                self.soul(one).spelled.clone_from(&to);
                format!("{one} moves to {to}, which signed up by a form")
            }
            // Somebody moves away, and a refuser has the old address.
            8 => {
                let to = self.new_address();
                let taken = self.dice.roll(2) == 0;
                if taken {
                    self.sign_up(&to);
                }
                self.soul(one).spelled.clone_from(&to);
                self.soul(other).spelled.clone_from(&here);
                self.answer(other, false);
                format!(
                    "{one} moves to {to} (taken: {taken}), {other} has the old address and opts out"
                )
            }
            9 => {
                // The last one stays, so that somebody can always do something.
                let present = self.souls.values().filter(|soul| !soul.is_gone).count();
                self.soul(one).is_gone = present > 1;
                format!("{one} is deleted at Classy")
            }
            10..=12 => {
                let which = self.dice.roll(4).min(1) * self.current;
                self.leave(which, &canonical(&here))
            }
            13 => {
                self.sign_up(&canonical(&here));
                format!("{here} signs up by a form")
            }
            14 => self.rename(&canonical(&here)),
            15 => {
                let id = self.souls.len() as i64 + 1;
                let addresses = self.truth.addresses();
                let spelled = if addresses.is_empty() {
                    self.new_address()
                } else {
                    addresses[self.dice.roll(addresses.len())].clone()
                };
                let opt_in = [Some(true), Some(false), None][self.dice.roll(3)];
                let said = format!("{id} is new at {spelled}, and says {opt_in:?}");
                self.souls.insert(
                    id,
                    Soul {
                        spelled,
                        opt_in,
                        decided_at: self.now,
                        is_gone: false,
                    },
                );
                said
            }
            16 => {
                self.current = 1 - self.current;
                format!("audience {} is configured", self.current)
            }
            17 => {
                self.now += TimeDelta::days(61);
                self.drop_unconfirmed();
                "61 days pass".to_owned()
            }
            18 => {
                let (now, email) = (self.now, canonical(&here));
                if let Some(contact) = self
                    .audience()
                    .contacts
                    .get_mut(&email)
                    .filter(|contact| contact.status == "pending")
                {
                    (contact.status, contact.changed) = ("subscribed", now);
                }
                format!("{here} confirms")
            }
            _ => {
                self.soul(one).opt_in = None;
                format!("of {one} no consent is known any more")
            }
        };
        self.log.push(said);
    }

    /// Mailchimp drops whoever did not confirm, without a word.
    fn drop_unconfirmed(&mut self) {
        let before = self.now - TimeDelta::days(60);
        for (which, audience) in self.audiences.iter_mut().enumerate() {
            audience.contacts.retain(|email, contact| {
                let is_dropped = contact.status == "pending" && contact.changed < before;
                if is_dropped {
                    self.truth
                        .dropped
                        .insert((which, email.clone()), contact.owner);
                }
                !is_dropped
            });
        }
    }

    fn sign_up(&mut self, email: &str) {
        let now = self.now;
        // Whether somebody who was dropped confirmed late or came by a form does not show.
        // Two contacts that take turns at an address between two looks are not told apart.
        if self.truth.renamed.contains(email) {
            return;
        }
        let key = (self.current, email.to_owned());
        let sent = self.truth.sending.get(&key).copied();
        let is_foreign = sent.is_none()
            && !self.truth.dropped.contains_key(&key)
            && !self.audience().replaced.contains(email);
        let audience = self.audience();
        audience.forgotten.remove(email);
        let name = audience.name();
        let contact = audience
            .contacts
            .entry(email.to_owned())
            .or_insert(Contact {
                status: "subscribed",
                name,
                by_program: false,
                is_foreign,
                is_heard: false,
                owner: None,
                changed: now,
                has_left: false,
            });
        // Of whoever is in already it does not show.
        contact.owner = contact.owner.filter(|_| contact.is_in()).or(sent);
        (
            contact.status,
            contact.by_program,
            contact.changed,
            contact.has_left,
        ) = ("subscribed", false, now, false);
        self.truth.come(self.current, email, &self.souls);
    }

    /// Leaves an audience in one of four ways.
    pub(super) fn leave(&mut self, which: usize, email: &str) -> String {
        let (way, now) = (self.dice.roll(4), self.now);
        let audience = &mut self.audiences[which];
        let Some(contact) = audience.contacts.get_mut(email) else {
            return format!("{email} is nobody there");
        };
        let word = ["unsubscribed", "cleaned", "archived", "erased"][way];
        let before = contact.clone();
        (contact.status, contact.changed) = (word, now);
        contact.has_left |= word != "cleaned";
        let is_bounce = contact.is_bounced();
        if word == "erased" {
            audience.contacts.remove(email);
            audience.forgotten.insert(email.to_owned());
            audience
                .replaced
                .extend(Some(email.to_owned()).filter(|_| before.by_program));
        }
        if before.is_in() || before.is_bounced() && !is_bounce {
            self.truth.leave(
                which,
                email,
                &before,
                if is_bounce {
                    Way::Bounced
                } else {
                    Way::of(word)
                },
            );
        }
        format!("{email} is {word} in audience {which}")
    }

    fn rename(&mut self, email: &str) -> String {
        let (to, now) = (self.new_address(), self.now);
        let audience = self.audience();
        let Some(mut contact) = audience.contacts.remove(email) else {
            return format!("{email} is nobody there");
        };
        contact.changed = now;
        if !std::mem::take(&mut contact.is_heard) {
            // Nobody could tell whose it is.
            (contact.by_program, contact.owner) = (false, None);
        }
        audience.contacts.insert(to.clone(), contact);
        self.truth.takes(self.current, email, &to);
        format!("{email} is {to} at Mailchimp")
    }
}
