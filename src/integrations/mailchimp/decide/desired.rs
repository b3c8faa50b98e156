//! What a member should look like: the fields and tags of one supporter.

use super::tags::tags_of;
use crate::domain::{Address, Profile, Time};
use crate::integrations::fingerprint;
use crate::integrations::mailchimp::mirror::managed_tags::{Family, ManagedTags};
use crate::integrations::mailchimp::mirror::merge_fields::{FIRST_NAME, LAST_NAME};
use crate::integrations::mailchimp::mirror::name::{Name, cut};
use std::collections::{BTreeMap, BTreeSet};

/// What Mailchimp should have of one supporter. Full of personal data, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub(crate) struct DesiredMember {
    pub(crate) address: Address,
    /// A blank part is not sent.
    pub(crate) name: Name,
    /// By tag, the names apart. An empty text clears.
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) tags: BTreeSet<String>,
    /// How often everybody was to be sent anew.
    generation: u32,
    /// A trace of what is configured for everybody.
    terms: i64,
}

impl DesiredMember {
    /// Of somebody who may be mailed; `None` of anybody else.
    pub(crate) fn of(person: &Profile, managed: &ManagedTags, now: Time) -> Option<DesiredMember> {
        let address = person.mailable_address()?.clone();
        let last_gift = person
            .last_gift_at
            .map_or(String::new(), |at| person.zone.day(at).to_string());
        let fields = [
            ("TOTALAMT", person.lifetime_amount.to_string()),
            ("DONCNT", person.lifetime_count.to_string()),
            ("RECAMT", person.monthly_amount.to_string()),
            ("LASTGIFT", last_gift),
            (
                "ACTIVESUB",
                if person.has_active_plan { "Yes" } else { "No" }.to_owned(),
            ),
        ];
        let name = Name {
            first: cut(person.first_name.as_deref()),
            last: cut(person.last_name.as_deref()),
        };
        let (tags, generation, terms) = (
            tags_of(managed, person, now),
            managed.generation(),
            managed.terms(),
        );
        Some(DesiredMember {
            address,
            name,
            fields: fields.into(),
            tags,
            generation,
            terms,
        })
    }

