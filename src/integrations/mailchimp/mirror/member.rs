//! A member in the mirror: its id, and what a look at Mailchimp makes of it.

use super::managed_tags::ManagedTags;
use super::merge_fields::{FIELDS, FIRST_NAME, GIFTS, LAST_NAME, MergeField};
use super::name::Name;
use super::status::{PENDING, is_leaving};
use crate::domain::{Address, Member, Time, Values, limits};
use crate::integrations::mailchimp::api::answers::WireMember;
use md5::{Digest, Md5};
use serde_json::Value;
use std::collections::BTreeSet;

/// Mailchimp's id of an address.
pub(crate) fn hash_of(address: &Address) -> String {
    hash(address.as_str())
}

/// Of an address as Mailchimp shows it. Computed, since very old members have other ids: the mirror
/// must know everybody under the id by which it will ask.
pub(crate) fn hash(address: &str) -> String {
    Md5::digest(address.trim().to_lowercase().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What Mailchimp calls the contact whatever its address is.
pub(crate) fn contact_of(wire: &WireMember) -> Option<&str> {
    Some(wire.contact_id.as_str()).filter(|id| !id.is_empty() && id.len() <= limits::KEY_CHARS)
}

/// What a look at Mailchimp makes of a member that the mirror knew as `old`.
pub(crate) fn observed_member(
    wire: &WireMember,
    old: Option<&Member>,
    managed: &ManagedTags,
    now: Time,
) -> Member {
    // One in other letters that somebody else put on is theirs; it is ours if we did, and Mailchimp
    // took it for the same, in whatever letters our prefix was written then.
    let had = |tag: &str| {
        let tag = tag.to_lowercase();
        old.is_some_and(|old| old.managed_tags.iter().any(|had| had.to_lowercase() == tag))
    };
    let ours = wire.tags.iter().filter_map(|tag| {
        managed
            .like_ours(&tag.name)
            .filter(|ours| *ours == tag.name || had(ours))
    });
    let mut tags: BTreeSet<String> = ours.map(str::to_owned).collect();
    if wire.tags_count > wire.tags.len() as u64 {
        // At most fifty are shown; of the others what was known before is believed.
        tags.extend(old.iter().flat_map(|old| old.managed_tags.iter().cloned()));
    }
    // Whoever was asked to confirm was asked when they were first seen so, whatever changes of the
    // contact since: an address, a field.
    let is_same =
        |old: &&Member| old.contact_id.is_some() && old.contact_id.as_deref() == contact_of(wire);
    let asked_at = old
        .filter(|old| wire.status == PENDING && old.remote_status == PENDING && is_same(old))
        .and_then(|old| old.last_seen_at);
    let left_before = old.and_then(|old| old.ever_left_at);
    Member {
        remote_id: hash(&wire.email_address),
        contact_id: contact_of(wire)
            .map(str::to_owned)
            .or_else(|| old.and_then(|old| old.contact_id.clone())),
        supporter_id: old.and_then(|old| old.supporter_id),
        remote_status: wire.status.clone(),
        managed_tags: tags,
        name_hash: Name::of(wire.field(FIRST_NAME), wire.field(LAST_NAME)).hash(),
        values: values(wire).or_else(|| old.and_then(|old| old.values.clone())),
        // Whoever leaves and comes back is there by their own word, and one whom we once put there
        // all the same: a no at Classy reaches them.
        subscribed_by_us: old.is_some_and(|old| old.subscribed_by_us),
        ever_left_at: match wire.status.as_str() {
            "subscribed" => None,
            _ if is_leaving(wire) => left_before.or(Some(now)),
            _ => left_before,
        },
        last_seen_at: asked_at
            .or(wire.last_changed)
            .or_else(|| old.and_then(|old| old.last_seen_at)),
    }
}

/// What Mailchimp calls those who are mailed, or will be when they confirm.
pub(crate) const IN: [&str; 2] = ["subscribed", "pending"];

/// Whether somebody who is in has tags of ours, or what only we fill.
pub(crate) fn carries_ours(wire: &WireMember, managed: &ManagedTags) -> bool {
    let is_filled = || {
        values(wire)
            .is_some_and(|values| values.0.get(GIFTS).is_some_and(|gifts| !gifts.is_empty()))
    };
    is_somebody(wire)
        && IN.contains(&wire.status.as_str())
        && (wire.tags.iter().any(|tag| managed.is_ours(&tag.name)) || is_filled())
}

/// What our fields hold there; `None` when that is not shown.
pub(crate) fn values(wire: &WireMember) -> Option<Values> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let field = |field: &MergeField| {
        let (_, value) = wire
            .merge_fields
            .iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(field.tag))?;
        Some((field.tag.to_owned(), text(value)))
    };
    (!wire.merge_fields.is_empty()).then(|| Values(FIELDS.iter().filter_map(field).collect()))
}

