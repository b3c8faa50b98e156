//! One person whom a delivery changes, on the way from the plan to the verdict.

use crate::domain::{
    Fate, GuardedChange, Harm, Image, Member, Profile, Step, Time, Values, Verdict,
};
use crate::integrations::mailchimp::api::requests::{Item, StatusIfNew};
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::desired::DesiredMember;
use crate::integrations::mailchimp::decide::reversal::is_same_value;
use crate::integrations::mailchimp::mirror::audience::AudienceSchema;
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::merge_fields::MergeFields;
use crate::plugin::{Budget, Said, Sending};
use chrono::SecondsFormat;
use serde_json::Value;

/// Why somebody is sent alone the next time.
pub(crate) const NO_WORD: &str =
    "Mailchimp did not say what became of them; they are sent alone next";

/// Why somebody waits who was sent to an address, and of whom nobody heard: were it forgotten, and
/// carried out afterwards, nobody would know that the contact is ours.
pub(crate) const NOT_HEARD: &str =
    "they were sent and Mailchimp did not answer; it may still be carried out, and is looked for";

/// The verdict on somebody whom Mailchimp was silent on.
pub(crate) fn silent(supporter_id: i64) -> Verdict {
    verdict(supporter_id, Fate::Unheard(NO_WORD.to_owned()))
}

/// One person who is about to be sent, and what is to be done to them. Holds personal data, so it
/// has no `Debug`.
pub(crate) struct MemberUpdate {
    pub(crate) supporter_id: i64,
    pub(crate) desired: DesiredMember,
    /// As the mirror knew the member before.
    pub(crate) before: Option<Member>,
    pub(crate) intent: Step,
    /// Name, fields or tags are to be sent; otherwise tags are only taken off.
    pub(crate) sends: bool,
    pub(crate) with_name: bool,
    pub(crate) untags: Vec<String>,
    /// What a person must approve first.
    pub(crate) held: Option<String>,
    pub(crate) held_changes: Vec<GuardedChange>,
    /// An earlier try may have been carried out though nobody heard of it.
    pub(crate) is_replay: bool,
    /// Tries since they were last delivered.
    pub(crate) attempts: i64,
    /// When they were last delivered.
    pub(crate) delivered_at: Option<Time>,
    /// We put them there: GDPR permissions are ours to give.
    pub(crate) permits: bool,
    /// Sent without tags, which are put on afterwards so that they set nothing off.
    pub(crate) is_quiet: bool,
    /// Fields that this member does not take, with Mailchimp's words.
    pub(crate) dropped: Vec<(&'static str, String)>,
}

impl MemberUpdate {
    /// From a plan that adds or changes, as far as the guard allows.
    pub(crate) fn new(plan: Plan, before: Option<Member>, budget: &Budget) -> Option<MemberUpdate> {
        let (rename, untag) = (
            plan.guarded_change(Harm::Rename),
            plan.guarded_change(Harm::Untag),
        );
        let Plan {
            supporter_id,
            decision,
            desired,
            fields_differ,
            name,
            adds,
            replaced,
            lost,
            ..
        } = plan;
        let desired = desired?;
        let is_add = decision == Decision::Add;
        let (mut held, mut held_changes) = (Vec::new(), Vec::new());
        let mut may = |guarded_change: Option<GuardedChange>, what: &'static str| {
            let Some(guarded_change) = guarded_change
                .filter(|guarded_change| budget.ask(supporter_id, *guarded_change) != Said::Go)
            else {
                return true;
            };
            held.push(what);
            held_changes.push(guarded_change);
            false
        };
        let with_name = may(rename, "another name");
        let mut untags = replaced;
        if may(untag, "taking tags off") {
            untags.extend(lost);
        }
        let sends = is_add || fields_differ || !adds.is_empty() || (name.differs && with_name);
        Some(MemberUpdate {
            supporter_id,
            desired,
            before,
            intent: if is_add { Step::Add } else { Step::Change },
            sends,
            with_name,
            untags,
            held: (!held.is_empty()).then(|| waits(&held.join(" and "))),
            held_changes,
            is_replay: false,
            attempts: 0,
            delivered_at: None,
            permits: is_add,
            is_quiet: false,
            dropped: Vec::new(),
        })
    }

    /// Its member, as it is known now. What is known of its fields alone stays known.
    pub(crate) fn set_before(&mut self, member: Member) {
        let known = self
            .before
            .take()
            .filter(|before| before.remote_id == member.remote_id)
            .and_then(|before| before.values);
        self.before = Some(Member {
            values: member.values.clone().or(known),
            ..member
        });
    }

    /// `schema`: fields are sent, too, and not only tags taken off.
    pub(crate) fn sending(
        &self,
        schema: Option<&AudienceSchema>,
        managed: &ManagedTags,
    ) -> Sending {
        let (address, image) = (
            Some(self.desired.address.clone()),
            Some(self.image(schema, managed)),
        );
        Sending {
            supporter_id: self.supporter_id,
            address,
            intent: self.intent,
            image,
        }
    }

