//! An opt-out at Classy: passed on for whom we subscribed, ahead of everything else, counted or
//! ignored where the file says so, and nobody else is unsubscribed.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::simulator::Act;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_at_classy_unsubscribes_whom_we_subscribed_and_nobody_else() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(80, 101)).await;
        let people = charity.givers(3).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        // The second was there before, with a name and a tag of its own.
        charity.act(Act::Import {
            email: emails[1].to_uppercase(),
            tags: vec!["Volunteers".to_owned(), "Classy-Gala".to_owned()],
            fields: json!({"FNAME": charity.text(people[1], "first_name"), "MEMBERNO": 12})
                .as_object()
                .unwrap()
                .clone(),
            foreign: false,
        });
        charity.sync().await;
        assert!(
            charity
                .tags(&emails[1])
                .iter()
                .filter(|tag| tag.starts_with("Classy-"))
                .count()
                > 2,
            "it has our tags"
        );
        for id in &people[..2] {
            charity.opt(*id, false);
        }
        charity.sync().await;
        let list = charity.listed();
        assert_eq!(list["opted_out_still_subscribed"], 1, "{list}");
        let first = &charity.audit().await[0];
        assert_eq!(
            (first.kind, first.supporter_id),
            ("opted_out_still_subscribed", Some(people[1]))
        );
        assert_eq!(
            (charity.status(&emails[0]), charity.status(&emails[1])),
            ("unsubscribed", "subscribed")
        );
        assert!(
            charity
                .fate(people[1])
                .await
                .contains("not subscribed by us"),
            "{}",
            charity.fate(people[1]).await
        );
        let tags = charity.tags(&emails[1]);
        assert!(
            tags.contains(&"Volunteers".to_owned()) && tags.contains(&"Classy-Gala".to_owned()),
            "{tags:?}"
        );
        assert_eq!(charity.field(&emails[1], "MEMBERNO"), 12);
        let harm = charity.harm();
        assert_eq!(
            harm.unsubscriptions
                .iter()
                .map(|mark| mark.email.as_str())
                .collect::<Vec<_>>(),
            [emails[0].as_str()]
        );
        // An unsubscription cannot be taken back by Classy.
        charity.opt(people[0], true);
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "unsubscribed");
        assert!(
            charity
                .fate(people[0])
                .await
                .starts_with("skipped: unsubscribed in Mailchimp"),
            "{}",
            charity.fate(people[0]).await
        );
        // Nor is it done twice.
        let calls = charity
            .harm()
            .calls_of("PATCH /lists/{list_id}/members/{subscriber_hash}");
        assert_eq!(calls, 1, "{:?}", charity.harm().calls);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_no_and_is_mailed_by_others_is_counted_until_somebody_decides() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(80, 108)).await;
        let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
        for id in &people {
            charity.act(Act::SignUp(charity.email(*id)));
            charity.opt(*id, false);
        }
        // Another one who says no at the same address is the same contact.
        charity.edit(
            people[1],
            "email_address",
            &format!("\"{}\"", charity.email(people[0])),
        );
        charity.sync().await;
        assert_eq!(charity.listed()["opted_out_still_subscribed"], 3);
        let text = charity.site.run(&["plugin", "list"]);
        assert!(String::from_utf8_lossy(&text.stderr).contains("still subscribed, not ours: 3"));
        // One leaves by themselves, and counts no more; then opt-outs are everybody's.
        charity.act(Act::Unsubscribe(charity.email(people[2])));
        charity.sync().await;
        assert_eq!(charity.listed()["opted_out_still_subscribed"], 2);
        charity.table = "opt_out_scope = 'everybody'".to_owned();
        people.iter().for_each(|id| charity.touch(*id));
        charity.sync().await;
        assert_eq!(charity.listed()["opted_out_still_subscribed"], 0);
        assert!(
            people
                .iter()
                .all(|id| charity.status(&charity.email(*id)) != "subscribed")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_by_a_form_after_the_no_stays_though_everybodys_no_is_passed_on() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(120, 107)).await;
        charity.table = "opt_out_scope = 'everybody'".to_owned();
        charity.sync().await;
        let person = charity.alone().into_iter().next().unwrap();
        let refuser = charity.refuser();
        let (email, other) = (charity.email(person), charity.email(refuser));
        charity.opt(person, false);
        charity.sync().await;
        assert_eq!(charity.status(&email), "unsubscribed", "{kind:?}");
        // Both fill in a form, one of them for the first time.
        charity.act(Act::SignUp(email.clone()));
        charity.act(Act::SignUp(other.clone()));
        for _ in 0..2 {
            charity.sync_later().await;
            charity.touch(person);
            charity.touch(refuser);
            for address in [&email, &other] {
                assert_eq!(charity.status(address), "subscribed", "{kind:?}");
            }
        }
        // A no that is new counts.
        for id in [person, refuser] {
            charity.opt(id, true);
        }
        charity.sync_later().await;
        for id in [person, refuser] {
            charity.opt(id, false);
        }
        charity.sync_later().await;
        for address in [&email, &other] {
            assert_eq!(charity.status(address), "unsubscribed", "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_is_ignored_when_the_file_says_so() {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 102)).await;
    charity.table = "on_opt_out = 'ignore'".to_owned();
    charity.sync().await;
    let person = charity.givers(1).await[0];
    charity.opt(person, false);
    charity.sync().await;
    assert_eq!(charity.status(&charity.email(person)), "subscribed");
    assert!(charity.harm().unsubscriptions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exchange_their_addresses_and_the_one_who_opts_out_is_mailed_no_more() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 106)).await;
        let people = charity.givers(2).await;
        charity.sync().await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.edit(people[0], "email_address", &format!("{:?}", emails[1]));
        charity.edit(people[1], "email_address", &format!("{:?}", emails[0]));
        charity.opt(people[0], false);
        charity.sync().await;
        // The refuser has the second address now; the first one is that of the other, who still
        // wants mail.
        assert_eq!(
            (charity.status(&emails[1]), charity.status(&emails[0])),
            ("unsubscribed", "subscribed")
        );
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_of_somebody_from_before_us_is_told_and_passed_on_where_the_file_says_so() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 121)).await;
    let person = charity.givers(1).await[0];
    let email = charity.email(person);
    charity.act(Act::SignUp(email.clone()));
    charity.sync().await;
    charity.opt(person, false);
    charity.sync().await;
    assert_eq!(charity.status(&email), "subscribed");
    let findings = charity.audit().await;
    assert_eq!(
        (findings[0].kind, findings[0].supporter_id),
        ("opted_out_still_subscribed", Some(person))
    );
    charity.table = "opt_out_scope = 'everybody'".to_owned();
    charity.touch(person);
    charity.sync().await;
    assert_eq!(charity.status(&email), "unsubscribed");
    assert!(
        charity
            .audit()
            .await
            .iter()
            .all(|finding| finding.kind != "opted_out_still_subscribed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_goes_ahead_of_a_large_push_that_was_read_before_it() {
    // Small batches: what comes first is sent first.
    let mut charity = Charity::new(Kind::Sqlite, world(1_800, 97)).await;
    charity.table = "connections = 1".to_owned();
    charity.sync().await;
    let people: Vec<i64> = charity.consented().into_values().collect();
    let alone = charity.alone();
    let one = *people.iter().rev().find(|id| alone.contains(id)).unwrap();
    for id in people.iter().filter(|id| **id != one) {
        charity.edit(
            *id,
            "last_name",
            &format!("\"{} of {id}\"", charity.text(*id, "last_name")),
        );
    }
    charity.read();
    charity.opt(one, false);
    charity.forget_calls();
    charity.guard = classy_sync::plugin::GuardSettings {
        audience_min: 10_000,
        ..charity.guard
    };
    charity.sync().await;
    let harm = charity.harm();
    let of_us = |write: &classy_sync::simulator::Write| write.sent.get("status").is_some();
    assert!(harm.writes.len() > 1_000);
    assert_eq!(
        harm.writes.iter().position(of_us),
        Some(0),
        "the opt-out first"
    );
    assert_eq!(charity.status(&charity.email(one)), "unsubscribed");
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_no_is_told_of_though_their_contact_has_another_address_than_they() {
    let charity = Charity::new(Kind::Sqlite, world(80, 111)).await;
    let people: Vec<i64> = charity.alone().into_iter().take(3).collect();
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    for email in &emails {
        charity.act(Act::SignUp(email.clone()));
    }
    charity.sync().await;
    // One contact has another address, and one supporter.
    charity.act(Act::Rename {
        email: emails[0].clone(),
        to: "elsewhere@example.org".to_owned(),
    });
    charity.edit(people[1], "email_address", "\"there@example.org\"");
    people.iter().for_each(|id| charity.opt(*id, false));
    charity.sync().await;
    assert_eq!(
        ["elsewhere@example.org", &emails[1], &emails[2]].map(|email| charity.status(email)),
        ["subscribed"; 3]
    );
    let findings = charity.audit().await;
    let told: Vec<Option<i64>> = findings
        .iter()
        .take_while(|finding| finding.kind == "opted_out_still_subscribed")
        .map(|finding| finding.supporter_id)
        .collect();
    let mut told: Vec<i64> = told.into_iter().flatten().collect();
    told.sort_unstable();
    let mut expected = people.clone();
    expected.sort_unstable();
    assert_eq!(told, expected, "{findings:?}");
    assert_eq!(charity.listed()["opted_out_still_subscribed"], 3);
}
