//! Random lives: people change what they say, where they are reached and whom they share an address
//! with, on both sides, while deliveries go on. After each delivery the rules of consent are held
//! against the two worlds themselves, told apart from the program.
//!
//! `CLASSY_SYNC_LIVES=200` lives that many; `CLASSY_SYNC_LIFE=17` one again.

use super::Charity;
use crate::backend::Kind;
use crate::site::{ORGANIZATION, world};
use chrono::{TimeDelta, Utc};
use classy_sync::simulator::{Act, Kind as List, Status};
use std::collections::{BTreeMap, BTreeSet};

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

    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() {
            None
        } else {
            all.get(self.roll(all.len()))
        }
    }
}

/// A supporter as Classy shows them at a moment.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: i64,
    /// Trimmed of every kind of white space and in lower case.
    pub(super) address: String,
    pub(super) opt_in: Option<bool>,
    /// Not there any more since.
    pub(super) is_gone: bool,
}

/// Who is at Classy now.
pub(super) fn people(charity: &Charity) -> Vec<Person> {
    let mut world = charity.site.simulator.world();
    let list = world.list(ORGANIZATION, List::Supporters).unwrap();
    let read = |record: &classy_sync::simulator::Record| {
        let literal = record.get("email_address").unwrap_or_default();
        let email: String = serde_json::from_str(&literal).unwrap_or_default();
        let opt_in = match record.get("opt_in").as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        Person {
            id: record.id,
            address: canonical(&email),
            opt_in,
            is_gone: false,
        }
    };
    list.iter()
        .map(read)
        .filter(|person| person.address.contains('@'))
        .collect()
}

/// Without white space around it and what nobody sees, in lower case.
pub(super) fn canonical(email: &str) -> String {
    email.replace('\u{200b}', "").trim().to_lowercase()
}

pub(super) struct Life {
    pub(super) charity: Charity,
    pub(super) dice: Dice,
    /// People who left Mailchimp, or were taken off there, and have not come back by a form since.
    left: BTreeSet<i64>,
    /// The same, and those whose address bounced before this program came.
    out: BTreeSet<i64>,
    fresh: usize,
    pub(super) log: Vec<String>,
}

impl Life {
    pub(super) const fn out(&self) -> &BTreeSet<i64> {
        &self.out
    }

    /// One thing happens at Classy or at Mailchimp.
    pub(super) fn step(&mut self) {
        let people = people(&self.charity);
        let (Some(one), Some(other)) = (
            self.dice.pick(&people).cloned(),
            self.dice.pick(&people).cloned(),
        ) else {
            return;
        };
        let roll = self.dice.roll(15);
        let email = |address: &str| serde_json::to_string(address).unwrap();
        let said = match roll {
            // Two exchange their addresses, and perhaps one of them says no.
            0 | 1 => {
                self.charity
                    .edit(one.id, "email_address", &email(&other.address));
                self.charity
                    .edit(other.id, "email_address", &email(&one.address));
                let no = self.dice.roll(3) > 0;
                if no {
                    self.charity.opt(one.id, false);
                }
                format!(
                    "{} and {} swap addresses{}",
                    one.id,
                    other.id,
                    if no { ", the first opts out" } else { "" }
                )
            }
            2 | 3 => {
                self.charity.opt(one.id, false);
                format!("{} opts out", one.id)
            }
            4 => {
                self.charity.opt(one.id, true);
                format!("{} opts in", one.id)
            }
            // Moves to an address of nobody, of somebody else, or one that signed up by a form.
            5 => {
                self.fresh += 1;
                let to = format!("fresh{}@example.org", self.fresh);
                self.charity.edit(one.id, "email_address", &email(&to));
                format!("{} moves to {to}", one.id)
            }
            6 => {
                let spelled = [
                    other.address.clone(),
                    format!("{}\t", other.address),
                    format!(" {}\n", other.address.to_uppercase()),
                    format!("{}\u{200b}\u{a0}", other.address),
                ];
                let to = spelled[self.dice.roll(spelled.len())].clone();
                self.charity.edit(one.id, "email_address", &email(&to));
                format!("{} moves to the address of {} ({to:?})", one.id, other.id)
            }
            7 => {
                self.fresh += 1;
                let to = format!("form{}@example.org", self.fresh);
                self.charity.act(Act::SignUp(to.clone()));
                self.charity.edit(one.id, "email_address", &email(&to));
                format!("{} moves to {to}, which signed up by a form", one.id)
            }
            // Somebody moves away, and a refuser has the old address.
            8 => {
                self.fresh += 1;
                let to = format!("fresh{}@example.org", self.fresh);
                let taken = self.dice.roll(2) == 0;
                if taken {
                    self.charity.act(Act::SignUp(to.clone()));
                }
                self.charity.edit(one.id, "email_address", &email(&to));
                self.charity
                    .edit(other.id, "email_address", &email(&one.address));
                self.charity.opt(other.id, false);
                format!(
                    "{} moves to {to} (taken: {taken}), {} has the old address and opts out",
                    one.id, other.id
                )
            }
            9 => {
                assert!(self.charity.site.simulator.world().delete(
                    ORGANIZATION,
                    List::Supporters,
                    one.id
                ));
                format!("{} is deleted at Classy", one.id)
            }
            10..=12 => {
                let way =
                    [Act::Unsubscribe, Act::Clean, Act::Archive, Act::Erase][self.dice.roll(4)];
                let audience = self.charity.audience.clone();
                let act = way(one.address.clone());
                let was = self.charity.status(&one.address);
                if !self.charity.site.simulator.mailchimp().act(&audience, &act) {
                    return;
                }
                // Whom we had taken off for somebody else's refusal said nothing by it.
                let is_bounce = matches!(act, Act::Clean(_));
                if ["subscribed", "pending"].contains(&was) && !is_bounce {
                    self.left.extend(
                        people
                            .iter()
                            .filter(|person| person.address == one.address)
                            .map(|person| person.id),
                    );
                }
                format!("{act:?} ({})", one.id)
            }
            13 => {
                let audience = self.charity.audience.clone();
                let known = self.charity.site.simulator.mailchimp().audiences[&audience]
                    .member(&one.address)
                    .is_some();
                self.charity.act(Act::SignUp(one.address.clone()));
                for person in people.iter().filter(|person| person.address == one.address) {
                    self.left.remove(&person.id);
                }
                format!("{} signs up by a form (known: {known})", one.id)
            }
            _ => {
                self.charity.touch(one.id);
                format!("{} changes nothing of importance", one.id)
            }
        };
        self.log.push(said);
    }

