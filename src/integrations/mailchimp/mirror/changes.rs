//! What a page of members changes of the mirror, and who is to be looked at again for it.

use super::managed_tags::ManagedTags;
use super::member::observed_member;
use super::status::{MOVED, is_out_word};
use crate::domain::{Address, Member, Time};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::plugin::Left;
use std::collections::{BTreeMap, BTreeSet};

/// What a page changes.
#[derive(Default)]
pub(crate) struct Changes {
    /// Ids of addresses that supporters have. Of nobody else it is kept what fields hold.
    pub(crate) supporters: BTreeSet<String>,
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) left: Vec<Left>,
    /// Contacts of ours that lack tags which were put on them.
    pub(crate) untagged: u64,
    /// Supporters whose member is not as we left it.
    pub(crate) due: BTreeSet<i64>,
    /// Addresses whose holders are to be looked at: of members that belong to no supporter yet, and
    /// of those that came to another address.
    pub(crate) addresses: BTreeSet<Address>,
}

impl Changes {
    /// A member who is shown, as it was known by its address, and as it was known under an earlier
    /// one.
    pub(crate) fn note(
        &mut self,
        wire: &WireMember,
        old: Option<&Member>,
        earlier: Option<&Member>,
        managed: &ManagedTags,
        now: Time,
    ) {
        let is_stale = old
            .and_then(|old| old.last_seen_at)
            .zip(wire.last_changed)
            .is_some_and(|(known, shown)| shown < known);
        // A contact that came from another address is who it was there, whoever left here.
        let mut new = observed_member(wire, earlier.or(old), managed, now);
        if let Some(earlier) = earlier {
            new.supporter_id = new.supporter_id.or(old.and_then(|old| old.supporter_id));
            self.give_up(earlier, now);
        }
        if new.supporter_id.is_none() && !self.supporters.contains(&new.remote_id) {
            new.values = None;
        }
        if is_stale || old == Some(&new) {
            return;
        }
        let same = |old: &Member| {
            (&old.remote_status, &old.managed_tags, old.name_hash)
                == (&new.remote_status, &new.managed_tags, new.name_hash)
        };
        if !old.is_some_and(same) {
            self.due.extend(new.supporter_id);
            // Whoever has the address may refuse, whoever the contact is for.
            if new.supporter_id.is_none() || old.is_none() || earlier.is_some() {
                self.addresses.extend(Address::parse(&wire.email_address));
            }
        }
        let lost = |old: &Member| {
            new.supporter_id.is_some() && !old.managed_tags.is_subset(&new.managed_tags)
        };
        self.untagged += u64::from(old.is_some_and(lost));
        self.left.extend(departure(old, &new));
        self.members.insert(new.remote_id.clone(), new);
    }

    /// An address whose contact has another one now.
    fn give_up(&mut self, earlier: &Member, now: Time) {
        let given_up = Member {
            remote_status: MOVED.to_owned(),
            managed_tags: BTreeSet::new(),
            subscribed_by_us: false,
            ever_left_at: earlier.ever_left_at.or(Some(now)),
            ..earlier.clone()
        };
        self.due.extend(given_up.supporter_id);
        self.left.extend(departure(Some(earlier), &given_up));
        // Somebody else may have it by now.
        if self
            .members
            .get(&given_up.remote_id)
            .is_some_and(|there| there.contact_id != given_up.contact_id)
        {
            return;
        }
        self.members.insert(given_up.remote_id.clone(), given_up);
    }
}

/// Evidence that somebody of ours left.
pub(crate) fn departure(old: Option<&Member>, new: &Member) -> Option<Left> {
    let was_in = old.is_some_and(|old| !is_out_word(&old.remote_status));
    let supporter_id = new
        .supporter_id
        .filter(|_| was_in && is_out_word(&new.remote_status))?;
    Some(Left {
        supporter_id,
        status: new.remote_status.clone(),
        at: new.last_seen_at,
    })
}
