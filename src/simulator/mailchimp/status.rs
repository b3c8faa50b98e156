//! In what state a member is, and who made a person leave.

use serde::{Deserialize, Serialize};

/// The state of a member (contract 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Gets mail.
    Subscribed,
    /// Wants none any more.
    Unsubscribed,
    /// The address bounced.
    Cleaned,
    /// Was sent a mail to confirm.
    Pending,
    /// Gets receipts only.
    Transactional,
    /// Put away; cannot be asked for by a write.
    Archived,
}

impl Status {
    const ALL: [Status; 6] = [
        Status::Subscribed,
        Status::Unsubscribed,
        Status::Cleaned,
        Status::Pending,
        Status::Transactional,
        Status::Archived,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Subscribed => "subscribed",
            Status::Unsubscribed => "unsubscribed",
            Status::Cleaned => "cleaned",
            Status::Pending => "pending",
            Status::Transactional => "transactional",
            Status::Archived => "archived",
        }
    }

    pub(super) fn of(word: &str) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
    }

    /// Whether the account pays for it (contract 9).
    pub const fn is_billed(self) -> bool {
        matches!(
            self,
            Status::Subscribed | Status::Unsubscribed | Status::Transactional
        )
    }
}

/// How somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// By the link in a mail.
    Person,
    /// The address bounced, or the mail was called spam.
    Bounce,
    /// Somebody at the nonprofit archived them by hand.
    Staff,
    /// A program unsubscribed them.
    Api,
}
