//! Another `audience_id`: it waits for a person, an opt-out reaches every audience into which the
//! person was subscribed by us, and nothing goes unasked. Who is kept out of the new one is in
//! `kept_out`.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use classy_sync::domain::Step;
use classy_sync::plugin::{Disallowed, FirstPush, GuardSettings, Word};
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_reaches_every_audience_into_which_we_subscribed_the_person() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 109).await;
        let people = charity.givers(4).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        for audience in &audiences {
            charity.audience.clone_from(audience);
            charity.move_in().await;
            charity.assert_complete(&[]).await;
        }
        // The second has another address since, which the earlier audiences do not know; the third
        // one took another in one of them.
        charity.edit(people[1], "email_address", "\"moved.on@example.org\"");
        charity.sync().await;
        let renamed = Act::Rename {
            email: emails[2].clone(),
            to: "third.now@example.net".to_owned(),
        };
        assert!(
            charity
                .site
                .simulator
                .mailchimp()
                .act(&audiences[0], &renamed)
        );
        people[..3].iter().for_each(|id| charity.opt(*id, false));
        charity.read();
        let seen = charity.preview().await;
        assert_eq!(
            seen.people
                .iter()
                .filter(|one| one.planned.step == Step::Unsubscribe)
                .count(),
            3
        );
        charity.deliver().await.unwrap();
        let statuses = |charity: &Charity, addresses: [&str; 3]| -> Vec<&'static str> {
            audiences
                .iter()
                .zip(addresses)
                .map(|(audience, email)| charity.status_in(audience, email))
                .collect()
        };
        assert_eq!(
            statuses(&charity, [emails[0].as_str(); 3]),
            ["unsubscribed"; 3],
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            statuses(&charity, [&emails[1], &emails[1], "moved.on@example.org"]),
            ["unsubscribed"; 3],
            "{}",
            charity.fate(people[1]).await
        );
        assert_eq!(
            statuses(&charity, ["third.now@example.net", &emails[2], &emails[2]]),
            ["unsubscribed"; 3],
            "{}",
            charity.fate(people[2]).await
        );
        assert_eq!(
            statuses(&charity, [emails[3].as_str(); 3]),
            ["subscribed"; 3]
        );
        assert_eq!(charity.harm().found(), [] as [String; 0]);
        // It is done once, and a yes at Classy takes none of it back.
        charity.site.simulator.mailchimp().ledger.clear();
        people[..3].iter().for_each(|id| charity.opt(*id, true));
        charity.read();
        charity.deliver().await.unwrap();
        assert!(charity.harm().unsubscriptions.is_empty());
        assert_eq!(
            statuses(&charity, [emails[0].as_str(); 3]),
            ["unsubscribed"; 3]
        );
        // Nor does going back to the first audience.
        charity.audience.clone_from(&audiences[0]);
        charity.read();
        charity.deliver().await.unwrap();
        assert_eq!(charity.status(&emails[0]), "unsubscribed");
        assert_eq!(charity.harm().found(), [] as [String; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_audience_waits_for_a_person_and_opt_outs_do_not() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 172).await;
        charity.sync().await;
        let people = charity.givers(5).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        // Nothing is asked as long as it is the same one.
        charity.give(people[0], "700");
        assert_eq!(charity.sync().await.held, 0);
        charity.audience.clone_from(&audiences[1]);
        charity.opt(people[0], false);
        let done = charity.sync().await;
        assert_eq!(
            done.held as usize,
            charity.consented().len(),
            "{kind:?}: {done:?}"
        );
        let forecast = done.forecast.unwrap();
        assert_eq!(
            (forecast.additions as usize, forecast.unsubscribes),
            (charity.consented().len(), 0)
        );
        assert!(emails.iter().all(|email| charity.status(email) == "nobody"));
        assert_eq!(
            charity.status_in(&audiences[0], &emails[0]),
            "unsubscribed",
            "{}",
            charity.fate(people[0]).await
        );
        // While it waits somebody leaves the old one, by whatever way.
        for act in [
            Act::Unsubscribe(emails[1].clone()),
            Act::Archive(emails[2].clone()),
            Act::Erase(emails[3].clone()),
        ] {
            assert!(
                charity.site.simulator.mailchimp().act(&audiences[0], &act),
                "{act:?}"
            );
        }
        charity.sync().await;
        let seen = charity.preview().await;
        assert!(
            seen.asks_first
                && seen
                    .held()
                    .iter()
                    .all(|held| !people[..4].contains(&held.supporter_id))
        );
        charity
            .approve(Word {
                actor: "cli",
                ..Word::default()
            })
            .await
            .unwrap();
        charity.sync().await;
        let now = [0, 1, 2, 3, 4].map(|number| charity.status(&emails[number]));
        assert_eq!(
            now,
            ["nobody", "nobody", "nobody", "nobody", "subscribed"],
            "{kind:?}"
        );
        charity.assert_complete(&people[..4]).await;
        // Back to the first: it is another audience than the last one, so a person is asked again.
        charity.audience.clone_from(&audiences[0]);
        charity.read();
        assert!(charity.preview().await.asks_first, "{kind:?}");
        charity.deliver().await.unwrap();
        assert!(charity.preview().await.asks_first, "it stays so");
        charity
            .approve(Word {
                actor: "cli",
                ..Word::default()
            })
            .await
            .ok();
        charity.assert_harmless();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_staff_give_up_before_the_new_one_is_approved_says_nothing_of_its_people()
{
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 182).await;
        charity.sync().await;
        charity.audience.clone_from(&audiences[1]);
        charity.sync().await;
        let all: Vec<String> = charity.consented().into_keys().collect();
        assert!(all.len() > 30, "{}", all.len());
        for (place, email) in all.iter().enumerate() {
            let act = if place % 2 == 0 {
                Act::Archive(email.clone())
            } else {
                Act::Erase(email.clone())
            };
            assert!(
                charity.site.simulator.mailchimp().act(&audiences[0], &act),
                "{act:?}"
            );
        }
        charity.sync().await;
        charity
            .approve(Word {
                actor: "cli",
                ..Word::default()
            })
            .await
            .unwrap();
        charity.sync().await;
        assert!(
            all.iter()
                .all(|email| charity.status(email) == "subscribed"),
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_of_before_that_is_gone_is_told_and_keeps_nobody_waiting() {
    let (charity, audiences) = moved(173).await;
    let people = charity.givers(2).await;
    let old = charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .remove(&audiences[0])
        .unwrap();
    charity.opt(people[0], false);
    charity.sync().await;
    assert_eq!(charity.status(&charity.email(people[0])), "unsubscribed");
    charity.assert_complete(&[]).await;
    let list = charity.site.json(&["plugin", "list"], 0);
    assert!(
        list.to_string().contains(&format!(
            "opt-outs do not reach the earlier audience {}",
            audiences[0]
        )),
        "{list}"
    );
    // It is there again: who said no meanwhile is taken off there, too.
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .insert(audiences[0].clone(), old);
    charity.deliver_at(super::in_days(2)).await.unwrap();
    assert_eq!(
        charity.status_in(&audiences[0], &charity.email(people[0])),
        "unsubscribed",
        "{}",
        charity.fate(people[0]).await
    );
    assert!(
        !charity
            .site
            .json(&["plugin", "list"], 0)
            .to_string()
            .contains("opt-outs do not reach")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_one_audience_is_not_approved_for_another() {
    let (mut charity, audiences) = three(Kind::Sqlite, 179).await;
    charity.guard = GuardSettings {
        first_push: FirstPush::Ask,
        ..charity.guard
    };
    let held = charity.sync().await.held;
    let plan = charity.preview().await.plan();
    charity.audience.clone_from(&audiences[1]);
    let refused = charity
        .approve(Word {
            plan: Some(plan),
            actor: "cli",
            ..Word::default()
        })
        .await;
    assert!(
        held > 0 && matches!(refused, Err(Disallowed::Changed { .. })),
        "{refused:?}"
    );
    assert_eq!(
        charity.sync().await.held,
        held,
        "the same people, and nobody was shown that they come in there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_to_an_audience_before_another_was_approved_is_a_change_too() {
    let (mut charity, audiences) = three(Kind::Sqlite, 181).await;
    let refuser = charity.givers(1).await[0];
    charity.opt(refuser, false);
    charity.sync().await;
    charity.audience.clone_from(&audiences[1]);
    assert!(charity.sync().await.held > 0);
    charity.audience.clone_from(&audiences[0]);
    charity.opt(refuser, true);
    for _ in 0..2 {
        let done = charity.sync().await;
        assert_eq!(
            (done.held, done.forecast.map(|forecast| forecast.additions)),
            (1, Some(1))
        );
    }
    charity.move_in().await;
    charity.assert_complete(&[]).await;
}

/// A charity that moved from its first audience into the second one.
async fn moved(seed: u64) -> (Charity, Vec<String>) {
    let (mut charity, audiences) = three(Kind::Sqlite, seed).await;
    charity.configure();
    charity.sync().await;
    let file = charity.site.path().join("organizations/10001.toml");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace(&audiences[0], &audiences[1]);
    std::fs::write(file, text).unwrap();
    charity.audience.clone_from(&audiences[1]);
    charity.move_in().await;
    (charity, audiences)
}

/// The same, and the first one answers like this from now on.
async fn troubled(seed: u64, status: u16, body: &'static str) -> (Charity, Vec<String>) {
    let (mut charity, audiences) = moved(seed).await;
    let place = format!("/lists/{}", audiences[0]);
    charity
        .answers_some_as(move |uri| uri.contains(&place).then(|| (status, body.to_owned())))
        .await;
    (charity, audiences)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_audience_that_does_not_answer_keeps_no_opt_out_waiting() {
    for (seed, status) in [(174, 500)] {
        let (mut charity, audiences) = troubled(seed, status, "<html>").await;
        let people = charity.givers(2).await;
        charity.opt(people[0], false);
        charity.edit(people[1], "first_name", "\"Renata\"");
        charity.read();
        let refused = charity.deliver().await;
        let told = format!("{refused:?}");
        assert!(
            refused.is_err() && told.contains(&format!("the earlier audience {}", audiences[0])),
            "{told}"
        );
        let emails = [0, 1].map(|place| charity.email(people[place]));
        assert_eq!(charity.status(&emails[0]), "unsubscribed", "{status}");
        assert_ne!(
            charity.field(&emails[1], "FNAME"),
            "Renata",
            "nobody is sent as long as it is not known who left there"
        );
        // It does not answer for longer than a day: nobody waits for it any more, and it is told.
        charity.deliver_at(super::in_days(2)).await.unwrap();
        assert_eq!(charity.field(&emails[1], "FNAME"), "Renata", "{status}");
        let list = charity.site.json(&["plugin", "list"], 0);
        assert!(
            list.to_string()
                .contains("opt-outs do not reach the earlier audience"),
            "{list}"
        );
        // When it answers again, whoever said no meanwhile is taken off there, too.
        charity.via = None;
        charity.deliver_at(super::in_days(3)).await.unwrap();
        assert_eq!(charity.status_in(&audiences[0], &emails[0]), "unsubscribed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_audience_that_we_may_not_read_is_told_and_keeps_nobody_waiting() {
    let body = r#"{"title":"Forbidden","status":403,"detail":"no access to that resource"}"#;
    let (mut charity, audiences) = troubled(176, 403, body).await;
    let people = charity.givers(2).await;
    charity.opt(people[0], false);
    charity.edit(people[1], "first_name", "\"Renata\"");
    charity.sync().await;
    let emails = [0, 1].map(|place| charity.email(people[place]));
    assert_eq!(charity.status(&emails[0]), "unsubscribed");
    assert_eq!(charity.field(&emails[1], "FNAME"), "Renata");
    let list = charity.site.json(&["plugin", "list"], 0);
    assert!(list.to_string().contains(&audiences[0]), "{list}");
    // Minutes later it is asked again.
    charity.via = None;
    let soon = chrono::Utc::now() + chrono::TimeDelta::minutes(6);
    charity.deliver_at(soon).await.unwrap();
    assert_eq!(charity.status_in(&audiences[0], &emails[0]), "unsubscribed");
}
