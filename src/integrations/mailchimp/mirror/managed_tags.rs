//! The names of the tags that are ours: the prefix and a word, exactly. Every other tag, with the
//! prefix or without, is somebody else's.

use crate::domain::{Engagement, Frequency, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The tag of people with an active plan.
pub(crate) const MONTHLY: &str = "Monthly Recurring";

/// Tags of one family take each other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Value,
    Frequency,
    Engagement,
    Monthly,
}

/// All names that are ours.
#[derive(Debug, Clone)]
pub(crate) struct ManagedTags {
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

impl ManagedTags {
    pub(crate) fn new(prefix: &str) -> ManagedTags {
        let names = words().map(|(word, family)| {
            let name = format!("{prefix}{word}");
            (name.to_lowercase(), (name, Some(family)))
        });
        ManagedTags {
            prefix: prefix.to_owned(),
            names: names.collect(),
            generation: 0,
            terms: 0,
        }
    }

    /// The same, with what our tags began with before, and how often everybody was to be sent anew.
    pub(crate) fn since(mut self, former: &BTreeSet<String>, generation: u32) -> ManagedTags {
        for (prefix, (word, _)) in former
            .iter()
            .flat_map(|prefix| words().map(move |word| (prefix, word)))
        {
            let name = format!("{prefix}{word}");
            self.names
                .entry(name.to_lowercase())
                .or_insert((name, None));
        }
        ManagedTags { generation, ..self }
    }

    /// The same, with a trace of what is configured for everybody: whoever approves that somebody
    /// comes in was shown it as it is now.
    pub(crate) fn under(self, terms: i64) -> ManagedTags {
        ManagedTags { terms, ..self }
    }

    /// A trace of what is configured for everybody.
    pub(crate) const fn terms(&self) -> i64 {
        self.terms
    }

    /// How often everybody was to be sent anew.
    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }

    /// The name of the tag with a word.
    pub(crate) fn name(&self, word: &str) -> String {
        format!("{}{word}", self.prefix)
    }

    /// Our spelling of a tag that is ours, or that Mailchimp takes for ours: it is believed to know
    /// no difference between letters.
    pub(crate) fn like_ours(&self, name: &str) -> Option<&str> {
        self.names
            .get(&name.trim().to_lowercase())
            .map(|(name, _)| name.as_str())
    }

    /// Whether a tag is ours, letter by letter.
    pub(crate) fn is_ours(&self, name: &str) -> bool {
        self.like_ours(name) == Some(name)
    }

    /// The family of a tag of ours.
    pub(crate) fn family(&self, name: &str) -> Option<Family> {
        self.names
            .get(&name.to_lowercase())
            .and_then(|(_, family)| *family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_exactly_the_prefix_and_the_words() {
        let managed = ManagedTags::new("Classy-");
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
}