    /// Address and fields.
    fn text(&self) -> String {
        let mut text = self.address.as_str().to_owned();
        for (tag, value) in &self.fields {
            text.push('\n');
            text.push_str(tag);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// Of address and fields, and of what everybody is to be sent anew for. Names and tags are not
    /// in it: the mirror knows them.
    pub(crate) fn fingerprint(&self) -> i64 {
        let mut text = self.text();
        if self.generation > 0 {
            text.push_str(&format!("\nanew={}", self.generation));
        }
        fingerprint(text.as_bytes())
    }

    /// Of everything in it but what time alone changes: what was taken back is not sent again as
    /// long as this is the same, whatever else everybody is sent anew for.
    pub(crate) fn mark(&self, managed: &ManagedTags) -> i64 {
        let lasting = self
            .tags
            .iter()
            .filter(|tag| managed.family(tag) != Some(Family::Engagement));
        let tags = lasting.map(String::as_str).collect::<Vec<_>>().join("\n");
        fingerprint(
            format!(
                "{}\n{}\n{}\n{tags}",
                self.text(),
                self.name.first,
                self.name.last
            )
            .as_bytes(),
        )
    }

    /// Of what an approval of this person's coming in is about: the address, and what is configured
    /// for everybody.
    pub(crate) fn entry_mark(&self) -> i64 {
        fingerprint(format!("{}\n{}", self.address.as_str(), self.terms).as_bytes())
    }

    /// Of what an approval of another name or address is about.
    pub(crate) fn rename_mark(&self) -> i64 {
        fingerprint(
            format!(
                "{}\n{}\n{}",
                self.address.as_str(),
                self.name.first,
                self.name.last
            )
            .as_bytes(),
        )
    }

    /// Of what an approval of taking tags off is about.
    pub(crate) fn untag_mark(&self, lost: &[String]) -> i64 {
        fingerprint(format!("{}\n{}", self.address.as_str(), lost.join("\n")).as_bytes())
    }

    /// The fields to send, by our tag. `with_name`: whether the name may be told.
    pub(crate) fn values(&self, with_name: bool) -> Vec<(&'static str, &str)> {
        let names = [
            (FIRST_NAME, self.name.first.as_str()),
            (LAST_NAME, self.name.last.as_str()),
        ];
        let names = names
            .into_iter()
            .filter(|(_, part)| with_name && !part.is_empty());
        names
            .chain(
                self.fields
                    .iter()
                    .map(|(tag, value)| (*tag, value.as_str())),
            )
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Money;
    use crate::integrations::mailchimp::tests::{day, person};

    fn values(person: &Profile) -> String {
        let desired = DesiredMember::of(person, &ManagedTags::new("Classy-"), day(100)).unwrap();
        let values = desired
            .values(true)
            .into_iter()
            .map(|(tag, value)| format!("{tag}={value}"));
        values.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_blank_name_is_not_sent_and_a_missing_gift_clears_the_date() {
        let mut somebody = person(1);
        somebody.first_name = Some("  ".to_owned());
        somebody.last_name = None;
        assert_eq!(
            values(&somebody),
            "ACTIVESUB=No DONCNT=0 LASTGIFT= RECAMT=0 TOTALAMT=0"
        );
        somebody.first_name = Some(" Ada ".to_owned());
        somebody.lifetime_amount = Money::parse("1234.5000").unwrap();
        somebody.last_gift_at = Some(day(3));
        somebody.has_active_plan = true;
        assert_eq!(
            values(&somebody),
            "FNAME=Ada ACTIVESUB=Yes DONCNT=0 LASTGIFT=2026-01-04 RECAMT=0 TOTALAMT=1234.5"
        );
    }

    #[test]
    fn the_mark_is_of_all_but_what_time_alone_changes() {
        let mark = |person: &Profile, prefix: &str, today: i64| {
            let managed = ManagedTags::new(prefix);
            DesiredMember::of(person, &managed, day(today))
                .unwrap()
                .mark(&managed)
        };
        let mut somebody = person(1);
        (somebody.lifetime_amount, somebody.lifetime_count) = (Money::parse("120").unwrap(), 1);
        somebody.last_gift_at = Some(day(1));
        let before = mark(&somebody, "Classy-", 10);
        assert_eq!(
            mark(&somebody, "Classy-", 80),
            before,
            "from Recent to Active"
        );
        assert_ne!(mark(&somebody, "Clasy-", 10), before);
        let anew = ManagedTags::new("Classy-").since(&BTreeSet::new(), 1);
        assert_eq!(
            DesiredMember::of(&somebody, &anew, day(10))
                .unwrap()
                .mark(&anew),
            before,
            "all are sent anew for something else"
        );
        somebody.last_name = Some("Byron".to_owned());
        assert_ne!(mark(&somebody, "Classy-", 10), before);
    }

    #[test]
    fn nobody_without_consent_is_desired() {
        let mut somebody = person(1);
        for opt_in in [None, Some(false)] {
            somebody.email_opt_in = opt_in;
            assert!(DesiredMember::of(&somebody, &ManagedTags::new("Classy-"), day(1)).is_none());
        }
    }

    #[test]
    fn the_fingerprint_is_of_fields_and_address_alone() {
        let print = |person: &Profile| {
            DesiredMember::of(person, &ManagedTags::new("Classy-"), day(100))
                .unwrap()
                .fingerprint()
        };
        let mut somebody = person(1);
        let before = print(&somebody);
        somebody.first_name = Some("Other".to_owned());
        assert_eq!(print(&somebody), before);
        somebody.lifetime_amount = Money::parse("1").unwrap();
        assert_ne!(print(&somebody), before);
    }
}
