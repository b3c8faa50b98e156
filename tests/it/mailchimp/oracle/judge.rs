//! Each write of the program and each move of a member, judged by what was true when it was made.

use super::super::lives::Person;
use super::super::{Charity, schema};
use super::{Truth, is_in, is_out};
use classy_sync::simulator::Write;
use std::collections::{BTreeMap, BTreeSet};

impl Truth {
    /// A process ended: every request that it made is judged by what it had been served.
    pub(in crate::mailchimp) fn judge(&mut self, charity: &Charity, is_settled: bool) {
        let harm = charity.harm();
        self.wrong.extend(harm.found());
        self.wrong
            .extend(harm.requests.iter().flat_map(schema::faults));
        let writes: Vec<Write> = harm.writes.iter().skip(self.judged).cloned().collect();
        self.judged = harm.writes.len();
        for write in &writes {
            self.judge_write(charity, write);
        }
        self.follow_moves(charity, &writes);
        let mut mails: BTreeMap<&str, usize> = BTreeMap::new();
        for mark in &harm.confirmation_mails {
            *mails.entry(mark.email.as_str()).or_default() += 1;
        }
        self.wrong.extend(
            mails
                .into_iter()
                .filter(|(_, count)| *count > 1)
                .map(|(email, count)| format!("{email} was asked {count} times")),
        );
        if is_settled {
            self.settled.clone_from(&self.served);
            let held: Vec<(String, BTreeSet<i64>)> = self
                .placed
                .keys()
                .map(|email| (email.clone(), self.speakers(email)))
                .collect();
            self.placed.extend(
                held.into_iter()
                    .filter(|(_, speakers)| !speakers.is_empty()),
            );
        }
    }

    fn judge_write(&mut self, charity: &Charity, write: &Write) {
        let email = write.email.as_str();
        let status = write.sent.get("status").and_then(serde_json::Value::as_str);
        if status.is_some_and(|status| status != "unsubscribed")
            || write.sent.contains_key("sync_tags")
        {
            self.wrong.push(format!(
                "{} of {email} sends {:?}",
                write.endpoint,
                write.keys()
            ));
        }
        if status == Some("unsubscribed") {
            let refuses = |person: &Person| person.opt_in == Some(false);
            let owners: Vec<&Person> = self
                .placed
                .get(email)
                .into_iter()
                .flatten()
                .filter_map(|id| self.served.get(id))
                .collect();
            let chimp = charity.site.simulator.mailchimp();
            let is_off = |person: &&Person| {
                is_out(
                    chimp.audiences[&charity.audience]
                        .member(&person.address)
                        .map(|member| member.status),
                )
            };
            // Whoever left under another address gets nobody's contact.
            let says_no =
                |person: &Person| refuses(person) || self.may_have_left.contains(&person.id);
            if !self.holders(email).any(says_no)
                && !owners
                    .iter()
                    .any(|person| refuses(person) || is_off(person))
            {
                self.wrong
                    .push(format!("{email} is unsubscribed, and nobody said no"));
            }
            if is_out(write.after) {
                let off: Vec<i64> = self
                    .holders(email)
                    .chain(owners)
                    .filter(|person| refuses(person))
                    .map(|person| person.id)
                    .collect();
                self.left.extend(&off);
                self.may_have_left.extend(off);
                self.may_have_left.extend(
                    self.holders(email)
                        .map(|person| person.id)
                        .collect::<Vec<_>>(),
                );
                self.left_at.insert(email.to_owned());
            }
        }
        let would_subscribe = write.sent.contains_key("status_if_new")
            && (write.before.is_none() || is_out(write.before));
        if !would_subscribe {
            return;
        }
        let speakers = self.speakers(email);
        if self.is_refused(email) {
            self.wrong
                .push(format!("{email} is sent, and a holder refuses"));
        }
        if speakers.iter().all(|id| self.left.contains(id)) {
            self.wrong.push(format!(
                "{email} is put there, and whoever has it left before: {speakers:?}"
            ));
        }
        if is_in(write.after) {
            self.placed.insert(email.to_owned(), speakers);
        }
    }

    /// Members of people who moved are where these people are now.
    fn follow_moves(&mut self, charity: &Charity, writes: &[Write]) {
        let chimp = charity.site.simulator.mailchimp();
        let audience = &chimp.audiences[&charity.audience];
        let vanished: Vec<String> = self
            .placed
            .keys()
            .filter(|email| audience.member(email).is_none())
            .cloned()
            .collect();
        let moved: BTreeSet<&str> = writes
            .iter()
            .filter(|write| {
                write.endpoint.starts_with("PATCH")
                    && write.sent.contains_key("email_address")
                    && write.after.is_some()
            })
            .map(|write| write.email.as_str())
            .collect();
        for email in vanished {
            let owners = self.placed.remove(&email).unwrap_or_default();
            let to = owners
                .iter()
                .filter_map(|id| self.served.get(id))
                .find(|person| moved.contains(person.address.as_str()));
            if let Some(to) = to.map(|person| person.address.clone()) {
                self.placed.insert(to, owners);
            }
        }
    }
}