    /// What is changed of the contact by sending it, as far as it is known.
    pub(crate) fn image(&self, schema: Option<&AudienceSchema>, managed: &ManagedTags) -> Image {
        let none = Values::default();
        let before = self
            .before
            .as_ref()
            .and_then(|before| before.values.as_ref())
            .unwrap_or(&none);
        let (mut was, mut becomes) = (Values::default(), Values::default());
        for (tag, _, value) in schema.map(|schema| self.fields(schema)).unwrap_or_default() {
            if !is_same_value(before.get(tag), value) {
                was.0.insert(tag.to_owned(), before.get(tag).to_owned());
                becomes.0.insert(tag.to_owned(), value.to_owned());
            }
        }
        let had = |tag: &String| {
            self.before
                .as_ref()
                .is_some_and(|before| before.managed_tags.contains(tag))
        };
        let tags = schema.map(|_| &self.desired.tags).into_iter().flatten();
        Image {
            id: 0,
            supporter_id: self.supporter_id,
            remote_id: self.before.as_ref().map_or_else(
                || hash_of(&self.desired.address),
                |before| before.remote_id.clone(),
            ),
            contact_id: self
                .before
                .as_ref()
                .and_then(|before| before.contact_id.clone()),
            before: was,
            after: becomes,
            put_on: tags.filter(|tag| !had(tag)).cloned().collect(),
            taken_off: self.untags.iter().filter(|tag| had(tag)).cloned().collect(),
            mark: self.desired.mark(managed),
        }
    }

    /// The fields that are sent: our tag, the one that it has there, and the value.
    fn fields(&self, schema: &AudienceSchema) -> Vec<(&'static str, String, &str)> {
        let goes = |tag: &str, value: &str| {
            let nothing_to_clear = value.is_empty() && self.intent == Step::Add;
            !nothing_to_clear && !self.dropped.iter().any(|(dropped, _)| *dropped == tag)
        };
        let all = self
            .desired
            .values(self.with_name)
            .into_iter()
            .filter(|(tag, value)| goes(tag, value));
        all.filter_map(|(tag, value)| Some((tag, schema.fields.there.get(tag)?.clone(), value)))
            .collect()
    }

    /// Leaves out, and says so, what the audience has no place for.
    pub(crate) fn leave_out(&mut self, fields: &MergeFields) {
        for tag in &fields.mistyped {
            if let (Some(why), false) = (
                fields.lacking.get(tag),
                self.dropped.iter().any(|(dropped, _)| dropped == tag),
            ) {
                self.dropped.push((tag, why.clone()));
            }
        }
    }

    /// The merge fields that are sent.
    pub(crate) fn merge_fields(&self, schema: &AudienceSchema) -> serde_json::Map<String, Value> {
        self.fields(schema)
            .into_iter()
            .map(|(_, there, value)| (there, Value::String(value.to_owned())))
            .collect()
    }

    /// As it is sent. `double_optin`: new members are asked first. `consented_at`: evidence that
    /// goes along with somebody whom we add; what is known of others there is not ours to change.
    pub(crate) fn item(
        &self,
        schema: &AudienceSchema,
        double_optin: bool,
        consented_at: Option<Time>,
    ) -> Item {
        // All of them, not only those that lack: what a person took off by hand comes back without
        // a look.
        let spelled = |tag: &String| {
            schema
                .segments
                .get(&tag.to_lowercase())
                .map_or_else(|| tag.clone(), |(name, _)| name.clone())
        };
        Item {
            email_address: self.desired.address.as_str().to_owned(),
            status_if_new: if double_optin {
                StatusIfNew::Pending
            } else {
                StatusIfNew::Subscribed
            },
            merge_fields: self.merge_fields(schema),
            tags: self
                .desired
                .tags
                .iter()
                .filter(|_| !self.is_quiet)
                .map(spelled)
                .collect(),
            timestamp_signup: consented_at
                .filter(|_| self.intent == Step::Add)
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, false)),
        }
    }

    /// The verdict on somebody who was taken.
    pub(crate) fn accepted(&self, person: &Profile, now: Time) -> Verdict {
        let fate = self.held.clone().map_or(Fate::Delivered, Fate::Held);
        let note = self
            .dropped
            .first()
            .map(|(field, words)| format!("all was taken but the field {field}: {words}"));
        let fingerprint = Some(self.desired.fingerprint());
        let held = self.held_changes.clone();
        Verdict {
            fingerprint,
            review_at: person.engagement_ends(now),
            note,
            held,
            ..Verdict::of(self.supporter_id, fate)
        }
    }
}

/// The reason of what is held.
pub(crate) fn waits(what: &str) -> String {
    format!("{what} waits for approval")
}

/// A verdict on somebody who was not delivered.
pub(crate) fn verdict(supporter_id: i64, fate: Fate) -> Verdict {
    Verdict::of(supporter_id, fate)
}
