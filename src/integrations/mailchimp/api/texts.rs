//! What Mailchimp's texts about one address mean. The texts change, so they are only used to tell
//! refusals apart; one that is not known is tried a few times and then remembered like any other.

use crate::domain::{WAITS_FOR_ROOM, scrubbed};

/// A class of refusals of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalClass {
    /// They left, or their address did; only they can come back, by a form.
    Gone,
    /// Erased there for good; only they can come back, by a form.
    Forgotten,
    /// Nobody is believed to have this address.
    Fake,
    /// Added too often lately; taken again after some hours.
    TooOften,
    /// The account's plan has no room for more contacts; it has when somebody makes some.
    Full,
    /// The account as a whole may not, for a while.
    Account,
    /// Of a kind that is not known.
    Unclear,
}

/// Parts of texts in lower case, the most certain first.
const KNOWN: [(RefusalClass, &[&str]); 4] = [
    (
        RefusalClass::TooOften,
        &["signed up to a lot of lists", "not allowing more signups"],
    ),
    (
        RefusalClass::Forgotten,
        &[
            "permanently deleted",
            "forgotten",
            "was previously removed",
            "cannot be re-imported",
        ],
    ),
    (
        RefusalClass::Gone,
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
    (
        RefusalClass::Fake,
        &["looks fake", "valid email address", "real email address"],
    ),
];

/// A plan without room is told in many words: what is limited, and that it is.
const LIMITED: [&str; 5] = ["contact", "subscriber", "audience", "plan", "account"];

const AT_ITS_LIMIT: [&str; 8] = [
    "limit",
    "exceed",
    "maximum",
    "quota",
    "upgrade",
    "allowance",
    "no more room",
    "is full",
];

/// Limits of something else: of connections, of one call, of fields.
const OTHER_LIMITS: [&str; 8] = [
    "connection",
    " call",
    "requests",
    "per request",
    "one request",
    "field",
    "webhook",
    " tags",
];

/// An account that may not is told in many words, too.
const STOPPED: [&str; 9] = [
    "suspend",
    "disabled",
    "deactivated",
    "compliance",
    "under review",
    "paused",
    "closed",
    "past due",
    "billing issue",
];

fn any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

impl RefusalClass {
    /// The class of a text. Whatever may be somebody's says nothing: an address may read like a
    /// reason.
    pub(crate) fn of(text: &str) -> RefusalClass {
        let text = scrubbed(text).to_lowercase();
        let is_account = text.contains("account") && any(&text, &STOPPED);
        if any(&text, &LIMITED)
            && any(&text, &AT_ITS_LIMIT)
            && !any(&text, &OTHER_LIMITS)
            && !is_account
        {
            return RefusalClass::Full;
        }
        if is_account {
            return RefusalClass::Account;
        }
        let known = KNOWN
            .iter()
            .find(|(_, parts)| parts.iter().any(|part| text.contains(part)));
        known.map_or(RefusalClass::Unclear, |(class, _)| *class)
    }

    /// Whether nothing may be sent there again before Mailchimp shows them subscribed.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, RefusalClass::Gone | RefusalClass::Forgotten)
    }

    /// For people.
    pub(crate) fn reason(self, text: &str) -> String {
        match self {
            RefusalClass::Gone => {
                "Mailchimp cannot subscribe this address: they unsubscribed, or it bounced; only they can come back, by a form".to_owned()
            }
            RefusalClass::Forgotten => "erased for good in Mailchimp; only they can come back, by a form".to_owned(),
            RefusalClass::Fake => "Mailchimp takes this address for fake or invalid".to_owned(),
            RefusalClass::TooOften => "Mailchimp has seen this address added too often lately".to_owned(),
            RefusalClass::Full => format!("{WAITS_FOR_ROOM}Mailchimp says: {}", scrubbed(text)),
            RefusalClass::Account => format!("waits for the account, Mailchimp says: {}", scrubbed(text)),
            RefusalClass::Unclear => format!("Mailchimp: {}", scrubbed(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_were_seen_are_told_apart() {
        for (class, text) in [
            (
                RefusalClass::Gone,
                "a@x.org is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed.",
            ),
            (RefusalClass::Gone, "Member In Compliance State"),
            (
                RefusalClass::Gone,
                "a@x.org has previously unsubscribed from this list and must opt in again.",
            ),
            (RefusalClass::Gone, "This member's status is \"cleaned.\""),
            (
                RefusalClass::Gone,
                "a@x.org is already in this list with a status of \"Unsubscribed\".",
            ),
            (
                RefusalClass::Forgotten,
                "a@x.org was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list.",
            ),
            (RefusalClass::Forgotten, "Forgotten Email Not Subscribed"),
            (
                RefusalClass::Forgotten,
                "a@x.org was previously removed from this audience. To rejoin, they'll need to sign up using a Mailchimp form.",
            ),
            (
                RefusalClass::Fake,
                "a@x.org looks fake or invalid, please enter a real email address.",
            ),
            (RefusalClass::Fake, "Please provide a valid email address."),
            (
                RefusalClass::TooOften,
                "a@x.org has signed up to a lot of lists very recently; we're not allowing more signups for now",
            ),
            (
                RefusalClass::Full,
                "You have reached the contact limit of your plan. Upgrade to add more.",
            ),
            (
                RefusalClass::Full,
                "Forbidden: This account exceeds the number of contacts of its plan",
            ),
            (RefusalClass::Full, "Your subscriber limit was reached"),
            (
                RefusalClass::Full,
                "Please upgrade your account to add contacts",
            ),
            (
                RefusalClass::Account,
                "User Disabled: This account has been disabled.",
            ),
            (
                RefusalClass::Account,
                "This account is under compliance review",
            ),
            (
                RefusalClass::Unclear,
                "You may not submit more than 500 members in a single call.",
            ),
            (
                RefusalClass::Unclear,
                "You have exceeded the limit of 10 simultaneous connections.",
            ),
            (
                RefusalClass::Fake,
                "suspended.account.plan@contact-limit.org looks fake or invalid, please enter a real email address.",
            ),
            (
                RefusalClass::Unclear,
                "An unknown error occurred while processing this contact.",
            ),
        ] {
            assert_eq!(RefusalClass::of(text), class, "{text}");
            assert!(!class.reason(text).contains('@'), "{text}");
        }
    }
}
