//! One audience: members by address, by hash and by the time of their change; segments, merge
//! fields, and what is remembered of those who were erased.

use super::field::Field;
use super::member::{Held, Member, hash_of, key_of};
use super::segment::Segment;
use super::status::Status;
use super::time::digits;
use super::webhook::Hook;
use crate::simulator::fault::mix;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// What is read of a member until a write becomes visible; none when it was not there.
type Shadow = (Instant, Option<Box<Member>>);

/// One audience, which the API calls a list.
#[derive(Debug, Default)]
pub struct Audience {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// New members are to confirm, says its setting; the API does as it is told all the same.
    pub double_optin: bool,
    /// Id and text of each permission of a GDPR audience; none in any other.
    pub permissions: Vec<(String, String)>,
    /// By id.
    pub segments: BTreeMap<u64, Segment>,
    pub(super) fields: Vec<Field>,
    pub(super) hooks: Vec<Hook>,
    pub(super) account: usize,
    pub(super) seed: u64,
    /// What the ids of its contacts begin with.
    contacts: String,
    pub(super) forgotten: HashSet<String>,
    pub(super) last_field: u64,
    members: Vec<Option<Member>>,
    by_email: HashMap<String, u32>,
    by_hash: HashMap<String, u32>,
    order: BTreeSet<(i64, u32)>,
    shadows: HashMap<u32, Shadow>,
    last_segment: u64,
}

impl Audience {
    /// The member with an address, in whatever letters.
    pub fn member(&self, email: &str) -> Option<&Member> {
        self.member_at(self.find(email)?)
    }

