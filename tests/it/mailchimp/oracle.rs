//! What is true of consent in a history, told apart from the program: who refuses as Classy was
//! last served, whom the program put where, who left Mailchimp, and what no member may therefore
//! be. Requests are judged in `judge`.

mod judge;

use super::Charity;
use super::lives::{Person, people};
use classy_sync::simulator::{Audience, Harm, Status, Write};
use std::collections::{BTreeMap, BTreeSet};

/// A member as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    status: Status,
    by_program: bool,
}

impl Seen {
    fn is_in(self) -> bool {
        is_in(Some(self.status))
    }
}

fn is_in(status: Option<Status>) -> bool {
    matches!(status, Some(Status::Subscribed | Status::Pending))
}

fn is_out(status: Option<Status>) -> bool {
    matches!(
        status,
        Some(Status::Unsubscribed | Status::Cleaned | Status::Archived)
    )
}

/// See the module.
#[derive(Default)]
pub(super) struct Truth {
    /// People as Classy showed them when a process last read; whoever vanished since, as they were.
    served: BTreeMap<i64, Person>,
    /// The same, of the last delivery that came to its end.
    settled: BTreeMap<i64, Person>,
    /// Whom each address that the program subscribed was for.
    placed: BTreeMap<String, BTreeSet<i64>>,
    /// People who left under an address under which the program knew them.
    left: BTreeSet<i64>,
    /// The same, and whoever else may have been taken for one of them.
    may_have_left: BTreeSet<i64>,
    /// Addresses at which somebody left at any time.
    left_at: BTreeSet<String>,
    /// The audience before people did something.
    before: BTreeMap<String, Seen>,
    /// Writes that were judged already.
    judged: usize,
    /// What was wrong so far.
    pub(super) wrong: Vec<String>,
}

impl Truth {
    fn picture(audience: &Audience) -> BTreeMap<String, Seen> {
        let seen = |member: &classy_sync::simulator::Member| Seen {
            status: member.status,
            by_program: member.by_program,
        };
        audience
            .members()
            .map(|member| (member.email.trim().to_lowercase(), seen(member)))
            .collect()
    }

    /// People are about to do something.
    pub(super) fn people_begin(&mut self, charity: &Charity) {
        self.before =
            Self::picture(&charity.site.simulator.mailchimp().audiences[&charity.audience]);
    }

    /// They did: who left by it, and who came by a form.
    pub(super) fn people_did(&mut self, charity: &Charity) {
        let after = Self::picture(&charity.site.simulator.mailchimp().audiences[&charity.audience]);
        let present = people(charity);
        for (email, before) in std::mem::take(&mut self.before) {
            let now = after.get(&email).copied();
            if before.is_in() && now.is_none_or(|now| is_out(Some(now.status))) {
                // A bounce is the address's; whether they said no before it shows to the program
                // alone.
                let left = now
                    .is_some_and(|now| now.status == Status::Cleaned)
                    .then(|| self.left.clone());
                self.leave(&email, &present);
                self.left = left.unwrap_or_else(|| std::mem::take(&mut self.left));
            }
        }
        for (email, now) in &after {
            if now.status == Status::Subscribed && !now.by_program {
                self.come(email, &present);
            }
        }
    }

    /// A contact got another address at Mailchimp.
    pub(super) fn renamed(&mut self, email: &str, to: &str) {
        // It is still the contact of whom the program knew it for.
        let is_known = |id: &i64| {
            self.settled
                .get(id)
                .is_some_and(|person| person.address == email)
        };
        if let Some(owners) = self
            .placed
            .remove(email)
            .filter(|owners| owners.iter().any(is_known))
        {
            self.placed.insert(to.to_owned(), owners);
        }
        self.before.remove(email);
        self.left_at.insert(email.to_owned());
        self.may_have_left.extend(
            self.served
                .values()
                .filter(|person| person.address == email)
                .map(|person| person.id),
        );
    }

    /// Somebody left at an address: whoever has it, as far as the program was told and had time to
    /// note it.
    pub(super) fn leave(&mut self, email: &str, present: &[Person]) {
        self.left_at.insert(email.to_owned());
        let at = |all: &BTreeMap<i64, Person>, id: &i64| {
            all.get(id).is_some_and(|person| person.address == email)
        };
        self.left.extend(
            self.served
                .keys()
                .filter(|id| at(&self.served, id) && at(&self.settled, id)),
        );
        self.left
            .extend(self.placed.get(email).into_iter().flatten());
        self.may_have_left.extend(
            self.served
                .keys()
                .filter(|id| at(&self.served, id) || at(&self.settled, id)),
        );
        self.may_have_left.extend(
            present
                .iter()
                .filter(|person| person.address == email)
                .map(|person| person.id),
        );
        self.may_have_left.extend(&self.left);
    }

    /// Somebody is there by their own doing.
    fn come(&mut self, email: &str, present: &[Person]) {
        self.placed.remove(email);
        let served = self
            .served
            .values()
            .filter(|person| person.address == email)
            .map(|person| person.id);
        for id in served
            .chain(
                present
                    .iter()
                    .filter(|person| person.address == email)
                    .map(|person| person.id),
            )
            .collect::<Vec<_>>()
        {
            self.left.remove(&id);
        }
    }

