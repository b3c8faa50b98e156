//! Who left, was erased or is refused in an earlier audience is kept out of every other one, under
//! any address; and nobody is taken off for a refusal that is not theirs.

use super::moving::three;
use crate::backend::kinds;
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_erased_in_the_audience_of_before_is_not_put_into_the_new_one() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 174).await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::Erase(emails[0].clone()));
        // One who only changed the address there was not erased.
        charity.act(Act::Rename {
            email: emails[1].clone(),
            to: "second.now@example.net".to_owned(),
        });
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        assert_eq!(
            charity.status(&emails[0]),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert!(
            charity.fate(people[0]).await.contains("erased"),
            "{}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            charity.status(&emails[1]),
            "subscribed",
            "{}",
            charity.fate(people[1]).await
        );
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{}",
            charity.fate(people[0]).await
        );
        charity.assert_complete(&people[..1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_skipped_for_an_address_that_left_another_audience_is_put_there_under_no_other_one()
 {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 175).await;
        let people = charity.givers(2).await;
        charity.opt(people[1], false);
        charity.sync().await;
        let email = charity.email(people[0]);
        charity.act(Act::Unsubscribe(email.clone()));
        charity.sync().await;
        charity.audience.clone_from(&audiences[1]);
        charity.edit(people[1], "email_address", &format!("\"{email}\""));
        charity.opt(people[1], true);
        charity.move_in().await;
        assert_eq!(charity.status(&email), "nobody", "{kind:?}");
        charity.edit(people[1], "email_address", "\"another.one@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{}",
            charity.fate(people[1]).await
        );
        charity.assert_complete(&people).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whomever_an_audience_refuses_since_they_were_erased_is_not_put_into_another_one() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 176).await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        // Before the program came; no list shows it.
        charity.act(Act::SignUp(email.clone()));
        charity.act(Act::Erase(email.clone()));
        charity.sync().await;
        assert!(
            charity.fate(person).await.contains("erased for good"),
            "{}",
            charity.fate(person).await
        );
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        assert_eq!(
            charity.status(&email),
            "nobody",
            "{kind:?}: {}",
            charity.fate(person).await
        );
        charity.edit(person, "email_address", "\"another.one@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{}",
            charity.fate(person).await
        );
        charity.assert_complete(&[person]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_the_audience_of_before_while_nobody_had_the_address_is_not_put_into_the_new_one()
 {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 177).await;
        charity.act(Act::SignUp("friend@example.org".to_owned()));
        charity.act(Act::Unsubscribe("friend@example.org".to_owned()));
        let person = charity.givers(1).await[0];
        charity.opt(person, false);
        charity.sync().await;
        charity.audience.clone_from(&audiences[1]);
        charity.edit(person, "email_address", "\"friend@example.org\"");
        charity.opt(person, true);
        charity.move_in().await;
        assert_eq!(
            charity.status("friend@example.org"),
            "nobody",
            "{kind:?}: {}",
            charity.fate(person).await
        );
        charity.assert_complete(&[person]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_address_in_an_earlier_audience_is_not_taken_off_for_a_refusal_at_the_old_one()
 {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 178).await;
        let people = charity.givers(2).await;
        let (email, now) = (charity.email(people[0]), "now@example.net");
        charity.opt(people[1], false);
        charity.sync().await;
        charity.act(Act::Rename {
            email: email.clone(),
            to: now.to_owned(),
        });
        charity.audience.clone_from(&audiences[1]);
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.edit(people[1], "email_address", &format!("\"{email}\""));
        charity.move_in().await;
        assert_eq!(
            charity.status_in(&audiences[0], now),
            "subscribed",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
        // Their own word reaches them.
        charity.opt(people[0], false);
        charity.sync().await;
        assert_eq!(
            charity.status_in(&audiences[0], now),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refuser_for_whom_somebody_elses_member_was_taken_off_in_an_earlier_audience_is_put_nowhere()
 {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 180).await;
        let people = charity.givers(2).await;
        let email = charity.email(people[0]);
        charity.opt(people[1], false);
        charity.sync().await;
        // Two share the address by now; it was delivered for the one, and the other says no.
        charity.audience.clone_from(&audiences[1]);
        charity.edit(people[1], "email_address", &format!("\"{email}\""));
        charity.move_in().await;
        assert_eq!(
            charity.status_in(&audiences[0], &email),
            "unsubscribed",
            "{kind:?}"
        );
        // Neither the one nor the other is put there under another address, whatever they say at
        // Classy.
        for (number, id) in people.iter().enumerate() {
            charity.opt(*id, true);
            charity.edit(
                *id,
                "email_address",
                &format!("\"another{number}@example.org\""),
            );
        }
        charity.sync().await;
        for (number, id) in people.iter().enumerate() {
            assert_eq!(
                charity.status(&format!("another{number}@example.org")),
                "nobody",
                "{kind:?}: {}",
                charity.fate(*id).await
            );
        }
        charity.assert_complete(&people).await;
    }
}
