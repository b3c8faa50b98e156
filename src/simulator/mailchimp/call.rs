//! One call on an audience, with all that it may look at and change; and the changes that are
//! watched for harm.

use super::audience::Audience;
use super::harm::{Harm, Mark, word};
use super::member::{Member, key_of};
use super::status::{Left, Status};
use super::switches::Switches;
use super::webhook::{Event, What};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// A call on an audience.
pub(super) struct Call<'a> {
    pub(super) audience: &'a mut Audience,
    pub(super) harm: &'a mut Harm,
    pub(super) switches: &'a Switches,
    pub(super) news: &'a UnboundedSender<Event>,
    pub(super) endpoint: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) body: &'a [u8],
    /// The clock of the world, in seconds since 1970.
    pub(super) now: i64,
    /// The number of the call.
    pub(super) number: u64,
    pub(super) moment: Instant,
    /// Which members of a batch a fault strikes.
    pub(super) spoil: Spoil,
    /// Whether the address of a webhook that is to be made answers.
    pub(super) reachable: bool,
}

/// What a fault does to some members of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoil {
    Nothing,
    /// One in five fails.
    Partial(u64),
    /// One in five is in no part of the answer, and nothing was done.
    Vanish(u64),
}

impl Call<'_> {
    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter says yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.param(name)
            .is_some_and(|value| ["true", "1"].contains(&value))
    }

    pub(super) fn mark(&self, email: &str, what: impl Into<String>) -> Mark {
        Mark {
            audience: self.audience.id.clone(),
            email: key_of(email),
            what: what.into(),
        }
    }

    /// The next write about a member is not read at once, if so told.
    pub(super) fn lag(&mut self, index: u32) {
        self.audience
            .lag(index, Duration::from_millis(self.switches.lag_ms));
    }

    pub(super) fn tell(&mut self, index: u32, what: What) {
        let event = self
            .audience
            .member_at(index)
            .and_then(|member| Event::of(self.audience, member, what, "api", self.now));
        // Nobody is left to be told when the server is gone.
        event
            .into_iter()
            .for_each(|event| drop(self.news.send(event)));
    }

    /// A program gives a member another status, or a `created` one its first.
    pub(super) fn transition(&mut self, index: u32, new: Status, created: bool) {
        let Some(member) = self.audience.member_at(index) else {
            return;
        };
        let (old, left, email) = (member.status, member.left, member.email.clone());
        let was = if created {
            "was not there".to_owned()
        } else {
            format!("was {}", old.as_str())
        };
        let comes = matches!(new, Status::Subscribed | Status::Pending);
        if let Some(left) = left.filter(|_| comes && old != Status::Subscribed && old != new) {
            let mark = self.mark(&email, word(left));
            self.harm.resubscriptions.push(mark);
        }
        let goes = matches!(new, Status::Unsubscribed | Status::Cleaned) && new != old;
        if goes && !created {
            let mark = self.mark(&email, was.clone());
            self.harm.unsubscriptions.push(mark);
        }
        if new == Status::Archived {
            let mark = self.mark(&email, was.clone());
            self.harm.archived.push(mark);
        }
        if new == Status::Pending && old != Status::Pending {
            let mark = self.mark(&email, was);
            self.harm.confirmation_mails.push(mark);
        }
        let now = self.now;
        if let Some(member) = self.audience.member_mut(index) {
            member.settle(new, goes.then_some(Left::Api), now);
        }
        match new {
            Status::Subscribed if old != new => self.tell(index, What::Subscribe),
            Status::Unsubscribed if old != new => self.tell(index, What::Unsubscribe("unsub")),
            Status::Archived => self.tell(index, What::Unsubscribe("delete")),
            _ => {}
        }
    }

    /// A program puts tags on a member; missing ones are made. `quiet` lets no automation fire.
    pub(super) fn add_tags(&mut self, index: u32, names: &[String], quiet: bool) {
        for name in names {
            let tag = self.audience.tag(name);
            let tag = tag.unwrap_or_else(|| self.audience.add_segment(name, true, false, self.now));
            if self.audience.put_tag(index, tag, self.now) && !quiet {
                self.harm.automations_fired += 1;
            }
        }
    }

    /// A program takes a tag off a member. Answers whether it was there.
    pub(super) fn lose_tag(&mut self, index: u32, segment: u64) -> bool {
        let email = self
            .audience
            .member_at(index)
            .map(|member| member.email.clone())
            .unwrap_or_default();
        let foreign = self
            .audience
            .segments
            .get(&segment)
            .filter(|segment| segment.foreign)
            .map(|segment| segment.name.clone());
        let taken = self.audience.take_tag(index, segment, self.now);
        if let Some(name) = foreign.filter(|_| taken) {
            let mark = self.mark(&email, name);
            self.harm.foreign_tags_lost.push(mark);
        }
        taken
    }

    /// A foreign member as it is before a program writes; others need no watching.
    pub(super) fn before(&self, index: u32) -> Option<Member> {
        self.audience
            .member_at(index)
            .filter(|member| member.foreign)
            .cloned()
    }

    /// Writes down what a program did to a foreign member.
    pub(super) fn compare(&mut self, index: u32, before: Option<Member>) {
        let (Some(before), after) = (before, self.audience.member_at(index)) else {
            return;
        };
        let Some(after) = after else { return };
        let mut what = Vec::new();
        let mut see = |name: &str, differs: bool| what.extend(differs.then(|| name.to_owned()));
        see("email", before.email != after.email);
        see("status", before.status != after.status);
        see("merge_fields", before.fields != after.fields);
        see("tags", before.tags != after.tags);
        see("permissions", before.permissions != after.permissions);
        if !what.is_empty() {
            let mark = self.mark(&before.email, what.join(", "));
            self.harm.foreign_members_changed.push(mark);
        }
    }
}

impl Member {
    /// Takes a status, whoever gives it.
    pub(super) fn settle(&mut self, new: Status, left: Option<Left>, now: i64) {
        self.before_archive = (new == Status::Archived && self.status != Status::Archived)
            .then_some(self.status)
            .or(self.before_archive);
        if new == Status::Subscribed && self.status != Status::Subscribed {
            self.opted_in = now;
            self.reason.clear();
        }
        if new == Status::Unsubscribed && self.status != new {
            self.reason = "N/A (Unsubscribed by an admin)".to_owned();
        }
        self.status = new;
        self.left = left
            .filter(|left| *left == Left::Person)
            .or(self.left)
            .or(left);
    }
}
