//! One person whom a delivery changes, on the way from the plan to the verdict.

use super::audience::Shelf;
use super::picture::Picture;
use super::plan::{Decision, Plan};
use super::wire::{Item, StatusIfNew};
use crate::domain::{Fate, Harm, Member, Profile, Step, Time, Verdict};
use crate::plugin::{Budget, Sending};
use serde_json::Value;

/// Why somebody is sent alone the next time.
pub(super) const NO_WORD: &str = "Mailchimp did not say what became of them; they are sent alone next";

/// See the module. Holds personal data, so it has no `Debug`.
pub(super) struct Work {
    pub(super) supporter_id: i64,
    pub(super) picture: Picture,
    /// As the mirror knew the member before.
    pub(super) before: Option<Member>,
    pub(super) intent: Step,
    /// Name, fields or tags are to be sent; otherwise tags are only taken off.
    pub(super) sends: bool,
    pub(super) with_name: bool,
    pub(super) untags: Vec<String>,
    /// What a person must approve first.
    pub(super) held: Option<String>,
    /// An earlier try may have been carried out though nobody heard of it.
    pub(super) is_replay: bool,
    /// Tries since they were last delivered.
    pub(super) attempts: i64,
    /// We put them there: GDPR permissions are ours to give.
    pub(super) permits: bool,
    /// Fields that this member does not take, with Mailchimp's words.
    pub(super) dropped: Vec<(&'static str, String)>,
}

impl Work {
    /// From a plan that adds or changes, as far as the guard allows.
    pub(super) fn new(plan: Plan, before: Option<Member>, budget: &Budget) -> Option<Work> {
        let Plan { supporter_id, decision, picture, fields_differ, name, adds, replaced, lost } = plan;
        let picture = picture?;
        let is_add = decision == Decision::Add;
        let mut held = Vec::new();
        let with_name = !name.replaces || budget.take(Harm::Rename);
        if !with_name {
            held.push("another name");
        }
        let mut untags = replaced;
        if !lost.is_empty() {
            if budget.take(Harm::Untag) {
                untags.extend(lost);
            } else {
                held.push("taking tags off");
            }
        }
        let sends = is_add || fields_differ || !adds.is_empty() || (name.differs && with_name);
        Some(Work {
            supporter_id,
            picture,
            before,
            intent: if is_add { Step::Add } else { Step::Change },
            sends,
            with_name,
            untags,
            held: (!held.is_empty()).then(|| waits(&held.join(" and "))),
            is_replay: false,
            attempts: 0,
            permits: is_add,
            dropped: Vec::new(),
        })
    }

    pub(super) fn sending(&self) -> Sending {
        Sending { supporter_id: self.supporter_id, address: Some(self.picture.address.clone()), intent: self.intent }
    }

    /// As it is sent. `double_optin`: new members are asked first.
    pub(super) fn item(&self, shelf: &Shelf, double_optin: bool) -> Item {
        let mut merge_fields = serde_json::Map::new();
        for (tag, value) in self.picture.values(self.with_name) {
            let nothing_to_clear = value.is_empty() && self.intent == Step::Add;
            let dropped = self.dropped.iter().any(|(dropped, _)| *dropped == tag);
            if let (Some(there), false, false) = (shelf.fields.get(tag), nothing_to_clear, dropped) {
                merge_fields.insert(there.clone(), Value::String(value.to_owned()));
            }
        }
        // All of them, not only those that lack: what a person took off by hand comes back without a look.
        let spelled = |tag: &String| shelf.segments.get(&tag.to_lowercase()).map_or_else(|| tag.clone(), |(name, _)| name.clone());
        Item {
            email_address: self.picture.address.as_str().to_owned(),
            status_if_new: if double_optin { StatusIfNew::Pending } else { StatusIfNew::Subscribed },
            merge_fields,
            tags: self.picture.tags.iter().map(spelled).collect(),
        }
    }

    /// The verdict on somebody who was taken.
    pub(super) fn taken(&self, person: &Profile, now: Time) -> Verdict {
        let fate = self.held.clone().map_or(Fate::Delivered, Fate::Held);
        let note = self.dropped.first().map(|(field, words)| format!("all was taken but the field {field}: {words}"));
        let fingerprint = Some(self.picture.fingerprint());
        Verdict { fingerprint, review_at: person.engagement_ends(now), note, ..Verdict::of(self.supporter_id, fate) }
    }
}

/// The reason of what is held.
pub(super) fn waits(what: &str) -> String {
    format!("{what} waits for approval")
}

/// A verdict on somebody who was not delivered.
pub(super) fn verdict(supporter_id: i64, fate: Fate) -> Verdict {
    Verdict::of(supporter_id, fate)
}
