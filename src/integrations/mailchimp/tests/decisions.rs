//! Who is sent what: every combination of consent, mirror and ledger that matters.

use super::super::known::Known;
use super::super::member::{hash, hash_of};
use super::super::name::Name;
use super::super::picture::Picture;
use super::super::plan::{Case, Decision, Moves, Place, Plan, Rules, plan_all};
use super::super::settings::{OnOptOut, OptOutScope};
use super::super::tags::Managed;
use super::{day, person};
use crate::domain::{Address, Harm, Member, Money, Profile, Standing, Step};
use crate::plugin::{DeliveryRow, Suppressed};
use std::collections::{BTreeMap, BTreeSet};

fn managed() -> Managed {
    Managed::new("Classy-")
}

/// A supporter with gifts: Classy-Regular, Classy-Repeat, Classy-Recent on day 100.
fn giver(id: i64) -> Profile {
    Profile {
        lifetime_amount: Money::parse("100").unwrap(),
        lifetime_count: 2,
        last_gift_at: Some(day(90)),
        ..person(id)
    }
}

/// The member as a delivery for this supporter leaves it.
fn member(person: &Profile) -> Member {
    Member {
        remote_id: hash_of(person.address.as_ref().unwrap()),
        contact_id: None,
        supporter_id: Some(person.supporter_id),
        remote_status: "subscribed".to_owned(),
        managed_tags: managed().of(person, day(100)),
        name_hash: Name::of(
            person.first_name.as_deref().unwrap_or_default(),
            person.last_name.as_deref().unwrap_or_default(),
        )
        .hash(),
        values: None,
        subscribed_by_us: true,
        ever_left_at: None,
        last_seen_at: Some(day(1)),
    }
}

fn with(status: &str, member: Member) -> Member {
    let left = ["unsubscribed", "cleaned", "archived"]
        .contains(&status)
        .then(|| day(2));
    Member {
        remote_status: status.to_owned(),
        ever_left_at: left,
        ..member
    }
}

/// The ledger after a delivery.
fn delivered(person: &Profile) -> DeliveryRow {
    DeliveryRow {
        supporter_id: person.supporter_id,
        state: "delivered".to_owned(),
        reason: None,
        fingerprint: Picture::of(person, &managed(), day(100)).map(|picture| picture.fingerprint()),
        attempts: 0,
        address: person.address.clone(),
        intent: None,
        next_attempt_at: None,
        delivered_at: None,
        undone_mark: None,
        updated_at: day(1),
    }
}

fn plans(
    people: &[Profile],
    members: &[Member],
    rows: &[DeliveryRow],
    on_opt_out: OnOptOut,
) -> Vec<Plan> {
    let case = |profile| {
        let profile: &Profile = profile;
        let here = profile.address.as_ref().map(hash_of);
        Case {
            profile,
            here: members
                .iter()
                .find(|member| Some(&member.remote_id) == here.as_ref()),
            elsewhere: members
                .iter()
                .filter(|member| {
                    member.supporter_id == Some(profile.supporter_id)
                        && Some(&member.remote_id) != here.as_ref()
                })
                .collect(),
            earlier: Vec::new(),
            row: rows
                .iter()
                .find(|row| row.supporter_id == profile.supporter_id),
            suppressed: None,
        }
    };
    let cases: Vec<Case<'_>> = people.iter().map(case).collect();
    plan_all(
        &cases,
        &Rules {
            managed: &managed(),
            on_opt_out,
            opt_out_scope: OptOutScope::Ours,
            moves: Moves::ToCome,
            double_optin: false,
            now: day(100),
        },
    )
}

fn decide(people: &[Profile], members: &[Member]) -> Vec<Decision> {
    plans(people, members, &[], OnOptOut::Unsubscribe)
        .into_iter()
        .map(|plan| plan.decision)
        .collect()
}

fn one(person: &Profile, members: &[Member]) -> Decision {
    decide(std::slice::from_ref(person), members).remove(0)
}

