//! Consent: nobody without it is sent, nobody who left is brought back, and what is somebody else's stays as it is.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::simulator::{Act, Compliance, Options, Switches};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_mailchimp_is_never_brought_back_until_they_come_back_themselves() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(80, 100)).await;
        charity.sync().await;
        let gone = charity.givers(4).await;
        let emails: Vec<String> = gone.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::Unsubscribe(emails[0].clone()));
        charity.act(Act::Clean(emails[1].clone()));
        charity.act(Act::Archive(emails[2].clone()));
        charity.act(Act::Erase(emails[3].clone()));
        // Each gives again, and says yes again at Classy.
        for round in 0..2 {
            for id in &gone {
                charity.opt(*id, true);
                charity.give(*id, &format!("{}", 20_000 + round));
            }
            charity.sync().await;
            let statuses: Vec<&str> = emails.iter().map(|email| charity.status(email)).collect();
            assert_eq!(statuses, ["unsubscribed", "cleaned", "archived", "nobody"]);
        }
        for (id, words) in gone.iter().zip(["unsubscribed in Mailchimp", "bounced", "archived", "erased for good"]) {
            assert!(charity.fate(*id).await.contains(words), "{}", charity.fate(*id).await);
        }
        let evidence = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.left'";
        assert_eq!(charity.site.number(evidence).await, 3, "who was seen to leave is in the audit trail");
        charity.assert_complete(&gone).await;
        // They come back by a form, and have their tags in the same delivery.
        for email in &emails {
            charity.act(Act::SignUp(email.clone()));
        }
        charity.sync().await;
        charity.assert_complete(&[]).await;
    }
}

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
            fields: json!({"FNAME": charity.text(people[1], "first_name"), "MEMBERNO": 12}).as_object().unwrap().clone(),
            foreign: false,
        });
        charity.sync().await;
        assert!(charity.tags(&emails[1]).iter().filter(|tag| tag.starts_with("Classy-")).count() > 2, "it has our tags");
        for id in &people[..2] {
            charity.opt(*id, false);
        }
        charity.sync().await;
        assert_eq!((charity.status(&emails[0]), charity.status(&emails[1])), ("unsubscribed", "subscribed"));
        assert!(charity.fate(people[1]).await.contains("not subscribed by us"), "{}", charity.fate(people[1]).await);
        let tags = charity.tags(&emails[1]);
        assert!(tags.contains(&"Volunteers".to_owned()) && tags.contains(&"Classy-Gala".to_owned()), "{tags:?}");
        assert_eq!(charity.field(&emails[1], "MEMBERNO"), 12);
        let harm = charity.harm();
        assert_eq!(harm.unsubscriptions.iter().map(|mark| mark.email.as_str()).collect::<Vec<_>>(), [emails[0].as_str()]);
        // An unsubscription cannot be taken back by Classy.
        charity.opt(people[0], true);
        charity.sync().await;
        assert_eq!(charity.status(&emails[0]), "unsubscribed");
        assert!(charity.fate(people[0]).await.starts_with("skipped: unsubscribed in Mailchimp"), "{}", charity.fate(people[0]).await);
        // Nor is it done twice.
        let calls = charity.harm().calls_of("PATCH /lists/{list_id}/members/{subscriber_hash}");
        assert_eq!(calls, 1, "{:?}", charity.harm().calls);
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
async fn a_double_opt_in_audience_asks_everybody_first_and_once() {
    let charity = Charity::new(Kind::Sqlite, world(60, 103)).await;
    charity.site.simulator.mailchimp().audiences.get_mut(&charity.audience).unwrap().double_optin = true;
    charity.sync().await;
    let people = charity.consented();
    assert!(people.keys().all(|email| charity.status(email) == "pending"));
    for id in people.values() {
        charity.touch(*id);
        charity.edit(*id, "last_name", "\"Changed\"");
    }
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(charity.harm().confirmation_mails.len(), people.len());
    charity.assert_harmless();
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_of_a_gdpr_audience_are_given_to_whom_we_add_and_to_nobody_else() {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 104)).await;
    charity.table = "marketing_permissions = ['Email']".to_owned();
    let permissions = vec![("p1".to_owned(), "Email".to_owned()), ("p2".to_owned(), "Post".to_owned())];
    charity.site.simulator.mailchimp().audiences.get_mut(&charity.audience).unwrap().permissions = permissions;
    let before = charity.givers(1).await[0];
    charity.act(Act::SignUp(charity.email(before)));
    charity.sync().await;
    let permitted: Vec<_> = charity.harm().writes.into_iter().filter(|write| write.keys() == ["marketing_permissions"]).collect();
    assert_eq!(permitted.len(), charity.consented().len() - 1);
    for write in &permitted {
        assert_eq!(write.sent["marketing_permissions"], json!([{"marketing_permission_id": "p1", "enabled": true}]));
        assert_ne!(write.email, charity.email(before));
    }
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(charity.harm().total_calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_mailchimp_makes_of_it_nobody_who_left_is_even_tried() {
    for compliance in [Compliance::Error, Compliance::Ignored, Compliance::Succeeds] {
        let switches = Switches { compliance, batch_revives_archived: true, tags_move_last_changed: true, ..Switches::default() };
        let charity = Charity::new(Kind::Sqlite, Options { mailchimp: switches, ..world(50, 105) }).await;
        let people = charity.givers(3).await;
        // They left before this program was there.
        for (id, act) in people.iter().zip([Act::Unsubscribe, Act::Clean, Act::Archive]) {
            charity.act(Act::SignUp(charity.email(*id)));
            charity.act(act(charity.email(*id)));
        }
        charity.sync().await;
        let harm = charity.harm();
        assert!(harm.resubscriptions_prevented.is_empty());
        for id in &people {
            assert!(harm.writes.iter().all(|write| write.email != charity.email(*id)), "{compliance:?}");
        }
        charity.assert_complete(&people).await;
    }
}