/// Erased contacts are shown under an address that is nobody's.
pub(crate) fn is_somebody(member: &WireMember) -> bool {
    let address = member.email_address.to_lowercase();
    address.contains('@') && !address.ends_with("@forgotten.mailchimp.com")
}

#[cfg(test)]
mod tests {
    use super::super::status::{has_left, is_live, is_out, out_reason, said_no, way_out};
    use super::*;
    use crate::domain::Way;
    use crate::integrations::mailchimp::api::answers::WireTag;
    use crate::integrations::mailchimp::tests::day;

    fn wire(status: &str, tags: &[&str]) -> WireMember {
        let tags = tags
            .iter()
            .map(|name| WireTag {
                name: (*name).to_owned(),
            })
            .collect();
        WireMember {
            email_address: "Ada@X.org".to_owned(),
            status: status.to_owned(),
            tags,
            ..WireMember::default()
        }
    }

    #[test]
    fn the_id_is_of_the_address_in_lower_case() {
        assert_eq!(
            hash(" Urist.McVankab@Freddiesjokes.com"),
            "62eeb292278cc15f5817cb78f7790b08"
        );
    }

    #[test]
    fn who_left_stays_out_until_shown_subscribed() {
        let managed = ManagedTags::new("Classy-");
        let mut member = Member {
            subscribed_by_us: true,
            remote_status: "subscribed".to_owned(),
            ..Member::default()
        };
        for (status, out) in [
            ("unsubscribed", true),
            ("pending", true),
            ("transactional", true),
            ("archived", true),
            ("subscribed", false),
            ("cleaned", true),
        ] {
            member = observed_member(&wire(status, &[]), Some(&member), &managed, day(1));
            assert_eq!((is_out(&member), is_live(&member)), (out, !out), "{status}");
            assert!(member.subscribed_by_us, "a no at Classy reaches them");
        }
    }

    #[test]
    fn a_bounce_is_no_leaving_of_whoever_has_the_address_unless_they_said_no() {
        let managed = ManagedTags::new("Classy-");
        let subscribed = Member {
            subscribed_by_us: true,
            remote_status: "subscribed".to_owned(),
            ..Member::default()
        };
        let after = |old: &Member, wire: WireMember| {
            let member = observed_member(&wire, Some(old), &managed, day(1));
            assert!(is_out(&member) && !is_live(&member));
            member
        };
        let bounced = after(&subscribed, wire("cleaned", &[]));
        assert!(!has_left(&bounced) && way_out(&bounced) == Way::Bounced && !said_no(&bounced));
        let complained = WireMember {
            unsubscribe_reason: "Abuse complaint".to_owned(),
            ..wire("cleaned", &[])
        };
        for left in [
            after(&subscribed, complained),
            after(&bounced, wire("unsubscribed", &[])),
            after(
                &after(&subscribed, wire("unsubscribed", &[])),
                wire("cleaned", &[]),
            ),
            after(
                &after(&subscribed, wire("archived", &[])),
                wire("cleaned", &[]),
            ),
            after(&bounced, wire("archived", &[])),
        ] {
            assert!(
                has_left(&left) && way_out(&left) != Way::Bounced,
                "{}",
                out_reason(&left)
            );
        }
        let complaint = WireMember {
            unsubscribe_reason: "Abuse complaint".to_owned(),
            ..wire("cleaned", &[])
        };
        for (left, is_no) in [
            (complaint, true),
            (wire("unsubscribed", &[]), true),
            (wire("archived", &[]), false),
        ] {
            assert_eq!(said_no(&after(&subscribed, left)), is_no);
        }
    }

    #[test]
    fn tags_beyond_the_fifty_that_are_shown_are_not_taken_for_gone() {
        let managed = ManagedTags::new("Classy-");
        let old = Member {
            managed_tags: BTreeSet::from(["Classy-Major".to_owned()]),
            ..Member::default()
        };
        let mut shown = wire("subscribed", &["Gala", "Classy-Recent", "classy-repeat"]);
        shown.tags_count = 3;
        let tags = |member: Member| {
            member
                .managed_tags
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            tags(observed_member(&shown, Some(&old), &managed, day(1))),
            "Classy-Recent"
        );
        shown.tags_count = 60;
        assert_eq!(
            tags(observed_member(&shown, Some(&old), &managed, day(1))),
            "Classy-Major Classy-Recent"
        );
    }

    #[test]
    fn a_tag_in_other_letters_is_ours_only_where_we_put_it() {
        let managed = ManagedTags::new("Classy-");
        let tags = |old: &Member| {
            observed_member(
                &wire("subscribed", &["classy-major"]),
                Some(old),
                &managed,
                day(1),
            )
            .managed_tags
            .len()
        };
        assert_eq!(tags(&Member::default()), 0);
        assert_eq!(
            tags(&Member {
                managed_tags: BTreeSet::from(["Classy-Major".to_owned()]),
                ..Member::default()
            }),
            1
        );
    }
}