    /// Reads, delivers until nothing waits, and looks.
    async fn deliver(&mut self) {
        self.log.push("-- delivery".to_owned());
        self.charity.site.simulator.mailchimp().ledger.clear();
        let before: BTreeMap<i64, Person> = people(&self.charity)
            .into_iter()
            .map(|person| (person.id, person))
            .collect();
        self.charity.read();
        // Hours pass, until nobody is put off any more.
        for round in 0..5 {
            let done = self
                .charity
                .deliver_at(Utc::now() + TimeDelta::hours(2 * round))
                .await
                .unwrap();
            self.look(&before);
            if done.deferred == 0 {
                break;
            }
        }
        // Who was taken off left as a person.
        let off: BTreeSet<String> = self
            .charity
            .harm()
            .unsubscriptions
            .iter()
            .map(|mark| mark.email.clone())
            .collect();
        let refusers = before
            .values()
            .filter(|person| off.contains(&person.address) && person.opt_in == Some(false));
        self.left.extend(refusers.map(|person| person.id));
    }

    fn look(&self, people: &BTreeMap<i64, Person>) {
        let told = || format!("\n{}", self.log.join("\n"));
        let harm = self.charity.harm();
        assert_eq!(harm.found(), [] as [String; 0], "{}", told());
        // Nobody stands by our doing at an address whose holder refuses.
        let chimp = self.charity.site.simulator.mailchimp();
        let audience = &chimp.audiences[&self.charity.audience];
        for person in people
            .values()
            .filter(|person| person.opt_in == Some(false))
        {
            let mailed = audience.member(&person.address).is_some_and(|member| {
                member.by_program && [Status::Subscribed, Status::Pending].contains(&member.status)
            });
            assert!(
                !mailed,
                "supporter {} said no, and is mailed at {}{}",
                person.id,
                person.address,
                told()
            );
        }
        // Nobody who left is put there again, under whatever address.
        for write in harm
            .writes
            .iter()
            .filter(|write| write.before.is_none() && write.after == Some(Status::Subscribed))
        {
            let holders: Vec<&Person> = people
                .values()
                .filter(|person| person.address == write.email && person.opt_in == Some(true))
                .collect();
            assert!(
                holders.iter().any(|person| !self.left.contains(&person.id)),
                "{} was put there, and whoever has the address left before: {holders:?}{}",
                write.email,
                told()
            );
        }
    }
}

/// A life at its beginning.
pub(super) fn begin(charity: Charity, seed: u64) -> Life {
    let mut life = Life {
        charity,
        dice: Dice(seed),
        left: BTreeSet::new(),
        out: BTreeSet::new(),
        fresh: 0,
        log: vec![format!("life {seed}")],
    };
    // Some were members before this program came, and some of them left.
    for person in people(&life.charity) {
        let audience = life.charity.audience.clone();
        match life.dice.roll(8) {
            0 => life.charity.act(Act::SignUp(person.address)),
            1 => {
                life.charity.act(Act::SignUp(person.address.clone()));
                let way =
                    [Act::Unsubscribe, Act::Clean, Act::Archive, Act::Erase][life.dice.roll(4)];
                let act = way(person.address);
                assert!(life.charity.site.simulator.mailchimp().act(&audience, &act));
                life.out.insert(person.id);
                if !matches!(act, Act::Clean(_)) {
                    life.left.insert(person.id);
                }
            }
            _ => {}
        }
    }
    life
}

async fn live(seed: u64) {
    println!("life {seed}");
    let mut life = begin(
        Charity::new(Kind::Sqlite, world(14, 1_000 + seed)).await,
        seed,
    );
    life.deliver().await;
    for _ in 0..5 {
        for _ in 0..=life.dice.roll(5) {
            life.step();
        }
        life.deliver().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_random_lives_an_opt_out_always_wins() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds: Vec<u64> = match number("CLASSY_SYNC_LIFE") {
        Some(seed) => vec![seed],
        None => (0..number("CLASSY_SYNC_LIVES").unwrap_or(12)).collect(),
    };
    for seed in seeds {
        live(seed).await;
    }
}
