//! No large harm in one step: it is held as a whole until a person approves exactly it, and
//! everything else goes on. New people are in `additions`.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::domain::Harm;
use classy_sync::plugin::{Disallowed, GuardSettings, Word};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_opt_out_is_held_until_exactly_its_people_are_approved_and_each_once() {
    for kind in kinds() {
        let charity = Charity::guarded(kind, 160, 120).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(80).collect();
        let emails = |ids: &[i64]| {
            ids.iter()
                .map(|id| charity.email(*id))
                .collect::<BTreeSet<String>>()
        };
        people[..60].iter().for_each(|id| charity.opt(*id, false));
        let done = charity.sync().await;
        assert_eq!(
            (
                done.held,
                done.holds.of(Harm::Unsubscribe),
                charity.off().len()
            ),
            (60, 60, 0),
            "{kind:?}"
        );
        assert!(
            charity.fate(people[0]).await.contains("waits for approval"),
            "{}",
            charity.fate(people[0]).await
        );
        // It stays so by itself.
        assert_eq!(charity.sync().await.held, 60);
        // Some of them, however often it is said, and nobody else.
        let plan = charity.preview().await.plan();
        let some = |plan: &str| Word {
            supporters: people[..20].to_vec(),
            plan: Some(plan.to_owned()),
            actor: "cli",
            ..Word::default()
        };
        assert_eq!(charity.approve(some(&plan)).await.unwrap().people, 20);
        // What is approved is not held any more, so the plan is another one.
        for _ in 0..2 {
            let refused = charity.approve(some(&plan)).await;
            assert!(
                matches!(refused, Err(Disallowed::Changed { .. })),
                "{refused:?}"
            );
        }
        // More opt out meanwhile: they are nobody whom a person looked at.
        people[60..].iter().for_each(|id| charity.opt(*id, false));
        assert_eq!(
            (charity.sync().await.held, charity.off()),
            (60, emails(&people[..20]))
        );
        assert_eq!(charity.sync().await.held, 60, "it was for once");
        assert!(matches!(
            charity.approve(some(&plan)).await,
            Err(Disallowed::Changed { .. })
        ));
        let renames = charity
            .approve(Word {
                kinds: vec![Harm::Rename],
                actor: "cli",
                ..Word::default()
            })
            .await;
        assert!(matches!(renames, Err(Disallowed::Nothing)), "{renames:?}");
        assert_eq!(charity.approve_all().await.people, 60);
        assert_eq!(
            (charity.sync().await.held, charity.off()),
            (0, emails(&people))
        );
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ends_and_is_for_what_was_looked_at() {
    let charity = Charity::guarded(Kind::Sqlite, 100, 126).await;
    charity.sync().await;
    let people = charity.givers(30).await;
    people
        .iter()
        .for_each(|id| charity.edit(*id, "first_name", "\"Blank\""));
    assert_eq!(charity.sync().await.held, 30);
    charity.approve_all().await;
    // One of them gets another name still, and nobody looked at that.
    charity.edit(people[0], "first_name", "\"Other\"");
    let done = charity.sync().await;
    let named = |name: &str| {
        people
            .iter()
            .filter(|id| charity.field(&charity.email(**id), "FNAME") == name)
            .count()
    };
    // Alone it goes within what goes unasked.
    assert_eq!((named("Blank"), named("Other"), done.held), (29, 1, 0));
    // A day later nothing of an approval is left.
    people
        .iter()
        .for_each(|id| charity.edit(*id, "last_name", "\"Void\""));
    assert_eq!(charity.sync().await.held, 30);
    charity.approve_all().await;
    assert_eq!(charity.deliver_at(in_days(2)).await.unwrap().held, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_other_names_is_held_and_their_gifts_are_told_all_the_same() {
    let charity = Charity::guarded(Kind::Sqlite, 250, 121).await;
    charity.sync().await;
    let people = charity.givers(60).await;
    for id in &people {
        charity.edit(*id, "first_name", "\"Blank\"");
        charity.give(*id, "40000");
    }
    charity.forget_calls();
    let done = charity.sync().await;
    assert_eq!(done.held, 60, "{done:?}");
    charity.assert_complete(&[]).await;
    assert!(
        people
            .iter()
            .all(|id| charity.field(&charity.email(*id), "FNAME") != "Blank")
    );
    // What was held is looked at each time, and nothing is sent for it.
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(charity.harm().writes.len(), 0);
    charity.approve_all().await;
    assert_eq!(charity.sync().await.held, 0);
    assert!(
        people
            .iter()
            .all(|id| charity.field(&charity.email(*id), "FNAME") == "Blank")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn few_go_unasked_and_most_of_a_small_audience_does_not() {
    let charity = Charity::guarded(Kind::Sqlite, 80, 122).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().collect();
    people[..4].iter().for_each(|id| charity.opt(*id, false));
    assert_eq!((charity.sync().await.held, charity.off().len()), (0, 4));
    people[4..].iter().for_each(|id| charity.opt(*id, false));
    let done = charity.sync().await;
    assert_eq!(
        (done.held, charity.off().len()),
        (people.len() as u64 - 4, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn harm_in_slices_is_held_too() {
    let charity = Charity::guarded(Kind::Sqlite, 260, 123).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().collect();
    let tenth = charity.consented().len() / 10;
    assert!(people.len() > 3 * tenth && tenth > 5);
    // A bit less than a tenth each day, for three days.
    for day in 0..3 {
        people[day * (tenth - 1)..(day + 1) * (tenth - 1)]
            .iter()
            .for_each(|id| charity.opt(*id, false));
        charity.read();
        charity.deliver_at(in_days(2 * day as i64)).await.unwrap();
    }
    assert_eq!(
        charity.off().len(),
        tenth - 1,
        "the second slice was held, and the third"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_something_else_than_what_was_approved_waits() {
    let mut charity = Charity {
        guard: GuardSettings::default(),
        ..Charity::new(Kind::Sqlite, world(60, 130)).await
    };
    let all = charity.sync().await.held;
    charity.approve_all().await;
    charity.forget_calls();
    let ask_first = |charity: &Charity, asks: bool| {
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = asks;
    };
    // A mail to each that nobody was told of.
    ask_first(&charity, true);
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Confirm), charity.harm().writes.len()),
        (all, 0),
        "{done:?}"
    );
    assert!(
        done.forecast
            .is_some_and(|forecast| forecast.confirmations == all),
        "{done:?}"
    );
    ask_first(&charity, false);
    // Other tags, other permissions, tags that set something off.
    for table in ["tag_prefix = 'Donor-'", "quiet_first_push = true"] {
        charity.table = table.to_owned();
        let done = charity.sync().await;
        assert_eq!(
            (done.held, charity.harm().writes.len()),
            (all, 0),
            "{table}: {done:?}"
        );
    }
    charity.table.clear();
    // Another address: that one waits, and for a person, however few it is.
    let moved = charity.givers(1).await[0];
    charity.edit(moved, "email_address", "\"stranger@example.org\"");
    for _ in 0..2 {
        assert_eq!(
            (
                charity.sync().await.held,
                charity.status("stranger@example.org")
            ),
            (1, "nobody")
        );
    }
    charity.assert_complete(&[moved]).await;
    charity.approve_all().await;
    assert_eq!(charity.sync().await.held, 0);
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_done_however_often_it_is_cut_off() {
    let charity = Charity {
        guard: GuardSettings::default(),
        ..Charity::new(Kind::Sqlite, world(60, 128)).await
    };
    charity.sync().await;
    charity.approve_all().await;
    charity.site.simulator.mailchimp().switches.latency_ms = 10;
    let mut cuts = 0;
    for step in 1.. {
        let cut = tokio::time::timeout(Duration::from_millis(step * 40), charity.deliver()).await;
        charity.end_lease().await;
        if let Ok(done) = cut {
            assert_eq!(done.unwrap().held, 0);
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 2, "{cuts}");
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_tells_far_more_members_than_it_has_is_guarded_by_those_it_has() {
    let mut charity = Charity::guarded(Kind::Sqlite, 120, 141).await;
    charity.sync().await;
    let told = r#"{"id":"x","double_optin":false,"marketing_permissions":false,"stats":{"member_count":90000,"unsubscribe_count":0,"cleaned_count":0}}"#;
    charity.answers_instead("?fields=id", told).await;
    let people: Vec<i64> = charity.alone().into_iter().take(30).collect();
    people.iter().for_each(|id| charity.opt(*id, false));
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Unsubscribe), charity.off().len()),
        (30, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_contact_that_would_be_unsubscribed_counts_though_two_are_one_persons() {
    let charity = Charity::guarded(Kind::Sqlite, 120, 146).await;
    charity.sync().await;
    let (audience, limit) = {
        let audience = charity.subscribed().len();
        (audience, (audience / 10).max(5))
    };
    let people: Vec<i64> = charity.alone().into_iter().collect();
    let pairs = limit - 1;
    assert!(2 * pairs > limit && people.len() >= 2 * pairs, "{audience}");
    for place in 0..pairs {
        let [one, other] = [0, 1].map(|row| people[2 * place + row]);
        let third = charity.newcomer();
        let [first, second] = [one, other].map(|id| charity.email(id));
        charity.edit(one, "email_address", &format!("{second:?}"));
        charity.edit(other, "email_address", &format!("{first:?}"));
        charity.opt(other, false);
        // Somebody else refuses where the second was.
        charity.edit(third, "email_address", &format!("{second:?}"));
        charity.opt(third, false);
    }
    charity.read();
    let preview = charity.preview().await;
    assert!(preview.holds().of(Harm::Unsubscribe) > 0);
    charity.deliver().await.unwrap();
    assert_eq!(charity.off().len(), 0);
}