fn reason(decision: &Decision) -> &str {
    match decision {
        Decision::Skip(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn at(mut person: Profile, address: &str) -> Profile {
    person.address = Address::parse(address);
    person
}

fn says(mut person: Profile, opt_in: Option<bool>) -> Profile {
    person.email_opt_in = opt_in;
    person
}

#[test]
fn who_is_consented_and_not_there_is_added() {
    assert_eq!(one(&giver(1), &[]), Decision::Add);
    let plan = plans(&[giver(1)], &[], &[], OnOptOut::Unsubscribe).remove(0);
    assert_eq!(
        plan.adds,
        ["Classy-Recent", "Classy-Regular", "Classy-Repeat"]
    );
    assert_eq!(
        plan.deeds()
            .iter()
            .map(|deed| deed.kind)
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
                standing: Standing::Silent { speaker: 2 },
                ..giver(1)
            },
            &[]
        )),
        "supporter 2 speaks for this address"
    );
}

#[test]
fn who_left_is_left_alone_whatever_the_mirror_says_besides() {
    for status in [
        "unsubscribed",
        "cleaned",
        "archived",
        "forgotten",
        "kept out",
    ] {
        for by_us in [true, false] {
            let gone = Member {
                subscribed_by_us: by_us,
                ..with(status, member(&giver(1)))
            };
            assert!(
                reason(&one(&giver(1), &[gone])).contains("only they can come back"),
                "{status}"
            );
        }
    }
    // Neither asked to confirm nor made receipts-only does anybody come back.
    for status in ["pending", "transactional", "subscribed"] {
        let left = Member {
            ever_left_at: Some(day(2)),
            ..with(status, member(&giver(1)))
        };
        assert!(
            matches!(one(&giver(1), &[left]), Decision::Skip(_)),
            "{status}"
        );
    }
    assert!(matches!(
        one(&giver(1), &[with("something new", member(&giver(1)))]),
        Decision::Skip(_)
    ));
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
    let known = Known::of(
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
    assert_eq!(u64::from(plan.deed(Harm::Untag).is_some()), 0);
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
            u64::from(plan.deed(Harm::Rename).is_some()),
        )
    };
    assert_eq!(renames("Grace"), (Decision::Change, 1));
    assert_eq!(renames(" "), (Decision::Keep, 0));
    assert_eq!(renames("Ada"), (Decision::Keep, 0));
}

#[test]
fn only_a_word_of_no_unsubscribes_and_only_whom_we_subscribed() {
    let there = || vec![member(&giver(1))];
    let refused = says(giver(1), Some(false));
    let plan = plans(
        std::slice::from_ref(&refused),
        &there(),
        &[],
        OnOptOut::Unsubscribe,
    )
    .remove(0);
    assert_eq!(
        (
            plan.planned().step,
            u64::from(plan.deed(Harm::Unsubscribe).is_some())
        ),
        (Step::Unsubscribe, 1)
    );
    let gone_too = Profile {
        is_absent: true,
        ..refused.clone()
    };
    assert!(
        matches!(one(&gone_too, &there()), Decision::Unsubscribe { .. }),
        "a word of no does not lapse"
    );
    // Who says nothing is left as they are.
    assert!(matches!(
        one(&says(giver(1), None), &there()),
        Decision::Skip(_)
    ));
    assert!(matches!(
        one(
            &Profile {
                is_absent: true,
                ..giver(1)
            },
            &there()
        ),
        Decision::Skip(_)
    ));
    assert!(matches!(
        one(
            &Profile {
                standing: Standing::Silent { speaker: 2 },
                ..giver(1)
            },
            &there()
        ),
        Decision::Skip(_)
    ));
    // Who was there before us is left alone, and so is who is out already.
    let foreign = Member {
        subscribed_by_us: false,
        ..member(&giver(1))
    };
    assert!(reason(&one(&refused, &[foreign])).contains("left alone"));
    for status in ["unsubscribed", "cleaned", "archived", "transactional"] {
        assert!(
            matches!(
                one(&refused, &[with(status, member(&giver(1)))]),
                Decision::Skip(_)
            ),
            "{status}"
        );
    }
    let ignored = plans(&[refused], &there(), &[], OnOptOut::Ignore).remove(0);
    assert!(matches!(ignored.decision, Decision::Skip(reason) if reason.contains("on_opt_out")));
}

