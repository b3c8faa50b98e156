//! A no that is said at Classy reaches the contact, whatever happened to it in Mailchimp before.

use super::Charity;
use super::answers::Instead;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::plugin::PluginError;
use classy_sync::simulator::{Act, Kind as List};

impl Charity {
    /// Somebody with an address of their own who said no before anybody was sent.
    pub(super) fn refuser(&self) -> i64 {
        self.all_refusers()[0]
    }

    /// All of them.
    pub(super) fn all_refusers(&self) -> Vec<i64> {
        let yes = self.consented();
        let mut world = self.site.simulator.world();
        let people = world
            .list(crate::site::ORGANIZATION, List::Supporters)
            .unwrap();
        let chimp = self.site.simulator.mailchimp();
        let audience = &chimp.audiences[&self.audience];
        people
            .iter()
            .filter(|one| {
                let email = one
                    .get("email_address")
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_lowercase();
                one.get("opt_in").as_deref() == Some("false")
                    && email.contains('@')
                    && !yes.contains_key(&email)
                    && audience.member(&email).is_none()
            })
            .map(|one| one.id)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_a_refusers_address_in_mailchimp_is_not_mailed_there() {
    let charity = Charity::new(Kind::Sqlite, world(120, 601)).await;
    charity.sync().await;
    let somebody = charity.alone().into_iter().next().unwrap();
    let refuser = charity.refuser();
    let (email, to) = (charity.email(somebody), charity.email(refuser));
    charity.act(Act::Rename {
        email,
        to: to.clone(),
    });
    charity.sync().await;
    assert_eq!(charity.status(&to), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_mailed_at_the_address_of_somebody_who_was_erased_whoever_takes_it() {
    let charity = Charity::new(Kind::Sqlite, world(120, 602)).await;
    charity.sync().await;
    let two: Vec<i64> = charity.alone().into_iter().take(2).collect();
    let (email, erased) = (charity.email(two[0]), charity.email(two[1]));
    charity.act(Act::Erase(erased.clone()));
    charity.sync_later().await;
    charity.act(Act::Rename {
        email,
        to: erased.clone(),
    });
    charity.sync_later().await;
    assert_eq!(charity.status(&erased), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_and_came_back_is_reached_by_a_later_no() {
    let charity = Charity::new(Kind::Sqlite, world(120, 603)).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
    let email = |place: usize| charity.email(people[place]);
    charity.act(Act::Unsubscribe(email(0)));
    charity.act(Act::Archive(email(1)));
    charity.act(Act::Clean(email(2)));
    charity.opt(people[3], false);
    charity.sync().await;
    // Longer than a moment, as Mailchimp dates it.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    (0..4).for_each(|place| charity.act(Act::SignUp(email(place))));
    charity.sync().await;
    assert!((0..4).all(|place| charity.status(&email(place)) == "subscribed"));
    (0..3).for_each(|place| charity.opt(people[place], false));
    charity.sync().await;
    for place in 0..3 {
        assert_eq!(charity.status(&email(place)), "unsubscribed", "{place}");
    }
    // Whoever came back after their no said yes later than that.
    charity.sync().await;
    assert_eq!(charity.status(&email(3)), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_is_answered_as_done_and_was_not_is_tried_again() {
    for (instead, word) in [
        (Instead::AsIfDone, "shows them"),
        (Instead::Missing, "not found"),
    ] {
        let mut charity = Charity::new(Kind::Sqlite, world(120, 604)).await;
        charity.sync().await;
        let somebody = charity.alone().into_iter().next().unwrap();
        let email = charity.email(somebody);
        charity.opt(somebody, false);
        charity.read();
        charity.does_not_do("unsubscribed", instead).await;
        charity.deliver().await.unwrap();
        let fate = charity.fate(somebody).await;
        assert!(
            fate.starts_with("deferred") && fate.contains(word),
            "{fate}"
        );
        assert_eq!(charity.status(&email), "subscribed");
        charity.via = None;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        charity.deliver().await.unwrap();
        assert_eq!(charity.status(&email), "unsubscribed", "{fate}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_believed_brings_nobody_in_and_keeps_no_opt_out_waiting() {
    for (seed, instead) in [(605, Instead::NoStatus), (613, Instead::CountsOneMore)] {
        let mut charity = Charity::new(Kind::Sqlite, world(120, seed)).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(2).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.opt(people[0], false);
        charity.edit(people[1], "first_name", "\"Renata\"");
        for email in &emails {
            charity.act(Act::Tag {
                email: email.clone(),
                tag: "Gala".to_owned(),
            });
        }
        charity.read();
        let delivered = charity.row(people[1]).await;
        charity.does_not_do("unsubscribed", instead).await;
        let refused = charity.deliver().await;
        assert!(
            matches!(refused, Err(PluginError::Unavailable(_))),
            "{refused:?}"
        );
        assert_eq!(charity.status(&emails[0]), "unsubscribed");
        assert_eq!(charity.row(people[1]).await, delivered);
        assert_ne!(charity.field(&emails[1], "FNAME"), "Renata");
        charity.via = None;
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "unsubscribed");
        assert_eq!(charity.field(&emails[1], "FNAME"), "Renata");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_wrong_keeps_no_opt_out_waiting() {
    let mut charity = Charity::new(Kind::Sqlite, world(120, 606)).await;
    charity.sync().await;
    let somebody = charity.alone().into_iter().next().unwrap();
    charity.opt(somebody, false);
    charity.read();
    charity
        .table
        .push_str("marketing_permissions = [\"Emial\"]\n");
    let refused = charity.deliver().await;
    assert!(
        matches!(refused, Err(PluginError::Configuration { .. })),
        "{refused:?}"
    );
    assert_eq!(charity.status(&charity.email(somebody)), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_another_address_while_a_batch_is_sent_raises_no_alarm_and_is_reached_by_a_no() {
    let mut charity = Charity::new(Kind::Sqlite, world(120, 607)).await;
    charity.sync().await;
    let somebody = charity.alone().into_iter().next().unwrap();
    let email = charity.email(somebody);
    charity.edit(somebody, "first_name", "\"Renata\"");
    charity.read();
    let act = serde_json::json!({ "rename": { "email": email, "to": "other@example.org" } });
    let acts = serde_json::json!({ "audience": charity.audience, "acts": [act] }).to_string();
    let meanwhile = Instead::Meanwhile(Box::leak(acts.into_boxed_str()));
    charity.does_not_do("Renata", meanwhile).await;
    let done = charity.deliver().await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(charity.status("other@example.org"), "subscribed");
    assert_ne!(
        charity.status(&email),
        "subscribed",
        "nobody is mailed twice"
    );
    charity.via = None;
    charity.opt(somebody, false);
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(charity.status("other@example.org"), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_no_counts_like_the_first() {
    let charity = Charity::new(Kind::Sqlite, world(120, 609)).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().take(3).collect();
    let email = |place: usize| charity.email(people[place]);
    (0..3).for_each(|place| charity.opt(people[place], false));
    charity.sync().await;
    // By a form, and yes at Classy in the same gap, or later.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    (0..3).for_each(|place| charity.act(Act::SignUp(email(place))));
    charity.opt(people[0], true);
    charity.opt(people[2], true);
    charity.sync().await;
    charity.opt(people[1], true);
    let to = "elsewhere@example.org".to_owned();
    charity.act(Act::Rename {
        email: email(2),
        to: to.clone(),
    });
    charity.sync().await;
    (0..3).for_each(|place| charity.opt(people[place], false));
    charity.sync().await;
    for place in 0..2 {
        assert_eq!(charity.status(&email(place)), "unsubscribed", "{place}");
    }
    assert_eq!(charity.status(&to), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_and_signs_up_again_in_one_gap_is_there_by_their_own_word() {
    let charity = Charity::new(Kind::Sqlite, world(120, 610)).await;
    charity.sync().await;
    let somebody = charity.alone().into_iter().next().unwrap();
    let email = charity.email(somebody);
    charity.act(Act::Erase(email.clone()));
    charity.act(Act::SignUp(email.clone()));
    charity.sync_later().await;
    charity.sync_later().await;
    assert_eq!(charity.status(&email), "subscribed");
    charity.opt(somebody, false);
    charity.sync_later().await;
    assert_eq!(charity.status(&email), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_stays_out_under_another_address_whoever_gets_the_old_one() {
    let charity = Charity::new(Kind::Sqlite, world(120, 611)).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
    let erased = [charity.email(people[0]), charity.email(people[1])];
    let to = ["elsewhere@example.org", "there@example.org"];
    for place in 0..2 {
        charity.act(Act::Erase(erased[place].clone()));
        charity.edit(people[place], "email_address", &format!("{:?}", to[place]));
    }
    charity.sync_later().await;
    // Before it is known that they were erased, others get their addresses: one who is in already,
    // and one who is not.
    charity.edit(people[2], "email_address", &format!("{:?}", erased[0]));
    let refuser = charity.refuser();
    charity.edit(refuser, "email_address", &format!("{:?}", erased[1]));
    charity.opt(refuser, true);
    charity.read();
    // Past the hour for which somebody waits whose contact is not found.
    for hours in [2, 4, 6] {
        let now = chrono::Utc::now() + chrono::TimeDelta::hours(hours);
        charity.deliver_at(now).await.unwrap();
    }
    for place in 0..2 {
        assert_eq!(charity.status(to[place]), "nobody", "{place}");
        assert_eq!(charity.status(&erased[place]), "nobody", "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_no_of_somebody_counts_though_another_one_had_said_no_at_their_address() {
    let charity = Charity::new(Kind::Sqlite, world(120, 612)).await;
    let people: Vec<i64> = charity.alone().into_iter().take(4).collect();
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    charity.edit(people[1], "email_address", &format!("{:?}", emails[0]));
    charity.edit(people[3], "email_address", &format!("{:?}", emails[2]));
    charity.sync().await;
    charity.opt(people[1], false);
    charity.opt(people[3], false);
    charity.sync().await;
    // The second said no as well, before the form.
    charity.opt(people[2], false);
    charity.sync().await;
    assert_eq!(
        [0, 2].map(|place| charity.status(&emails[place])),
        ["unsubscribed"; 2]
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for place in [0, 2] {
        charity.act(Act::SignUp(emails[place].clone()));
    }
    charity.sync().await;
    charity.sync().await;
    assert_eq!(
        [0, 2].map(|place| charity.status(&emails[place])),
        ["subscribed"; 2]
    );
    charity.opt(people[0], false);
    charity.sync().await;
    assert_eq!(charity.status(&emails[0]), "unsubscribed");
    assert_eq!(charity.status(&emails[2]), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_form_each_new_no_at_the_address_counts_whoever_says_it() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(120, 613)).await;
        charity.sync().await;
        let mut alone = charity.alone().into_iter();
        let mut some = || alone.next().unwrap();
        let holders: Vec<i64> = (0..5).map(|_| some()).collect();
        let others: Vec<i64> = (0..5).map(|_| some()).collect();
        let emails: Vec<String> = holders.iter().map(|id| charity.email(*id)).collect();
        let at = |place: usize| format!("{:?}", emails[place]);
        // Whoever says yes or nothing at other addresses until later.
        for holder in &holders {
            charity.opt(*holder, false);
        }
        // Another one at the last address refused all the time.
        charity.opt(others[4], false);
        charity.edit(others[4], "email_address", &at(4));
        charity.sync().await;
        charity.sync().await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        for email in &emails {
            assert_eq!(charity.status(email), "unsubscribed");
            charity.act(Act::SignUp(email.clone()));
        }
        charity.sync().await;
        charity.sync().await;
        for email in &emails {
            assert_eq!(charity.status(email), "subscribed", "by their own word");
        }
        // A second one comes and says no at once; one says yes, and no when that was read; one said
        // no elsewhere before and moves there; the holder says yes and no again, alone and beside one
        // who refuses.
        for (place, other) in others.iter().take(2).enumerate() {
            charity.edit(*other, "email_address", &at(place));
        }
        charity.opt(others[0], false);
        charity.opt(others[2], false);
        charity.opt(holders[3], true);
        charity.opt(holders[4], true);
        charity.sync().await;
        charity.sync().await;
        charity.opt(others[1], false);
        charity.edit(others[2], "email_address", &at(2));
        charity.opt(holders[3], false);
        charity.opt(holders[4], false);
        charity.sync().await;
        charity.sync().await;
        let statuses: Vec<&str> = emails.iter().map(|email| charity.status(email)).collect();
        assert_eq!(statuses, ["unsubscribed"; 5], "{kind:?}");
        // And another form is a word again that no older no takes back.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        charity.act(Act::SignUp(emails[0].clone()));
        charity.sync().await;
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "subscribed", "{kind:?}");
    }
}
