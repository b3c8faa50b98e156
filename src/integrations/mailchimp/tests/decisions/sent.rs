//! Who is sent, and what differs of them.

use super::{at, delivered, giver, member, one, plans, reason, says, with};
use crate::domain::{AddressClaim, Harm, Member, Profile, Step};
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::decide::decision::Decision;
use crate::integrations::mailchimp::mirror::member::hash;
use crate::integrations::mailchimp::settings::OnOptOut;
use crate::integrations::mailchimp::tests::day;
use crate::plugin::{DeliveryRow, Suppressed};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn who_is_consented_and_not_there_is_added() {
    assert_eq!(one(&giver(1), &[]), Decision::Add);
    let plan = plans(&[giver(1)], &[], &[], OnOptOut::Unsubscribe).remove(0);
    assert_eq!(
        plan.adds,
        ["Classy-Recent", "Classy-Regular", "Classy-Repeat"]
    );
    assert_eq!(
        plan.guarded_changes()
            .iter()
            .map(|guarded_change| guarded_change.kind)
            .collect::<Vec<_>>(),
        [Harm::Add]
    );
}

#[test]
fn who_is_not_consented_and_not_there_is_never_sent() {
    for opt_in in [None, Some(false)] {
        assert!(
            matches!(one(&says(giver(1), opt_in), &[]), Decision::Skip(_)),
            "{opt_in:?}"
        );
    }
    assert_eq!(
        reason(&one(
            &Profile {
                is_absent: true,
                ..giver(1)
            },
            &[]
        )),
        "gone at the source"
    );
    assert_eq!(
        reason(&one(
            &Profile {
                address: None,
                ..giver(1)
            },
            &[]
        )),
        "no e-mail address that works"
    );
    assert_eq!(
        reason(&one(
            &Profile {
                claim: AddressClaim::OwnedBy { owner: 2 },
                ..giver(1)
            },
            &[]
        )),
        "mail to this address goes to supporter 2, who has it too"
    );
}

#[test]
fn who_is_there_gets_what_differs_and_nothing_when_nothing_does() {
    let person = giver(1);
    let plan = |members: &[Member], rows: &[DeliveryRow]| {
        plans(
            std::slice::from_ref(&person),
            members,
            rows,
            OnOptOut::Unsubscribe,
        )
        .remove(0)
    };
    for status in ["subscribed", "transactional"] {
        let there = with(status, member(&person));
        assert_eq!(
            plan(std::slice::from_ref(&there), &[delivered(&person)]).decision,
            Decision::Keep,
            "{status}"
        );
        assert_eq!(
            plan(&[there], &[]).decision,
            Decision::Change,
            "{status}: never delivered"
        );
    }
    let foreign = Member {
        supporter_id: None,
        managed_tags: BTreeSet::new(),
        subscribed_by_us: false,
        ..member(&person)
    };
    let adopted = plan(&[foreign], &[]);
    assert_eq!(
        (adopted.decision, adopted.adds.len(), adopted.lost.len()),
        (Decision::Change, 3, 0)
    );
}

#[test]
fn who_was_asked_to_confirm_is_left_alone_and_asked_again_only_when_they_say_yes_again() {
    let asked = |person: &Profile, ago: i64| {
        one(
            person,
            &[Member {
                last_seen_at: Some(day(100 - ago)),
                ..with("pending", member(person))
            }],
        )
    };
    assert!(reason(&asked(&giver(1), 59)).contains("nothing is sent before they do"));
    assert!(reason(&asked(&giver(1), 60)).contains("did not confirm"));
    let said = |ago: i64| Profile {
        consent_decided_at: Some(day(100 - ago)),
        ..giver(1)
    };
    assert!(matches!(asked(&said(70), 65), Decision::Skip(_)));
    assert_eq!(asked(&said(3), 65), Decision::Add);
    // Whoever moved to another address meanwhile was not erased: they did not confirm.
    let moved = |person: Profile| {
        let old = Member {
            last_seen_at: Some(day(35)),
            ..with("pending", member(&giver(1)))
        };
        one(&at(person, "new@x.org"), &[old])
    };
    assert!(reason(&moved(giver(1))).contains("did not confirm"));
    assert_eq!(moved(said(3)), Decision::Add);
}

#[test]
fn whoever_was_being_added_is_ours_though_they_have_another_address_by_now() {
    let before = at(giver(1), "old@x.org");
    let sending = DeliveryRow {
        state: "sending".to_owned(),
        intent: Some(Step::Add.as_str().to_owned()),
        ..delivered(&before)
    };
    let there = Member {
        subscribed_by_us: false,
        supporter_id: None,
        ..member(&before)
    };
    let people = [at(says(giver(1), Some(false)), "new@x.org")];
    let members = BTreeMap::from([(there.remote_id.clone(), there)]);
    let known = DeliveryContext::of(
        &people,
        BTreeMap::from([(1, sending)]),
        members,
        Suppressed::default(),
        BTreeMap::new(),
        BTreeMap::new(),
    );
    let old = known.member(&hash("old@x.org")).unwrap();
    assert!(
        old.subscribed_by_us && old.supporter_id == Some(1),
        "their opt-out reaches it"
    );
}

#[test]
fn a_tag_that_another_of_its_family_replaces_is_no_harm() {
    let person = giver(1);
    let mut there = member(&person);
    there.managed_tags = BTreeSet::from(
        [
            "Classy-Small",
            "Classy-Repeat",
            "Classy-Monthly Recurring",
            "Classy-Gala",
        ]
        .map(str::to_owned),
    );
    let plan = plans(&[person], &[there], &[], OnOptOut::Unsubscribe).remove(0);
    assert_eq!(
        (plan.replaced, plan.lost),
        (
            vec!["Classy-Small".to_owned()],
            vec!["Classy-Monthly Recurring".to_owned()]
        )
    );
    let plan = plans(&[giver(1)], &[], &[], OnOptOut::Unsubscribe).remove(0);
    assert_eq!(u64::from(plan.guarded_change(Harm::Untag).is_some()), 0);
}

#[test]
fn another_name_is_a_rename_and_a_blank_is_nothing() {
    let renames = |first: &str| {
        let person = Profile {
            first_name: Some(first.to_owned()),
            ..giver(1)
        };
        let plan = plans(
            std::slice::from_ref(&person),
            &[member(&giver(1))],
            &[delivered(&person)],
            OnOptOut::Unsubscribe,
        )
        .remove(0);
        (
            plan.decision.clone(),
            u64::from(plan.guarded_change(Harm::Rename).is_some()),
        )
    };
    assert_eq!(renames("Grace"), (Decision::Change, 1));
    assert_eq!(renames(" "), (Decision::Keep, 0));
    assert_eq!(renames("Ada"), (Decision::Keep, 0));
}
