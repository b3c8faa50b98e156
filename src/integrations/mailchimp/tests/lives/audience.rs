//! An audience at Mailchimp as a life has it: its contacts, and what calls do to them.

use crate::domain::Time;
use std::collections::{BTreeMap, BTreeSet};

/// A contact at Mailchimp.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub(super) status: &'static str,
    /// The same whatever the address becomes.
    pub(super) name: String,
    /// The program put it there, and the person has not come by a form since.
    pub(super) by_program: bool,
    /// Made by a form, so it was never the program's.
    pub(super) is_foreign: bool,
    /// The program looked at the audience since it is there under this address.
    pub(super) is_heard: bool,
    /// For whom it was last delivered.
    pub(super) owner: Option<i64>,
    pub(super) changed: Time,
    /// Somebody said no, or put it away: more than a bounce.
    pub(super) has_left: bool,
}

impl Contact {
    pub(super) fn is_bounced(&self) -> bool {
        self.status == "cleaned" && !self.has_left
    }

    /// What Mailchimp tells of it: whoever said no before their address bounced is known by that.
    pub(super) const fn reason(&self) -> &'static str {
        if self.has_left {
            "N/A (No reason given)"
        } else {
            ""
        }
    }

    pub(super) fn is_in(&self) -> bool {
        ["subscribed", "pending"].contains(&self.status)
    }
}

#[derive(Default)]
pub(super) struct Audience {
    pub(super) contacts: BTreeMap<String, Contact>,
    /// Erased though the program had put them there: it may take whoever comes by a form instead
    /// for them.
    pub(super) replaced: BTreeSet<String>,
    /// Erased; taken again only by a form.
    pub(super) forgotten: BTreeSet<String>,
    made: usize,
}

/// What a call is answered.
pub(super) enum Answer {
    Done { is_new: bool },
    Missing,
    Refused(&'static str),
}

impl Audience {
    pub(super) fn name(&mut self) -> String {
        self.made += 1;
        format!("contact{}", self.made)
    }

    /// One person of a batch.
    pub(super) fn subscribe(
        &mut self,
        email: &str,
        status_if_new: &'static str,
        now: Time,
    ) -> Answer {
        if self.forgotten.contains(email) {
            return Answer::Refused(
                "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.",
            );
        }
        let name = self.name();
        let there = self.contacts.entry(email.to_owned()).or_insert(Contact {
            status: "",
            name,
            by_program: true,
            is_foreign: false,
            is_heard: false,
            owner: None,
            changed: now,
            has_left: false,
        });
        there.changed = now;
        let is_new = ["", "archived"].contains(&there.status);
        if is_new {
            there.status = status_if_new;
        }
        Answer::Done { is_new }
    }

    pub(super) fn rename_to(&mut self, from: &str, to: &str, now: Time) -> Answer {
        if !self.contacts.contains_key(from) {
            return Answer::Missing;
        }
        if self.contacts.contains_key(to) || self.forgotten.contains(to) {
            return Answer::Refused("is already a list member");
        }
        if let Some(mut contact) = self.contacts.remove(from) {
            contact.changed = now;
            self.contacts.insert(to.to_owned(), contact);
        }
        Answer::Done { is_new: false }
    }

    pub(super) fn unsubscribe(&mut self, email: &str, now: Time) -> Answer {
        let Some(contact) = self.contacts.get_mut(email) else {
            return Answer::Missing;
        };
        (contact.status, contact.changed, contact.has_left) = ("unsubscribed", now, true);
        Answer::Done { is_new: false }
    }
}
