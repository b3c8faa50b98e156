//! Consent: nobody without it is sent, nobody who left is brought back, and what is somebody
//! else's stays as it is. Opt-outs at Classy are in `opt_outs`.

use super::{Charity, in_days};
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
        for (id, words) in gone.iter().zip([
            "unsubscribed in Mailchimp",
            "bounced",
            "archived",
            "erased for good",
        ]) {
            assert!(
                charity.fate(*id).await.contains(words),
                "{}",
                charity.fate(*id).await
            );
        }
        let evidence = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.left'";
        assert_eq!(
            charity.site.number(evidence).await,
            3,
            "who was seen to leave is in the audit trail"
        );
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
async fn a_double_opt_in_audience_asks_everybody_first_and_once() {
    let charity = Charity::new(Kind::Sqlite, world(60, 103)).await;
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .double_optin = true;
    charity.sync().await;
    let people = charity.consented();
    assert!(
        people
            .keys()
            .all(|email| charity.status(email) == "pending")
    );
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
    let permissions = vec![
        ("p1".to_owned(), "Email".to_owned()),
        ("p2".to_owned(), "Post".to_owned()),
    ];
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .permissions = permissions;
    let before = charity.givers(1).await[0];
    charity.act(Act::SignUp(charity.email(before)));
    charity.sync().await;
    let permitted: Vec<_> = charity
        .harm()
        .writes
        .into_iter()
        .filter(|write| write.keys() == ["marketing_permissions"])
        .collect();
    assert_eq!(permitted.len(), charity.consented().len() - 1);
    for write in &permitted {
        assert_eq!(
            write.sent["marketing_permissions"],
            json!([{"marketing_permission_id": "p1", "enabled": true}])
        );
        assert_ne!(write.email, charity.email(before));
    }
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(charity.harm().total_calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_mailchimp_makes_of_it_nobody_who_left_is_even_tried() {
    for compliance in [Compliance::Error, Compliance::Ignored, Compliance::Succeeds] {
        let switches = Switches {
            compliance,
            batch_revives_archived: true,
            tags_move_last_changed: true,
            ..Switches::default()
        };
        let charity = Charity::new(
            Kind::Sqlite,
            Options {
                mailchimp: switches,
                ..world(50, 105)
            },
        )
        .await;
        let people = charity.givers(3).await;
        // They left before this program was there.
        for (id, act) in people
            .iter()
            .zip([Act::Unsubscribe, Act::Clean, Act::Archive])
        {
            charity.act(Act::SignUp(charity.email(*id)));
            charity.act(act(charity.email(*id)));
        }
        charity.sync().await;
        let harm = charity.harm();
        assert!(harm.resubscriptions_prevented.is_empty());
        for id in &people {
            assert!(
                harm.writes
                    .iter()
                    .all(|write| write.email != charity.email(*id)),
                "{compliance:?}"
            );
        }
        charity.assert_complete(&people).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refuser_counts_at_an_address_that_somebody_could_not_move_away_from() {
    let charity = Charity::new(Kind::Sqlite, world(60, 107)).await;
    let people = charity.givers(2).await;
    charity.sync().await;
    let old = charity.email(people[0]);
    // The new address is a contact already, by a form: nothing can be moved there.
    charity.act(Act::SignUp("form@example.org".to_owned()));
    charity.edit(people[0], "email_address", "\"form@example.org\"");
    charity.edit(people[1], "email_address", &format!("{old:?}"));
    charity.opt(people[1], false);
    charity.sync().await;
    assert_eq!(
        (charity.status(&old), charity.status("form@example.org")),
        ("unsubscribed", "subscribed")
    );
    // Whoever moved on refused nothing.
    charity.edit(people[0], "email_address", "\"next@example.org\"");
    charity.sync().await;
    assert_eq!(charity.status("next@example.org"), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_before_this_program_came_stays_away_under_a_new_address() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 108)).await;
        let people = charity.givers(4).await;
        for (id, way) in people
            .iter()
            .zip([Act::Unsubscribe, Act::Clean, Act::Archive])
        {
            charity.act(Act::SignUp(charity.email(*id)));
            charity.act(way(charity.email(*id)));
        }
        charity.sync().await;
        // The fourth was added by us, and is erased.
        charity.act(Act::Erase(charity.email(people[3])));
        for (number, id) in people.iter().enumerate() {
            charity.edit(
                *id,
                "email_address",
                &format!("\"again{number}@example.org\""),
            );
            charity.opt(*id, true);
        }
        charity.read();
        for hours in 0..5 {
            charity
                .deliver_at(chrono::Utc::now() + chrono::TimeDelta::hours(2 * hours))
                .await
                .unwrap();
        }
        charity.assert_harmless();
        // Only the address of the second was bad, of which nobody hears who has another one.
        for (number, status) in ["nobody", "subscribed", "nobody", "nobody"]
            .into_iter()
            .enumerate()
        {
            assert_eq!(
                charity.status(&format!("again{number}@example.org")),
                status,
                "{number}"
            );
        }
        // By a form of their own they are welcome.
        charity.act(Act::SignUp("again0@example.org".to_owned()));
        charity.sync().await;
        charity.edit(people[0], "email_address", "\"later@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status("later@example.org"),
            "subscribed",
            "{}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_one_audience_is_not_put_into_another() {
    let mut charity = Charity::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            shared_account: true,
            ..world(60, 109)
        },
    )
    .await;
    charity.sync().await;
    let people = charity.givers(2).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    charity.act(Act::Unsubscribe(emails[0].clone()));
    charity.opt(people[1], false);
    charity.sync().await;
    charity.opt(people[1], true);
    charity.audience = charity.site.simulator.world().organizations[&10002]
        .mailchimp_audience
        .clone();
    charity.move_in().await;
    assert_eq!(
        (charity.status(&emails[0]), charity.status(&emails[1])),
        ("nobody", "nobody")
    );
    charity.assert_complete(&people).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_confirm_is_not_asked_twice_and_harms_nobody_else() {
    let charity = Charity::new(Kind::Sqlite, world(60, 120)).await;
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
    let email = charity.email(people[0]);
    // Mailchimp drops whoever does not confirm, without a word.
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .drop_unconfirmed(&email);
    let before = charity.harm().confirmation_mails.len();
    charity.give(people[0], "70");
    charity.read();
    charity.deliver_at(in_days(61)).await.unwrap();
    assert_eq!(charity.harm().confirmation_mails.len(), before);
    assert!(
        charity.fate(people[0]).await.contains("did not confirm"),
        "{}",
        charity.fate(people[0]).await
    );
    charity.assert_harmless();
    // They say yes once more, and are asked once more.
    let said = in_days(62).format("%Y-%m-%dT%H:%M:%S+0000").to_string();
    charity.edit(
        people[0],
        "last_email_consent_decision_date",
        &format!("{said:?}"),
    );
    charity.read();
    charity.deliver_at(in_days(63)).await.unwrap();
    assert_eq!(
        (
            charity.harm().confirmation_mails.len(),
            charity.status(&email)
        ),
        (before + 1, "pending")
    );
    assert!(charity.harm().unsubscriptions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_says_nothing_is_not_believed() {
    // Lists of members, the audience itself, and a list that is short of what the audience counts.
    let cases = [
        ("/members?", "{}"),
        ("/members?", r#"{"members":null,"total_items":null}"#),
        ("/members?", r#"{"members":[],"total_items":0}"#),
        ("?fields=id", "{}"),
        ("?fields=id", r#"{"id":"x","stats":{}}"#),
    ];
    let one = async |(asks, answer): (&'static str, &'static str)| {
        let mut charity = Charity::new(Kind::Sqlite, world(60, 122)).await;
        for id in charity.givers(20).await {
            charity.act(Act::SignUp(charity.email(id)));
            charity.act(Act::Archive(charity.email(id)));
        }
        for other in 0..40 {
            charity.act(Act::SignUp(format!("other{other}@example.org")));
        }
        charity.answers_instead(asks, answer).await;
        let failed = charity.deliver().await.unwrap_err();
        assert!(
            matches!(failed, classy_sync::plugin::PluginError::Unavailable(_)),
            "{answer}: {failed}"
        );
        assert!(charity.harm().writes.is_empty(), "{answer}");
    };
    futures_util::future::join_all(cases.map(one)).await;
}
