//! One person with what is known of them: what a decision is made of.

use crate::domain::{Member, Profile, Why};
use crate::plugin::DeliveryRow;
use std::collections::{BTreeMap, BTreeSet};

/// One person, with what is known of them.
pub(crate) struct Case<'a> {
    pub(crate) profile: &'a Profile,
    /// The member at the present address.
    pub(crate) here: Option<&'a Member>,
    /// Members at other addresses that were delivered for this supporter.
    pub(crate) elsewhere: Vec<&'a Member>,
    /// Members that we subscribed in earlier audiences: this supporter's, and the one at the
    /// present address.
    pub(crate) earlier: Vec<(&'a str, &'a Member)>,
    pub(crate) row: Option<&'a DeliveryRow>,
    /// Members of theirs that we took off at any time and why, whether or not they came back.
    pub(crate) taken_off: Option<&'a BTreeMap<String, Why>>,
    /// Addresses among theirs that we took off at any time, since anybody said no there.
    pub(crate) addresses_taken_off: &'a BTreeSet<String>,
    /// Why nobody may be put there: the person left, under whatever address and in whatever
    /// audience, or the address did.
    pub(crate) suppressed: Option<&'a Why>,
}

/// A member of the audience, or of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberPlace {
    /// The earlier audience.
    pub(crate) audience: Option<String>,
    /// The member's id.
    pub(crate) member: String,
}

impl MemberPlace {
    /// In the audience itself.
    pub(crate) fn here(member: &str) -> MemberPlace {
        MemberPlace {
            audience: None,
            member: member.to_owned(),
        }
    }
}
