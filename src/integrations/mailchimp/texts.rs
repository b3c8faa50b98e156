//! What Mailchimp's texts about one address mean. The texts change, so they are only used to tell refusals apart; one that is not known
//! is tried a few times and then remembered like any other.

/// A class of refusals of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// They left, or their address did; only they can come back, by a form.
    Gone,
    /// Erased there for good; only they can come back, by a form.
    Forgotten,
    /// Nobody is believed to have this address.
    Fake,
    /// Added too often lately; taken again after some hours.
    TooOften,
    /// Of a kind that is not known.
    Unclear,
}

/// Parts of texts in lower case, the most certain first.
const KNOWN: [(Class, &[&str]); 4] = [
    (Class::TooOften, &["signed up to a lot of lists", "not allowing more signups"]),
    (Class::Forgotten, &["permanently deleted", "forgotten", "was previously removed", "cannot be re-imported"]),
    (
        Class::Gone,
        &[
            "compliance",
            "previously unsubscribed",
            "must opt in again",
            "status is \"cleaned",
            "status is \"unsubscribed",
            "status is \"archived",
            "status of \"cleaned\"",
            "status of \"unsubscribed\"",
            "status of \"deleted\"",
        ],
    ),
    (Class::Fake, &["looks fake", "valid email address", "real email address"]),
];

impl Class {
    /// The class of a text.
    pub(super) fn of(text: &str) -> Class {
        let text = text.to_lowercase();
        let known = KNOWN.iter().find(|(_, parts)| parts.iter().any(|part| text.contains(part)));
        known.map_or(Class::Unclear, |(class, _)| *class)
    }

    /// Whether nothing may be sent there again before Mailchimp shows them subscribed.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Class::Gone | Class::Forgotten)
    }

    /// For people.
    pub(super) fn reason(self, text: &str) -> String {
        match self {
            Class::Gone => {
                "Mailchimp cannot subscribe this address: they unsubscribed, or it bounced; only they can come back, by a form".to_owned()
            }
            Class::Forgotten => "erased for good in Mailchimp; only they can come back, by a form".to_owned(),
            Class::Fake => "Mailchimp takes this address for fake or invalid".to_owned(),
            Class::TooOften => "Mailchimp has seen this address added too often lately".to_owned(),
            Class::Unclear => format!("Mailchimp: {}", scrub(text)),
        }
    }
}

/// A text without addresses, and not too long: reasons are shown and logged.
pub(super) fn scrub(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
    let mut plain = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = plain.char_indices().nth(200) {
        plain.truncate(end);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_were_seen_are_told_apart() {
        for (class, text) in [
            (Class::Gone, "a@x.org is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."),
            (Class::Gone, "Member In Compliance State"),
            (Class::Gone, "a@x.org has previously unsubscribed from this list and must opt in again."),
            (Class::Gone, "This member's status is \"cleaned.\""),
            (Class::Gone, "a@x.org is already in this list with a status of \"Unsubscribed\"."),
            (
                Class::Forgotten,
                "a@x.org was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.",
            ),
            (Class::Forgotten, "Forgotten Email Not Subscribed"),
            (
                Class::Forgotten,
                "a@x.org was previously removed from this audience. To rejoin, they'll need to sign up using a Mailchimp form.",
            ),
            (Class::Fake, "a@x.org looks fake or invalid, please enter a real email address."),
            (Class::Fake, "Please provide a valid email address."),
            (Class::TooOften, "a@x.org has signed up to a lot of lists very recently; we're not allowing more signups for now"),
            (Class::Unclear, "An unknown error occurred while processing this contact."),
        ] {
            assert_eq!(Class::of(text), class, "{text}");
            assert!(!class.reason(text).contains('@'), "{text}");
        }
    }

    #[test]
    fn a_reason_names_nobody_and_is_short() {
        assert_eq!(scrub("Ada.L@x.org, is  odd"), "(address) is odd");
        assert_eq!(scrub(&"é".repeat(500)).chars().count(), 200);
    }
}