    /// A process is about to read Classy; `full`: it notices who vanished, too.
    pub(super) fn serve(&mut self, charity: &Charity, full: bool) {
        let present: BTreeMap<i64, Person> = people(charity)
            .into_iter()
            .map(|person| (person.id, person))
            .collect();
        let is_gone = |id: &i64| !present.contains_key(id);
        for person in self
            .served
            .values_mut()
            .filter(|person| full && is_gone(&person.id))
        {
            person.is_gone = true;
        }
        self.served.extend(present);
        // Whoever has an address now at which somebody is out is taken for them.
        let chimp = charity.site.simulator.mailchimp();
        let audience = &chimp.audiences[&charity.audience];
        let out = self
            .served
            .values()
            .filter(|person| is_out(audience.member(&person.address).map(|member| member.status)));
        self.may_have_left
            .extend(out.map(|person| person.id).collect::<Vec<_>>());
    }

    fn holders(&self, email: &str) -> impl Iterator<Item = &Person> {
        self.served
            .values()
            .filter(move |person| person.address == email)
    }

    fn speakers(&self, email: &str) -> BTreeSet<i64> {
        self.holders(email)
            .filter(|person| person.opt_in == Some(true) && !person.is_gone)
            .map(|person| person.id)
            .collect()
    }

    /// The world has come to rest: nobody who refuses is mailed by our doing, and everybody else is
    /// there as they should be.
    pub(super) async fn at_rest(&mut self, charity: &Charity) {
        let refuses = |person: &Person| person.opt_in == Some(false);
        let wanted = charity.wanted().await;
        let (mut wrong, mut members) = (Vec::new(), BTreeMap::new());
        {
            let chimp = charity.site.simulator.mailchimp();
            let audience = &chimp.audiences[&charity.audience];
            for member in audience.members() {
                let email = member.email.trim().to_lowercase();
                let total = member
                    .fields
                    .get("TOTALAMT")
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let total = total.trim_matches('"').parse::<f64>().ok();
                members.insert(
                    email.clone(),
                    (member.status, audience.tags_of(&email), total),
                );
                if !member.by_program || !is_in(Some(member.status)) {
                    continue;
                }
                let owners: Vec<&Person> = self
                    .placed
                    .get(&email)
                    .into_iter()
                    .flatten()
                    .filter_map(|id| self.served.get(id))
                    .collect();
                if self.is_refused(&email) {
                    wrong.push(format!("{email} is mailed, and a holder refuses"));
                } else if self.speakers(&email).is_empty()
                    && !owners.is_empty()
                    && owners.iter().all(|person| refuses(person))
                {
                    wrong.push(format!(
                        "{email} is mailed, and whoever it was for refuses: {owners:?}"
                    ));
                }
            }
        }
        let addresses: BTreeSet<&String> =
            self.served.values().map(|person| &person.address).collect();
        for email in addresses {
            let speakers = self.speakers(email);
            let Some(id) = speakers.first().filter(|_| !self.is_refused(email)) else {
                continue;
            };
            let member = members.get(email);
            let is_excused = self.left_at.contains(email)
                || speakers.iter().any(|id| self.may_have_left.contains(id));
            let said = match member {
                Some((status, ..)) if is_out(Some(*status)) => continue,
                Some((status, tags, total)) if is_in(Some(*status)) => {
                    let (wanted, amount) = &wanted[email];
                    let ours: BTreeSet<String> = tags
                        .iter()
                        .filter(|tag| tag.starts_with(super::PREFIX))
                        .cloned()
                        .collect();
                    // Nothing is written to somebody who was asked and did not answer yet.
                    let is_exact =
                        *status == Status::Pending || ours == *wanted && *total == Some(*amount);
                    if is_exact || is_excused {
                        continue;
                    }
                    format!("has {ours:?} {total:?}, and should have {wanted:?} {amount}")
                }
                _ if is_excused => continue,
                _ => format!(
                    "consents, and is {:?} there",
                    member.map(|(status, ..)| status)
                ),
            };
            wrong.push(format!(
                "{email} of {speakers:?} {said}: {}",
                charity.fate(*id).await
            ));
        }
        self.wrong.extend(wrong);
    }

    fn is_refused(&self, email: &str) -> bool {
        self.holders(email)
            .any(|person| person.opt_in == Some(false) && !person.is_gone)
    }

    /// People who had left before the program came.
    pub(super) fn had_left(&mut self, charity: &Charity, ids: &BTreeSet<i64>) {
        self.may_have_left.extend(ids);
        self.left_at.extend(
            people(charity)
                .into_iter()
                .filter(|person| ids.contains(&person.id))
                .map(|person| person.address),
        );
    }

    /// Addresses that somebody had at any time, in order.
    pub(super) fn addresses(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.placed.keys().chain(&self.left_at).collect();
        all.into_iter().cloned().collect()
    }
}

/// What a history may not show of harm, for its last words.
pub(super) fn told(harm: &Harm) -> String {
    let say = |write: &Write| {
        let (before, after) = (
            write.before.map_or("-", Status::as_str),
            write.after.map_or("-", Status::as_str),
        );
        let keys: Vec<&String> = write
            .sent
            .keys()
            .filter(|key| *key != "merge_fields" && *key != "email_address")
            .collect();
        format!(
            "    {} {} {:?} {before} -> {after} {}",
            write.endpoint,
            write.email,
            keys,
            write.refused.as_deref().unwrap_or_default()
        )
    };
    harm.writes.iter().map(say).collect::<Vec<_>>().join("\n")
}
