//! The words of what must hold: each rule by what breaks it, and the ways in which somebody leaves.

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Somebody is sent as a subscriber to an address of which a holder refuses.
    RefuserSent,
    /// A member of ours is mailed at an address whose holder refuses, or for somebody who refuses.
    RefuserMailed,
    /// Somebody who is out is in again by our doing.
    BroughtBack,
    /// Somebody who left is put there under another address, or in another audience.
    LeftBefore,
    /// An address is put there at which somebody left.
    AddressLeft,
    /// A member of ours is mailed at the address of somebody who left, and it was somebody else's
    /// who has another one now.
    LeaverMailed,
    /// Somebody is unsubscribed, and nobody said no.
    Unasked,
    /// A contact that is not ours is unsubscribed.
    Foreign,
    /// Somebody is asked a second time to confirm, and did not say yes again.
    AskedTwice,
    /// Somebody says yes again, and is not asked.
    NotAskedAgain,
    /// Whoever consents is not there.
    Missing,
    /// Somebody refuses, is mailed, and no audit says so.
    Untold,
}

/// How somebody left an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By a word that lists show.
    Shown,
    /// Nothing is shown there any more.
    Erased,
    /// Only the address is bad.
    Bounced,
}

impl Way {
    pub(super) fn of(word: &str) -> Way {
        if word == "erased" {
            Way::Erased
        } else {
            Way::Shown
        }
    }
}
