//! A person and their addresses over time: changed in Mailchimp, erased, moved away from or given
//! to somebody else, and what was said at each of them counts.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use chrono::Utc;
use classy_sync::simulator::Act;
use std::time::Duration;

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
