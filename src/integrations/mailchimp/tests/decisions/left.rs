//! Who is left alone, unsubscribed or moved.

use super::{at, decide, giver, member, one, plans, reason, says, with};
use crate::domain::{AddressClaim, Harm, Member, Profile, Step};
use crate::integrations::mailchimp::decide::case::MemberPlace;
use crate::integrations::mailchimp::decide::decision::Decision;
use crate::integrations::mailchimp::mirror::member::hash;
use crate::integrations::mailchimp::settings::OnOptOut;
use crate::integrations::mailchimp::tests::day;

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
            u64::from(plan.guarded_change(Harm::Unsubscribe).is_some())
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
                claim: AddressClaim::OwnedBy { owner: 2 },
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
        claim: AddressClaim::Refused { by: 2 },
        ..at(giver(1), "both@x.org")
    };
    let refuser = says(at(giver(2), "both@x.org"), Some(false));
    let there = member(&speaker);
    let decisions = decide(
        &[refuser.clone(), speaker.clone()],
        std::slice::from_ref(&there),
    );
    assert!(
        matches!(&decisions[1], Decision::Unsubscribe { members, .. } if *members == [MemberPlace::here(&there.remote_id)])
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
    assert_eq!(u64::from(plan.guarded_change(Harm::Rename).is_some()), 1);
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
            matches!(decision, Decision::Unsubscribe { members, .. } if members == [MemberPlace::here(&hash("old@x.org"))]),
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
