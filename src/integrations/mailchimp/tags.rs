//! The tags that are ours: the prefix and a word, exactly. Every other tag, with the prefix or
//! without, is somebody else's.

use crate::domain::{Engagement, Frequency, Profile, Time, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The tag of people with an active plan.
const MONTHLY: &str = "Monthly Recurring";

/// Tags of one family take each other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Value,
    Frequency,
    Engagement,
    Monthly,
}

/// All names that are ours.
#[derive(Debug, Clone)]
pub(super) struct Managed {
    prefix: String,
    /// By the name in lower case. Those with a prefix of before have no family: nothing takes their
    /// place.
    names: BTreeMap<String, (String, Option<Family>)>,
    /// How often everybody was to be sent anew.
    generation: u32,
    /// A trace of what is configured for everybody.
    terms: i64,
}

/// Each word with its family.
fn words() -> impl Iterator<Item = (&'static str, Family)> {
    let value = Value::TIERS
        .iter()
        .map(|tier| tier.word)
        .chain([Value::SMALL])
        .map(|word| (word, Family::Value));
    let frequency = Frequency::TIERS
        .iter()
        .map(|tier| (tier.word, Family::Frequency));
    let states = Engagement::STATES
        .iter()
        .map(|state| state.word)
        .chain([Engagement::ACTIVE_RECURRING, Engagement::DORMANT]);
    let engagement = states.map(|word| (word, Family::Engagement));
    value
        .chain(frequency)
        .chain(engagement)
        .chain([(MONTHLY, Family::Monthly)])
}

impl Managed {
    pub(super) fn new(prefix: &str) -> Managed {
        let names = words().map(|(word, family)| {
            let name = format!("{prefix}{word}");
            (name.to_lowercase(), (name, Some(family)))
        });
        Managed {
            prefix: prefix.to_owned(),
            names: names.collect(),
            generation: 0,
            terms: 0,
        }
    }

    /// The same, with what our tags began with before, and how often everybody was to be sent anew.
    pub(super) fn since(mut self, former: &BTreeSet<String>, generation: u32) -> Managed {
        for (prefix, (word, _)) in former
            .iter()
            .flat_map(|prefix| words().map(move |word| (prefix, word)))
        {
            let name = format!("{prefix}{word}");
            self.names
                .entry(name.to_lowercase())
                .or_insert((name, None));
        }
        Managed { generation, ..self }
    }

    /// The same, with a trace of what is configured for everybody: whoever approves that somebody
    /// comes in was shown it as it is now.
    pub(super) fn under(self, terms: i64) -> Managed {
        Managed { terms, ..self }
    }

    /// A trace of what is configured for everybody.
    pub(super) const fn terms(&self) -> i64 {
        self.terms
    }

    /// How often everybody was to be sent anew.
    pub(super) const fn generation(&self) -> u32 {
        self.generation
    }

    /// Our spelling of a tag that is ours, or that Mailchimp takes for ours: it is believed to know
    /// no difference between letters.
    pub(super) fn like_ours(&self, name: &str) -> Option<&str> {
        self.names
            .get(&name.trim().to_lowercase())
            .map(|(name, _)| name.as_str())
    }

    /// Whether a tag is ours, letter by letter.
    pub(super) fn is_ours(&self, name: &str) -> bool {
        self.like_ours(name) == Some(name)
    }

    /// The family of a tag of ours.
    pub(super) fn family(&self, name: &str) -> Option<Family> {
        self.names
            .get(&name.to_lowercase())
            .and_then(|(_, family)| *family)
    }

    /// The tags that somebody should have at a moment.
    pub(super) fn of(&self, person: &Profile, now: Time) -> BTreeSet<String> {
        let monthly =
            (person.monthly_amount.decimal() > rust_decimal::Decimal::ZERO).then_some(MONTHLY);
        let words = [
            person.value(),
            person.frequency(),
            person.engagement(now),
            monthly,
        ];
        words
            .into_iter()
            .flatten()
            .map(|word| format!("{}{word}", self.prefix))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{day, person};
    use super::*;
    use crate::domain::Money;

    #[test]
    fn ours_are_exactly_the_prefix_and_the_words() {
        let managed = Managed::new("Classy-");
        assert_eq!(managed.names.len(), 19, "every word once");
        assert_eq!(
            (
                managed.like_ours(" classy-major "),
                managed.is_ours("classy-major")
            ),
            (Some("Classy-Major"), false)
        );
        assert!(managed.is_ours("Classy-Major"));
        for foreign in [
            "Classy-",
            "Classy-Gala",
            "Classy-None",
            "Classy-Never",
            "Major",
            "Classy-Major donor",
            "xClassy-Major",
        ] {
            assert_eq!(managed.like_ours(foreign), None, "{foreign}");
        }
        assert_eq!(
            managed.family("Classy-Active Recurring"),
            Some(Family::Engagement)
        );
    }

    #[test]
    fn people_get_one_tag_of_each_family_that_applies() {
        let managed = Managed::new("Classy-");
        let mut somebody = person(1);
        let tags = |person: &Profile| {
            managed
                .of(person, day(100))
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(tags(&somebody), "", "nobody without gifts has a tag");
        somebody.lifetime_amount = Money::parse("1000").unwrap();
        somebody.lifetime_count = 2;
        somebody.last_gift_at = Some(day(70));
        assert_eq!(tags(&somebody), "Classy-Major Classy-Recent Classy-Repeat");
        somebody.last_gift_at = Some(day(69));
        assert_eq!(tags(&somebody), "Classy-Active Classy-Major Classy-Repeat");
        somebody.monthly_amount = Money::parse("0.01").unwrap();
        somebody.has_active_plan = true;
        assert_eq!(
            tags(&somebody),
            "Classy-Active Recurring Classy-Major Classy-Monthly Recurring Classy-Repeat"
        );
    }
}