#[test]
fn one_holder_of_a_shared_address_who_refuses_refuses_for_all_and_it_is_done_once() {
    let speaker = Profile {
        standing: Standing::Refused { by: 2 },
        ..at(giver(1), "both@x.org")
    };
    let refuser = says(at(giver(2), "both@x.org"), Some(false));
    let there = member(&speaker);
    let decisions = decide(
        &[refuser.clone(), speaker.clone()],
        std::slice::from_ref(&there),
    );
    assert!(
        matches!(&decisions[1], Decision::Unsubscribe { members, .. } if *members == [Place::here(&there.remote_id)])
    );
    assert!(
        matches!(decisions[0], Decision::Skip(_)),
        "the supporter for whom it was delivered does it"
    );
    let alone = decide(&[refuser], &[there]);
    assert!(matches!(alone[0], Decision::Unsubscribe { .. }));
}

#[test]
fn whoever_still_speaks_for_an_address_keeps_it() {
    // The first opted out and has moved on; the second consented at the old address.
    let first = says(at(giver(1), "new@x.org"), Some(false));
    let second = at(giver(2), "old@x.org");
    let old = Member {
        supporter_id: Some(1),
        ..member(&second)
    };
    let decisions = decide(&[first, second], &[old]);
    assert!(
        matches!(decisions[0], Decision::Skip(_)) && decisions[1] == Decision::Change,
        "{decisions:?}"
    );
}

#[test]
fn a_member_that_we_subscribed_moves_with_its_supporter() {
    let before = at(giver(1), "old@x.org");
    let after = at(giver(1), "new@x.org");
    let old = member(&before);
    assert_eq!(
        one(&after, std::slice::from_ref(&old)),
        Decision::Move {
            from: hash("old@x.org")
        }
    );
    let plan = plans(
        std::slice::from_ref(&after),
        std::slice::from_ref(&old),
        &[],
        OnOptOut::Unsubscribe,
    )
    .remove(0);
    assert_eq!(u64::from(plan.deed(Harm::Rename).is_some()), 1);
    // One that was there before us stays where it is, and the supporter is added.
    let foreign = Member {
        subscribed_by_us: false,
        ..old.clone()
    };
    assert_eq!(one(&after, &[foreign]), Decision::Add);
    // So it does when somebody else has the old address.
    let other = at(giver(2), "old@x.org");
    assert_eq!(
        decide(&[after.clone(), other], std::slice::from_ref(&old)),
        [Decision::Add, Decision::Change]
    );
    // The new address is a member already: it gets our tags, and the old one is left alone.
    let new = Member {
        supporter_id: None,
        subscribed_by_us: false,
        ..member(&after)
    };
    assert_eq!(one(&after, &[old.clone(), new.clone()]), Decision::Change);
    // It is one that said no: the stricter of two words counts for what we subscribed.
    // A complaint of a mail is counted among the bounces.
    for status in ["unsubscribed", "cleaned"] {
        let no = with(status, new.clone());
        let decision = one(&after, &[old.clone(), no]);
        assert!(
            matches!(decision, Decision::Unsubscribe { members, .. } if members == [Place::here(&hash("old@x.org"))]),
            "{status}"
        );
    }
    // A bounce is no word.
    let bounced = Member {
        ever_left_at: None,
        ..with("cleaned", new)
    };
    assert!(matches!(one(&after, &[old, bounced]), Decision::Skip(_)));
}

#[test]
fn who_left_under_an_earlier_address_is_not_added_under_another() {
    let after = at(giver(1), "new@x.org");
    for status in ["unsubscribed", "cleaned", "archived"] {
        let old = with(status, member(&at(giver(1), "old@x.org")));
        assert!(
            reason(&one(&after, &[old])).contains("earlier address"),
            "{status}"
        );
    }
    // A bad address says nothing of the person: they are put at a good one.
    let bounced = Member {
        ever_left_at: None,
        ..with("cleaned", member(&at(giver(1), "old@x.org")))
    };
    assert_eq!(one(&after, std::slice::from_ref(&bounced)), Decision::Add);
    let before = at(giver(1), "old@x.org");
    assert!(reason(&one(&before, &[bounced])).contains("bounced"));
}
