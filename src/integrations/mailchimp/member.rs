//! A member in the mirror: its id, whether it is in or out, and what a look at Mailchimp makes of it.

use super::name::Name;
use super::picture::{FIRST_NAME, LAST_NAME};
use super::tags::Managed;
use super::wire::WireMember;
use crate::domain::{Address, Member, Time};
use md5::{Digest, Md5};
use std::collections::BTreeSet;

/// Our own word in the mirror for an address that Mailchimp erased for good.
pub(super) const FORGOTTEN: &str = "forgotten";
/// Our own word for an address that Mailchimp keeps out without showing a member.
pub(super) const KEPT_OUT: &str = "kept out";
/// Our own word for an address whose contact has another one by now.
pub(super) const MOVED: &str = "moved";

const OUT: [&str; 6] = ["unsubscribed", "cleaned", "archived", FORGOTTEN, KEPT_OUT, MOVED];
const LIVE: [&str; 3] = ["subscribed", "pending", "transactional"];

/// Mailchimp's id of an address.
pub(super) fn hash_of(address: &Address) -> String {
    hash(address.as_str())
}

/// Of an address as Mailchimp shows it. Computed, since very old members have other ids: the mirror must know everybody under the id
/// by which it will ask.
pub(super) fn hash(address: &str) -> String {
    Md5::digest(address.trim().to_lowercase().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Mailchimp calls the contact whatever its address is.
pub(super) fn contact_of(wire: &WireMember) -> Option<&str> {
    Some(wire.contact_id.as_str()).filter(|id| !id.is_empty())
}

/// There, and nothing says that they left.
pub(super) fn is_live(member: &Member) -> bool {
    member.ever_left_at.is_none() && LIVE.contains(&member.remote_status.as_str())
}

/// Left, and not shown subscribed since.
pub(super) fn is_out(member: &Member) -> bool {
    member.ever_left_at.is_some() || is_out_word(&member.remote_status)
}

pub(super) fn is_out_word(status: &str) -> bool {
    OUT.contains(&status)
}

/// An address whose contact has another one by now: nobody left, and only this address is not wanted any more.
pub(super) fn is_given_up(member: &Member) -> bool {
    member.remote_status == MOVED
}

/// Why nothing is sent to somebody who is out.
pub(super) fn out_reason(member: &Member) -> String {
    let what = match member.remote_status.as_str() {
        "unsubscribed" => "unsubscribed in Mailchimp",
        "cleaned" => "bounced in Mailchimp",
        "archived" => "archived in Mailchimp",
        FORGOTTEN => "erased for good in Mailchimp",
        KEPT_OUT => "kept out by Mailchimp",
        MOVED => "changed to another address in Mailchimp",
        _ => "left Mailchimp before, and is not shown subscribed since",
    };
    format!("{what}; only they can come back, by a form")
}

/// What a look at Mailchimp makes of a member that the mirror knew as `old`.
pub(super) fn seen(wire: &WireMember, old: Option<&Member>, managed: &Managed, now: Time) -> Member {
    // One in other letters that somebody else put on is theirs; it is ours if we did, and Mailchimp took it for the same.
    let had = |tag: &str| old.is_some_and(|old| old.managed_tags.contains(tag));
    let ours = wire.tags.iter().filter_map(|tag| managed.like_ours(&tag.name).filter(|ours| *ours == tag.name || had(ours)));
    let mut tags: BTreeSet<String> = ours.map(str::to_owned).collect();
    if wire.tags_count > wire.tags.len() as u64 {
        // At most fifty are shown; of the others what was known before is believed.
        tags.extend(old.iter().flat_map(|old| old.managed_tags.iter().cloned()));
    }
    let is_out = is_out_word(&wire.status);
    let left_before = old.and_then(|old| old.ever_left_at);
    Member {
        remote_id: hash(&wire.email_address),
        contact_id: contact_of(wire).map(str::to_owned).or_else(|| old.and_then(|old| old.contact_id.clone())),
        supporter_id: old.and_then(|old| old.supporter_id),
        remote_status: wire.status.clone(),
        managed_tags: tags,
        name_hash: Name::of(wire.field(FIRST_NAME), wire.field(LAST_NAME)).hash(),
        // Whoever left and comes back does so by themselves.
        subscribed_by_us: !is_out && old.is_some_and(|old| old.subscribed_by_us),
        ever_left_at: match wire.status.as_str() {
            "subscribed" => None,
            _ if is_out => left_before.or(Some(now)),
            _ => left_before,
        },
        last_seen_at: wire.last_changed.or_else(|| old.and_then(|old| old.last_seen_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::day;
    use super::*;

    fn wire(status: &str, tags: &[&str]) -> WireMember {
        let tags = tags.iter().map(|name| super::super::wire::WireTag { name: (*name).to_owned() }).collect();
        WireMember { email_address: "Ada@X.org".to_owned(), status: status.to_owned(), tags, ..WireMember::default() }
    }

    #[test]
    fn the_id_is_of_the_address_in_lower_case() {
        assert_eq!(hash(" Urist.McVankab@Freddiesjokes.com"), "62eeb292278cc15f5817cb78f7790b08");
    }

    #[test]
    fn who_left_stays_out_until_shown_subscribed() {
        let managed = Managed::new("Classy-");
        let mut member = Member { subscribed_by_us: true, remote_status: "subscribed".to_owned(), ..Member::default() };
        for (status, out) in [
            ("unsubscribed", true),
            ("pending", true),
            ("transactional", true),
            ("archived", true),
            ("subscribed", false),
            ("cleaned", true),
        ] {
            member = seen(&wire(status, &[]), Some(&member), &managed, day(1));
            assert_eq!((is_out(&member), is_live(&member)), (out, !out), "{status}");
            assert!(!member.subscribed_by_us, "who left is not ours any more");
        }
    }

    #[test]
    fn tags_beyond_the_fifty_that_are_shown_are_not_taken_for_gone() {
        let managed = Managed::new("Classy-");
        let old = Member { managed_tags: BTreeSet::from(["Classy-Major".to_owned()]), ..Member::default() };
        let mut shown = wire("subscribed", &["Gala", "Classy-Recent", "classy-repeat"]);
        shown.tags_count = 3;
        let tags = |member: Member| member.managed_tags.into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(tags(seen(&shown, Some(&old), &managed, day(1))), "Classy-Recent");
        shown.tags_count = 60;
        assert_eq!(tags(seen(&shown, Some(&old), &managed, day(1))), "Classy-Major Classy-Recent");
    }

    #[test]
    fn a_tag_in_other_letters_is_ours_only_where_we_put_it() {
        let managed = Managed::new("Classy-");
        let tags = |old: &Member| seen(&wire("subscribed", &["classy-major"]), Some(old), &managed, day(1)).managed_tags.len();
        assert_eq!(tags(&Member::default()), 0);
        assert_eq!(tags(&Member { managed_tags: BTreeSet::from(["Classy-Major".to_owned()]), ..Member::default() }), 1);
    }
}
