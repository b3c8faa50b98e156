//! An answer to a batch is matched with what was sent: everybody must be in it, and nobody may have
//! come back who had left.

use crate::domain::Member;
use crate::integrations::mailchimp::api::answers::{BatchAnswer, WireError, WireMember};
use crate::integrations::mailchimp::mirror::status::is_out_word;
use std::collections::BTreeMap;

/// What became of one person of a batch.
pub(crate) enum BatchOutcome {
    Accepted {
        member: WireMember,
        is_new: bool,
    },
    Refused(WireError),
    /// Mailchimp does not say.
    Unknown,
}

/// One outcome for each address, in their order. Addresses are in lower case.
pub(crate) fn reconcile(sent: &[&str], answer: BatchAnswer) -> Vec<BatchOutcome> {
    let key = |address: &str| address.trim().to_lowercase();
    let mut known: BTreeMap<String, BatchOutcome> = BTreeMap::new();
    for error in answer.errors {
        known.insert(key(&error.email_address), BatchOutcome::Refused(error));
    }
    for (members, is_new) in [(answer.updated_members, false), (answer.new_members, true)] {
        for member in members {
            known.insert(
                key(&member.email_address),
                BatchOutcome::Accepted { member, is_new },
            );
        }
    }
    sent.iter()
        .map(|address| known.remove(*address).unwrap_or(BatchOutcome::Unknown))
        .collect()
}

/// Whether a write brought somebody back who had left: the one thing that must never happen.
/// Somebody who was there and is called new was archived a moment before; or never confirmed, was
/// dropped for it, and said yes again, which is no coming back.
pub(crate) fn is_resubscribed(before: Option<&Member>, after: &WireMember, is_new: bool) -> bool {
    let is_in = ["subscribed", "pending"].contains(&after.status.as_str());
    before.is_some_and(|before| {
        is_in
            && (is_new && before.remote_status != "pending"
                || is_out_word(&before.remote_status)
                || before.ever_left_at.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(address: &str, status: &str) -> WireMember {
        WireMember {
            email_address: address.to_owned(),
            status: status.to_owned(),
            ..WireMember::default()
        }
    }

    #[test]
    fn everybody_who_was_sent_has_an_outcome() {
        let answer = BatchAnswer {
            new_members: vec![member("A@x.org", "subscribed")],
            updated_members: vec![member("b@x.org", "subscribed")],
            errors: vec![WireError {
                email_address: "c@X.org".to_owned(),
                ..WireError::default()
            }],
        };
        let outcomes = reconcile(&["d@x.org", "c@x.org", "b@x.org", "a@x.org"], answer);
        let word = |outcome: &BatchOutcome| match outcome {
            BatchOutcome::Accepted { is_new: true, .. } => "new",
            BatchOutcome::Accepted { .. } => "updated",
            BatchOutcome::Refused(_) => "refused",
            BatchOutcome::Unknown => "unknown",
        };
        assert_eq!(
            outcomes.iter().map(word).collect::<Vec<_>>(),
            ["unknown", "refused", "updated", "new"]
        );
    }

    #[test]
    fn whoever_had_left_and_is_in_again_was_brought_back() {
        let before = |status: &str| Member {
            remote_status: status.to_owned(),
            ..Member::default()
        };
        for status in ["unsubscribed", "cleaned", "archived"] {
            assert!(
                is_resubscribed(
                    Some(&before(status)),
                    &member("a@x.org", "subscribed"),
                    false
                ),
                "{status}"
            );
        }
        let live = before("subscribed");
        assert!(
            is_resubscribed(Some(&live), &member("a@x.org", "subscribed"), true),
            "archived a moment before"
        );
        assert!(!is_resubscribed(
            Some(&live),
            &member("a@x.org", "subscribed"),
            false
        ));
        assert!(
            !is_resubscribed(Some(&live), &member("a@x.org", "unsubscribed"), false),
            "they left by themselves"
        );
        assert!(!is_resubscribed(
            None,
            &member("a@x.org", "subscribed"),
            true
        ));
    }
}