    /// Every member, archived ones too.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().flatten()
    }

    /// The names of a member's tags.
    pub fn tags_of(&self, email: &str) -> Vec<String> {
        let name = |held: &Held| Some(self.segments.get(&held.segment)?.name.clone());
        self.member(email)
            .map(|member| member.tags.iter().filter_map(name).collect())
            .unwrap_or_default()
    }

    /// The names of its tags, of each as often as it is there.
    pub fn tag_names(&self) -> Vec<String> {
        self.segments
            .values()
            .filter(|segment| segment.is_static)
            .map(|segment| segment.name.clone())
            .collect()
    }

    /// The tags of its merge fields.
    pub fn field_tags(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.tag.clone()).collect()
    }

    /// Contacts that the account pays for.
    pub fn billed(&self) -> usize {
        self.members()
            .filter(|member| member.status.is_billed())
            .count()
    }

    /// What signs the messages of its webhooks.
    pub fn hook_secrets(&self) -> Vec<String> {
        self.hooks.iter().map(|hook| hook.secret.clone()).collect()
    }

    /// Its webhooks are given up, as after an hour of failures.
    pub fn drop_hooks(&mut self) {
        self.hooks.clear();
    }

    /// An empty one.
    pub(super) fn new(id: &str, name: String, account: usize, seed: u64) -> Audience {
        Audience {
            id: id.to_owned(),
            name,
            account,
            seed,
            contacts: digits(seed, 24),
            ..Audience::default()
        }
    }

    pub(super) fn find(&self, email: &str) -> Option<u32> {
        self.by_email.get(&key_of(email)).copied()
    }

    /// By what stands in a path: hash, address or contact id.
    pub(super) fn find_in_path(&self, text: &str) -> Option<u32> {
        if text.contains('@') {
            return self.find(text);
        }
        let text = text.to_lowercase();
        self.by_hash.get(&text).copied().or_else(|| {
            let index = u32::from_str_radix(text.get(24..)?, 16).ok()?;
            (self.contact_id(index) == text && self.member_at(index).is_some()).then_some(index)
        })
    }

    pub(super) fn contact_id(&self, index: u32) -> String {
        format!("{}{index:08x}", self.contacts)
    }

    pub(super) fn member_at(&self, index: u32) -> Option<&Member> {
        self.members.get(index as usize)?.as_ref()
    }

    /// For changes that move no index: not of the address, not of the time.
    pub(super) fn member_mut(&mut self, index: u32) -> Option<&mut Member> {
        self.members.get_mut(index as usize)?.as_mut()
    }

    pub(super) fn add(&mut self, member: Member) -> u32 {
        let index = self.members.len() as u32;
        self.by_email.insert(key_of(&member.email), index);
        self.by_hash.insert(member.id.clone(), index);
        self.order.insert((member.last_changed, index));
        self.members.push(Some(member));
        index
    }

    /// The member's time of change becomes `now`.
    pub(super) fn touch(&mut self, index: u32, now: i64) {
        let Some(member) = self
            .members
            .get_mut(index as usize)
            .and_then(Option::as_mut)
        else {
            return;
        };
        self.order.remove(&(member.last_changed, index));
        member.last_changed = now;
        self.order.insert((now, index));
    }

    /// Another address for the same member.
    pub(super) fn rename(&mut self, index: u32, email: &str) {
        let Some(member) = self
            .members
            .get_mut(index as usize)
            .and_then(Option::as_mut)
        else {
            return;
        };
        self.by_email.remove(&key_of(&member.email));
        self.by_hash.remove(&member.id);
        member.email = email.trim().to_owned();
        member.id = hash_of(email);
        self.by_email.insert(key_of(email), index);
        self.by_hash.insert(member.id.clone(), index);
    }

    /// Another id for the same address.
    pub(super) fn age(&mut self, index: u32) {
        let Some(member) = self
            .members
            .get_mut(index as usize)
            .and_then(Option::as_mut)
        else {
            return;
        };
        self.by_hash.remove(&member.id);
        member.id = digits(mix(self.seed ^ u64::from(index)), 32);
        self.by_hash.insert(member.id.clone(), index);
    }

    /// Erases a member; its address cannot be imported again.
    pub(super) fn erase(&mut self, index: u32) {
        if let Some(email) = self.remove(index) {
            self.forgotten.insert(email);
        }
    }

    /// What happens sixty days after somebody was asked to confirm and did not: the contact is
    /// gone, and may be asked again.
    pub fn drop_unconfirmed(&mut self, email: &str) {
        if let Some(index) = self.find(email).filter(|index| {
            self.member_at(*index)
                .is_some_and(|member| member.status == Status::Pending)
        }) {
            self.remove(index);
        }
    }

    /// Takes a contact out of everything; answers with its address.
    fn remove(&mut self, index: u32) -> Option<String> {
        let member = self
            .members
            .get_mut(index as usize)
            .and_then(Option::take)?;
        self.by_email.remove(&key_of(&member.email));
        self.by_hash.remove(&member.id);
        self.order.remove(&(member.last_changed, index));
        for segment in self.segments.values_mut() {
            segment.holders.remove(&index);
        }
        Some(key_of(&member.email))
    }

    /// Places of members by the time of their change, after `since` and before `before`, both
    /// exclusive.
    pub(super) fn changed(
        &self,
        since: Option<i64>,
        before: Option<i64>,
    ) -> impl DoubleEndedIterator<Item = u32> {
        let from = since.map_or((i64::MIN, 0), |since| (since.saturating_add(1), 0));
        let to = before
            .map_or((i64::MAX, u32::MAX), |before| (before, 0))
            .max(from);
        self.order.range(from..to).map(|(_, index)| *index)
    }

    /// Places of members by age.
    pub(super) fn indexes(&self) -> std::ops::Range<u32> {
        0..self.members.len() as u32
    }

    /// What is read of a member by now.
    pub(super) fn served(&self, index: u32, now: Instant) -> Option<&Member> {
        match self.shadows.get(&index) {
            Some((until, shadow)) if now < *until => shadow.as_deref(),
            _ => self.member_at(index),
        }
    }

    /// What the next write does to a member is not read for a while. One who is not there yet is
    /// hidden.
    pub(super) fn lag(&mut self, index: u32, lag: Duration) {
        let now = Instant::now();
        if lag.is_zero()
            || self
                .shadows
                .get(&index)
                .is_some_and(|(until, _)| now < *until)
        {
            return;
        }
        self.shadows.retain(|_, (until, _)| now < *until);
        let shadow = self.member_at(index).cloned().map(Box::new);
        self.shadows.insert(index, (now + lag, shadow));
    }

    /// Where the next new member will be.
    pub(super) fn next_index(&self) -> u32 {
        self.members.len() as u32
    }

    /// A tag by its name, in whatever letters; of several the oldest.
    pub(super) fn tag(&self, name: &str) -> Option<u64> {
        let name = name.trim();
        self.segments
            .values()
            .find(|segment| segment.is_static && segment.name.eq_ignore_ascii_case(name))
            .map(|segment| segment.id)
    }

    pub(super) fn add_segment(
        &mut self,
        name: &str,
        is_static: bool,
        foreign: bool,
        now: i64,
    ) -> u64 {
        self.last_segment += 1;
        let id = 100_000 + self.seed % 900 * 1_000 + self.last_segment;
        let (name, holders) = (name.trim().to_owned(), BTreeSet::new());
        self.segments.insert(
            id,
            Segment {
                id,
                name,
                is_static,
                foreign,
                created: now,
                updated: now,
                holders,
            },
        );
        id
    }

    /// Deletes a merge field with what the members had in it.
    pub(super) fn drop_field(&mut self, place: usize) {
        let field = self.fields.remove(place);
        self.members
            .iter_mut()
            .flatten()
            .for_each(|member| drop(member.fields.remove(&field.tag)));
    }

    /// Puts a tag on a member; answers whether it is new there.
    pub(super) fn put_tag(&mut self, index: u32, segment: u64, now: i64) -> bool {
        let Some(held) = self.segments.get_mut(&segment) else {
            return false;
        };
        let Some(member) = self
            .members
            .get_mut(index as usize)
            .and_then(Option::as_mut)
        else {
            return false;
        };
        if !held.holders.insert(index) {
            return false;
        }
        held.updated = now;
        member.tags.push(Held {
            segment,
            since: now,
        });
        true
    }

    /// Takes a tag off a member; answers whether it was there.
    pub(super) fn take_tag(&mut self, index: u32, segment: u64, now: i64) -> bool {
        let Some(held) = self.segments.get_mut(&segment) else {
            return false;
        };
        if !held.holders.remove(&index) {
            return false;
        }
        held.updated = now;
        if let Some(member) = self.member_mut(index) {
            member.tags.retain(|held| held.segment != segment);
        }
        true
    }
}
