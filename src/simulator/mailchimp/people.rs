//! What people do: the members themselves, and the nonprofit's staff in their browser.

use super::audience::Audience;
use super::member::Member;
use super::state::Mailchimp;
use super::status::{Left, Status};
use super::webhook::{Event, What};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Something that a person does to an audience.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Signs up by a form, for the first time or again; this is consent.
    SignUp(String),
    /// The same, put in by the staff: with tags and fields, and perhaps none of the program's
    /// business.
    Import {
        /// The address.
        email: String,
        /// Names of tags.
        #[serde(default)]
        tags: Vec<String>,
        /// Merge fields by tag.
        #[serde(default)]
        fields: Map<String, Value>,
        /// No program may change this contact.
        #[serde(default)]
        foreign: bool,
    },
    /// Confirms the address by the link in the mail.
    Confirm(String),
    /// Leaves by the link in a mail.
    Unsubscribe(String),
    /// The address bounces for good.
    Clean(String),
    /// Calls a mail spam: counted among the bounces, with a reason.
    Complain(String),
    /// Archived by hand.
    Archive(String),
    /// Erased by hand; cannot be imported again.
    Erase(String),
    /// Changes the address.
    Rename {
        /// The address of before.
        email: String,
        /// The address from now on.
        to: String,
    },
    /// Turns out to be so old a contact that its id is of the address in the letters of that time
    /// (contract 2).
    Age(String),
    /// Gets a tag by hand.
    Tag {
        /// The member's address.
        email: String,
        /// The tag's name.
        tag: String,
    },
    /// Loses a tag by hand.
    Untag {
        /// The member's address.
        email: String,
        /// The tag's name.
        tag: String,
    },
    /// A tag is deleted by hand.
    DeleteTag(String),
    /// A merge field is made required by hand, or no longer.
    Require {
        /// The field's tag.
        field: String,
        /// Whether a member must have the field.
        required: bool,
    },
    /// A merge field is deleted by hand.
    DeleteField(String),
}

impl Mailchimp {
    /// Somebody does something; answers whether it could be done.
    pub fn act(&mut self, audience: &str, act: &Act) -> bool {
        let now = self.now();
        let Some(audience) = self.audiences.get_mut(audience) else {
            return false;
        };
        let done = audience.act(act, now);
        done.map(|events| {
            events
                .into_iter()
                .for_each(|event| drop(self.news.send(event)))
        })
        .is_some()
    }
}

impl Audience {
    fn act(&mut self, act: &Act, now: i64) -> Option<Vec<Event>> {
        let (index, what) = match act {
            Act::SignUp(email) => (
                self.sign_up(email, "Hosted Signup Form", now),
                What::Subscribe,
            ),
            Act::Import {
                email,
                tags,
                fields,
                foreign,
            } => {
                let index = self.sign_up(email, "Admin Add", now);
                tags.iter()
                    .for_each(|tag| self.tag_by_hand(index, tag, now));
                let member = self.member_mut(index)?;
                member.fields.extend(fields.clone());
                member.foreign = *foreign;
                (index, What::Subscribe)
            }
            Act::Confirm(email) => {
                let index = self.find(email).filter(|index| {
                    self.member_at(*index)
                        .is_some_and(|one| one.status == Status::Pending)
                })?;
                (
                    self.settle(index, Status::Subscribed, None, now)?,
                    What::Subscribe,
                )
            }
            Act::Unsubscribe(email) => {
                let index = self.find(email)?;
                let index = self.settle(index, Status::Unsubscribed, Some(Left::Person), now)?;
                "N/A (No reason given)".clone_into(&mut self.member_mut(index)?.reason);
                (index, What::Unsubscribe("unsub"))
            }
            Act::Clean(email) => (
                self.settle(self.find(email)?, Status::Cleaned, Some(Left::Bounce), now)?,
                What::Cleaned,
            ),
            Act::Complain(email) => {
                let index = self.find(email)?;
                let index = self.settle(index, Status::Cleaned, Some(Left::Person), now)?;
                "Abuse complaint".clone_into(&mut self.member_mut(index)?.reason);
                (index, What::Cleaned)
            }
            Act::Archive(email) => (
                self.settle(self.find(email)?, Status::Archived, Some(Left::Staff), now)?,
                What::Unsubscribe("delete"),
            ),
            Act::Erase(email) => {
                self.erase(self.find(email)?);
                return Some(Vec::new());
            }
            Act::Rename { email, to } => {
                let index = self.find(email).filter(|_| self.find(to).is_none())?;
                self.rename(index, to);
                self.touch(index, now);
                (index, What::Upemail(email.clone()))
            }
            Act::Age(email) => {
                self.age(self.find(email)?);
                return Some(Vec::new());
            }
            Act::Tag { email, tag } => {
                self.tag_by_hand(self.find(email)?, tag, now);
                return Some(Vec::new());
            }
            Act::Untag { email, tag } => {
                return self
                    .take_tag(self.find(email)?, self.tag(tag)?, now)
                    .then(Vec::new);
            }
            Act::DeleteTag(name) => {
                let tag = self.tag(name)?;
                let holders = self.segments.remove(&tag)?.holders;
                for index in holders {
                    self.member_mut(index)?
                        .tags
                        .retain(|held| held.segment != tag);
                }
                return Some(Vec::new());
            }
            Act::Require { field, required } => {
                self.fields
                    .iter_mut()
                    .find(|one| one.tag == *field)?
                    .required = *required;
                return Some(Vec::new());
            }
            Act::DeleteField(field) => {
                let place = self.fields.iter().position(|one| one.tag == *field)?;
                self.drop_field(place);
                return Some(Vec::new());
            }
        };
        let member = self.member_at(index)?;
        Some(
            Event::of(self, member, what, "user", now)
                .into_iter()
                .collect(),
        )
    }

    fn sign_up(&mut self, email: &str, source: &'static str, now: i64) -> u32 {
        self.forgotten.remove(&super::member::key_of(email));
        let index = match self.find(email) {
            Some(index) => index,
            None => self.add(Member {
                source,
                ..Member::new(email, Status::Pending, now)
            }),
        };
        if let Some(member) = self.member_mut(index) {
            member.left = None;
            member.by_program = false;
            member.settle(Status::Subscribed, None, now);
        }
        self.touch(index, now);
        index
    }

    fn settle(&mut self, index: u32, status: Status, left: Option<Left>, now: i64) -> Option<u32> {
        self.member_mut(index)?.settle(status, left, now);
        self.touch(index, now);
        Some(index)
    }

    /// A tag that a person puts on; a missing one is made, and is theirs.
    pub(super) fn tag_by_hand(&mut self, index: u32, name: &str, now: i64) {
        let tag = self
            .tag(name)
            .unwrap_or_else(|| self.add_segment(name, true, true, now));
        self.put_tag(index, tag, now);
    }
}
