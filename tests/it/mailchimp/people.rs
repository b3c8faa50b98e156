//! People as they are: they move, share an address, change over time; and staff who do things by
//! hand.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use chrono::Utc;
use classy_sync::simulator::{Act, Options, Switches};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_moves_the_member_and_leaves_no_second_one() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 110)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let old = charity.email(person);
        charity.act(Act::Tag {
            email: old.clone(),
            tag: "Volunteers".to_owned(),
        });
        let members = |charity: &Charity| {
            charity.site.simulator.mailchimp().audiences[&charity.audience]
                .members()
                .count()
        };
        let before = members(&charity);
        charity.edit(person, "email_address", "\"Moved.Away@example.org\"");
        charity.sync().await;
        assert_eq!(
            (
                charity.status(&old),
                charity.status("moved.away@example.org")
            ),
            ("nobody", "subscribed")
        );
        assert_eq!(members(&charity), before);
        assert!(
            charity
                .tags("moved.away@example.org")
                .contains(&"Volunteers".to_owned())
        );
        charity.assert_complete(&[]).await;
        // To an address that is a member already: the old one is left alone.
        charity.act(Act::SignUp("known@example.org".to_owned()));
        charity.edit(person, "email_address", "\"known@example.org\"");
        charity.sync().await;
        assert_eq!(
            (
                charity.status("moved.away@example.org"),
                charity.status("known@example.org")
            ),
            ("subscribed", "subscribed")
        );
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_share_an_address_one_is_sent_and_a_refusal_of_either_goes_for_both() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 111)).await;
        let people = charity.givers(2).await;
        charity.edit(people[0], "email_address", "\"home@example.org\"");
        charity.edit(people[1], "email_address", "\" HOME@example.org\"");
        let done = charity.sync().await;
        assert_eq!(done.delivered as usize, charity.consented().len());
        let writes = charity
            .harm()
            .writes
            .iter()
            .filter(|write| write.email == "home@example.org")
            .count();
        assert_eq!(
            (writes, charity.status("home@example.org")),
            (1, "subscribed")
        );
        let fates = [charity.fate(people[0]).await, charity.fate(people[1]).await];
        assert!(
            fates
                .iter()
                .filter(|fate| fate.starts_with("delivered"))
                .count()
                == 1,
            "{fates:?}"
        );
        charity.assert_complete(&[]).await;
        charity.opt(people[1], false);
        charity.sync().await;
        assert_eq!(charity.status("home@example.org"), "unsubscribed");
        assert_eq!(charity.harm().unsubscriptions.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_change_with_time_alone() {
    let charity = Charity::new(Kind::Sqlite, world(80, 112)).await;
    charity.sync().await;
    let recent: Vec<String> = charity
        .consented()
        .into_keys()
        .filter(|email| charity.tags(email).contains(&"Classy-Recent".to_owned()))
        .collect();
    assert!(!recent.is_empty());
    charity.deliver_at(in_days(31)).await.unwrap();
    for email in recent {
        let tags = charity.tags(&email);
        assert!(
            tags.contains(&"Classy-Active".to_owned())
                && !tags.contains(&"Classy-Recent".to_owned()),
            "{tags:?}"
        );
    }
    charity.assert_harmless();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_undo_by_hand_comes_back_and_what_they_made_stays() {
    let switches = Switches {
        tags_move_last_changed: true,
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(60, 113)
        },
    )
    .await;
    charity.sync().await;
    let people = charity.givers(2).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    let ours = charity.tags(&emails[0]);
    for tag in &ours {
        charity.act(Act::Untag {
            email: emails[0].clone(),
            tag: tag.clone(),
        });
    }
    charity.act(Act::Tag {
        email: emails[0].clone(),
        tag: "Gala 2024".to_owned(),
    });
    charity.act(Act::Tag {
        email: emails[0].clone(),
        tag: "Classy-Special".to_owned(),
    });
    // Not ours: other letters, put on by hand.
    charity.act(Act::Tag {
        email: emails[1].clone(),
        tag: "classy-transformational".to_owned(),
    });
    // The untag that nobody sees by its time is seen with the next change.
    charity.touch(people[0]);
    charity.touch(people[1]);
    charity.edit(people[0], "first_name", "\"Somebody\"");
    charity.edit(people[1], "first_name", "\"Somebody\"");
    charity.sync().await;
    let tags = charity.tags(&emails[0]);
    assert!(ours.iter().all(|tag| tags.contains(tag)), "{tags:?}");
    assert!(
        tags.contains(&"Gala 2024".to_owned()) && tags.contains(&"Classy-Special".to_owned()),
        "{tags:?}"
    );
    assert!(
        charity
            .tags(&emails[1])
            .contains(&"classy-transformational".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_upgrades_takes_the_old_tags_off_in_few_calls() {
    let charity = Charity::new(Kind::Sqlite, world(200, 114)).await;
    charity.sync().await;
    charity.forget_calls();
    let people = charity.givers(40).await;
    for id in &people {
        charity.give(*id, "30000");
    }
    let done = charity.sync().await;
    assert!(done.delivered >= 40 && done.held == 0, "{done:?}");
    charity.assert_complete(&[]).await;
    let harm = charity.harm();
    let removals = harm.calls_of("POST /lists/{list_id}/segments/{segment_id}");
    assert!((1..=6).contains(&removals), "{:?}", harm.calls);
    assert_eq!(
        harm.calls_of("POST /lists/{list_id}/members/{subscriber_hash}/tags"),
        0,
        "{:?}",
        harm.calls
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_shows_a_write_late_is_not_fought_with() {
    let switches = Switches {
        lag_ms: 1_500,
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(60, 115)
        },
    )
    .await;
    charity.sync().await;
    let writes = charity.harm().writes.len();
    charity.sync().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_600)).await;
    charity.sync().await;
    assert_eq!(charity.harm().writes.len(), writes, "nothing is sent twice");
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_not_shown_yet_counts_as_there_and_an_opt_out_reaches_it() {
    for kind in kinds() {
        let switches = Switches {
            lag_ms: 60_000,
            ..Switches::default()
        };
        let charity = Charity::new(
            kind,
            Options {
                mailchimp: switches,
                ..world(60, 119)
            },
        )
        .await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let (one, other) = (charity.email(people[0]), charity.email(people[1]));
        // They swap addresses, and one of them says no, before Mailchimp shows what was written.
        charity.edit(people[0], "email_address", &format!("{other:?}"));
        charity.edit(people[1], "email_address", &format!("{one:?}"));
        charity.opt(people[0], false);
        charity.sync().await;
        let who = || (charity.status(&one), charity.status(&other));
        assert_eq!(
            who(),
            ("subscribed", "unsubscribed"),
            "{kind:?}: who says no has the second address now"
        );
        let fate = charity.fate(people[1]).await;
        assert!(
            fate.starts_with("deferred") && fate.contains("a moment ago"),
            "{kind:?}: {fate}"
        );
        charity.sync_later().await;
        assert_eq!(who(), ("subscribed", "unsubscribed"), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changed_in_mailchimp_is_the_person_s_own_word() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 117)).await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let before: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        let after = ["mine.now@example.net", "mine.too@example.net"];
        for (email, to) in before.iter().zip(after) {
            charity.act(Act::Rename {
                email: email.clone(),
                to: to.to_owned(),
            });
        }
        // Something changes at Classy, where the first still has the address of before; the second
        // told Classy, too.
        people.iter().for_each(|id| charity.give(*id, "20000"));
        charity.edit(people[1], "email_address", &format!("{:?}", after[1]));
        charity.sync().await;
        let statuses = |charity: &Charity| {
            before
                .iter()
                .map(String::as_str)
                .chain(after)
                .map(|email| charity.status(email))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            statuses(&charity),
            ["nobody", "nobody", "subscribed", "subscribed"],
            "no second contact of either"
        );
        assert!(
            charity
                .fate(people[0])
                .await
                .contains("changed to another address in Mailchimp"),
            "{}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            charity
                .site
                .number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.left'")
                .await,
            2
        );
        charity.assert_complete(&people[..1]).await;
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            (charity.harm().total_calls(), charity.harm().writes.len()),
            (3, 0)
        );
        // A new address at Classy is the latest word again: the contact moves along.
        charity.edit(people[1], "email_address", "\"newest@example.net\"");
        charity.sync().await;
        assert_eq!(
            (
                charity.status(after[1]),
                charity.status("newest@example.net")
            ),
            ("nobody", "subscribed")
        );
        // A no at Classy is a no to the contact, whatever its address.
        charity.opt(people[0], false);
        charity.read();
        charity.deliver().await.unwrap();
        assert_eq!(
            statuses(&charity),
            ["nobody", "nobody", "unsubscribed", "nobody"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_reaches_a_contact_so_old_that_its_id_is_not_of_its_address() {
    let charity = Charity::new(Kind::Sqlite, world(60, 118)).await;
    charity.sync().await;
    let person = charity.givers(1).await[0];
    charity.act(Act::Age(charity.email(person)));
    charity.opt(person, false);
    charity.sync().await;
    assert_eq!(
        charity.status(&charity.email(person)),
        "unsubscribed",
        "{}",
        charity.fate(person).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_erased_is_put_there_under_no_other_address_though_somebody_else_has_the_old_one_now()
 {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 118)).await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let old = charity.email(people[0]);
        charity.act(Act::Erase(old.clone()));
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.edit(people[1], "email_address", &format!("\"{old}\""));
        charity.sync_later().await;
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert!(
            charity.fate(people[0]).await.contains("erased"),
            "{}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_is_not_asked_to_confirm_at_an_address_where_somebody_else_did_not() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 119)).await;
        let people = charity.givers(2).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::SignUp(emails[1].clone()));
        charity.act(Act::Unsubscribe(emails[1].clone()));
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = true;
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "pending");
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .drop_unconfirmed(&emails[0]);
        let said = in_days(62).format("%Y-%m-%dT%H:%M:%S+0000").to_string();
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.edit(people[1], "email_address", &format!("\"{}\"", emails[0]));
        charity.edit(
            people[1],
            "last_email_consent_decision_date",
            &format!("{said:?}"),
        );
        charity.read();
        charity.deliver_at(in_days(63)).await.unwrap();
        assert_eq!(
            charity.status(&emails[0]),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_erased_is_known_though_it_shows_by_somebody_else_s_opt_out() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 140)).await;
        let people = charity.givers(2).await;
        charity.opt(people[1], false);
        charity.sync().await;
        let old = charity.email(people[0]);
        charity.act(Act::Erase(old.clone()));
        charity.edit(people[1], "email_address", &format!("\"{old}\""));
        charity.read();
        // It is looked for a few times before it is believed.
        for hours in 0..5 {
            charity
                .deliver_at(chrono::Utc::now() + chrono::TimeDelta::hours(2 * hours))
                .await
                .unwrap();
        }
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.read();
        charity.deliver_at(in_days(1)).await.unwrap();
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_was_said_between_the_question_and_a_move_counts() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 181)).await;
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = true;
        charity.sync().await;
        let people = charity.givers(2).await;
        let mails = charity.harm().confirmation_mails.len();
        // Moments are told in seconds: a later one each time.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let said = Utc::now().format("%Y-%m-%dT%H:%M:%S+0000").to_string();
        tokio::time::sleep(Duration::from_secs(2)).await;
        charity.edit(
            people[0],
            "last_email_consent_decision_date",
            &format!("{said:?}"),
        );
        let moved: Vec<String> = (0..2)
            .map(|number| format!("moved{number}@example.org"))
            .collect();
        for (id, email) in people.iter().zip(&moved) {
            charity.edit(*id, "email_address", &format!("{email:?}"));
        }
        charity.sync().await;
        assert!(
            moved.iter().all(|email| charity.status(email) == "pending"),
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        charity.sync().await;
        assert_eq!(
            charity.harm().confirmation_mails.len(),
            mails,
            "a move asks nobody"
        );
        // Neither of them confirms, and Mailchimp drops them.
        for (id, email) in people.iter().zip(&moved) {
            charity
                .site
                .simulator
                .mailchimp()
                .audiences
                .get_mut(&charity.audience)
                .unwrap()
                .drop_unconfirmed(email);
            charity.give(*id, "70");
        }
        charity.read();
        charity.deliver_at(in_days(61)).await.unwrap();
        assert_eq!(
            charity.status(&moved[0]),
            "pending",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            charity.status(&moved[1]),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
        assert_eq!(charity.harm().confirmation_mails.len(), mails + 1);
        // That was the answer to it: once more they must say so once more.
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .drop_unconfirmed(&moved[0]);
        charity.give(people[0], "80");
        charity.read();
        charity.deliver_at(in_days(122)).await.unwrap();
        assert_eq!(
            charity.status(&moved[0]),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_signs_up_again_after_its_contact_took_another_one_is_another_contact() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 182)).await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        for (number, email) in emails.iter().enumerate() {
            charity.act(Act::Rename {
                email: email.clone(),
                to: format!("first{number}@example.net"),
            });
            charity.act(Act::SignUp(email.clone()));
        }
        // The one who signed up is shown before the one who has another address.
        charity.act(Act::Rename {
            email: "first1@example.net".to_owned(),
            to: "now1@example.net".to_owned(),
        });
        charity.sync().await;
        let now = ["first0@example.net", "now1@example.net"];
        assert_eq!(now.map(|email| charity.status(email)), ["subscribed"; 2]);
        people.iter().for_each(|id| charity.opt(*id, false));
        charity.sync().await;
        assert_eq!(
            now.map(|email| charity.status(email)),
            ["unsubscribed"; 2],
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        // Whoever came by a form was never ours.
        assert!(
            emails
                .iter()
                .all(|email| charity.status(email) == "subscribed"),
            "{kind:?}"
        );
        let told = charity
            .audit()
            .await
            .iter()
            .filter(|finding| finding.kind == "opted_out_still_subscribed")
            .count();
        assert_eq!(told, 2);
    }
}
