//! One address is several people's, and somebody leaves by it: whoever had it then is known to have
//! left, though they have another address by the time that it is read, and though the contact has
//! another one, too. Whoever had it no more is not.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::simulator::Act;

const HOME: &str = "home@example.org";

/// A way to leave, by the address.
type Way = fn(String) -> Act;

impl Charity {
    fn lives_at(&self, id: i64, email: &str) {
        self.edit(id, "email_address", &format!("{email:?}"));
    }

    /// Supporters who said no, have an address of their own and were never sent.
    async fn refusers(&self, count: usize) -> Vec<i64> {
        let text = "SELECT id AS n FROM supporters WHERE email_opt_in IS NOT NULL AND email_address IS NOT NULL ORDER BY id";
        let consented = self.consented();
        let all = self.site.numbers(text).await;
        let ids = all.into_iter().filter(|id| {
            self.email(*id).contains('@') && !consented.contains_key(&self.email(*id))
        });
        let ids: Vec<i64> = ids.take(count).collect();
        assert_eq!(ids.len(), count);
        ids
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_an_address_when_it_left_is_subscribed_at_no_other_one_though_nobody_ever_looked_at_them_there()
 {
    for kind in kinds() {
        let ways: [(Way, &str); 4] = [
            (Act::Unsubscribe, "nobody"),
            (Act::Archive, "nobody"),
            (Act::Erase, "nobody"),
            (Act::Clean, "subscribed"),
        ];
        for (way, expected) in ways {
            let charity = Charity::new(kind, world(60, 450)).await;
            charity.lives_at(charity.givers(1).await[0], HOME);
            charity.sync().await;
            assert_eq!(charity.status(HOME), "subscribed");
            // One was never sent before, and one is subscribed somewhere else; both come to that
            // address, and no delivery sees them there.
            let (stranger, known) = (charity.refusers(1).await[0], charity.givers(2).await[1]);
            let old = charity.email(known);
            for id in [stranger, known] {
                charity.lives_at(id, HOME);
                charity.opt(id, true);
            }
            charity.read();
            charity.act(way(HOME.to_owned()));
            charity.lives_at(stranger, "stranger@example.org");
            charity.lives_at(known, "known@example.org");
            charity.read();
            let seen = charity.preview().await;
            charity.sync_later().await;
            for (id, email) in [
                (stranger, "stranger@example.org"),
                (known, "known@example.org"),
            ] {
                let fate = charity.fate(id).await;
                assert_eq!(
                    charity.status(email),
                    expected,
                    "{kind:?} {:?}: {fate}",
                    way(HOME.to_owned())
                );
                let is_added = seen
                    .people
                    .iter()
                    .any(|one| one.person.supporter_id == id && one.planned.step.as_str() == "add");
                assert!(
                    !is_added || expected == "subscribed",
                    "the preview says so, too"
                );
            }
            // They said no, so they are mailed nowhere by our doing.
            assert!(
                expected == "subscribed"
                    || charity.status(&old) == "unsubscribed"
                    || matches!(way(String::new()), Act::Archive(_))
            );
            // It stays so, until they come by a form.
            charity.touch(stranger);
            charity.sync().await;
            assert_eq!(
                charity.status("stranger@example.org"),
                expected,
                "{kind:?}: {}",
                charity.fate(stranger).await
            );
            charity.act(Act::SignUp("stranger@example.org".to_owned()));
            charity.sync().await;
            assert_eq!(charity.status("stranger@example.org"), "subscribed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_an_address_no_more_when_it_left_is_not_taken_for_somebody_who_left() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 451)).await;
        let people = charity.givers(2).await;
        people.iter().for_each(|id| charity.lives_at(*id, HOME));
        charity.sync().await;
        // One moves out, and is delivered; then the other one leaves.
        charity.lives_at(people[1], "own@example.org");
        charity.sync().await;
        assert_eq!(
            (charity.status(HOME), charity.status("own@example.org")),
            ("subscribed", "subscribed"),
            "{kind:?}"
        );
        charity.act(Act::Unsubscribe(HOME.to_owned()));
        charity.touch(people[1]);
        charity.sync().await;
        assert_eq!(
            charity.status("own@example.org"),
            "subscribed",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
        assert!(charity.harm().unsubscriptions.is_empty());
        charity.assert_complete(&people[..1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_and_got_another_address_in_mailchimp_before_anybody_looked_is_put_there_under_no_other_one()
 {
    for kind in kinds() {
        for is_renamed_first in [false, true] {
            for has_moved_before in [false, true] {
                let charity = Charity::new(kind, world(60, 452)).await;
                let people = charity.givers(2).await;
                people.iter().for_each(|id| charity.lives_at(*id, HOME));
                charity.sync().await;
                let there = "there@example.net";
                let rename = Act::Rename {
                    email: HOME.to_owned(),
                    to: there.to_owned(),
                };
                if is_renamed_first {
                    charity.act(rename);
                    charity.act(Act::Unsubscribe(there.to_owned()));
                } else {
                    charity.act(Act::Unsubscribe(HOME.to_owned()));
                    charity.act(rename);
                }
                if !has_moved_before {
                    charity.sync().await;
                }
                for (number, id) in people.iter().enumerate() {
                    charity.lives_at(*id, &format!("moved{number}@example.org"));
                }
                charity.sync().await;
                for (number, id) in people.iter().enumerate() {
                    let fate = charity.fate(*id).await;
                    let told = format!("{kind:?} {is_renamed_first} {has_moved_before}: {fate}");
                    assert_eq!(
                        charity.status(&format!("moved{number}@example.org")),
                        "nobody",
                        "{told}"
                    );
                }
                assert_eq!(
                    (charity.status(there), charity.status(HOME)),
                    ("unsubscribed", "nobody")
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_the_audience_of_before_and_got_another_address_there_is_not_put_into_the_next_one()
 {
    let (mut charity, audiences) = three(Kind::Sqlite, 453).await;
    let people = charity.givers(2).await;
    charity.sync().await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    for (number, email) in emails.iter().enumerate() {
        let to = format!("there{number}@example.net");
        charity.act(Act::Unsubscribe(email.clone()));
        charity.act(Act::Rename {
            email: email.clone(),
            to,
        });
    }
    charity.audience.clone_from(&audiences[1]);
    // One of them has another address at Classy since, too.
    charity.lives_at(people[1], "moved@example.org");
    charity.move_in().await;
    for (id, email) in [
        (people[0], emails[0].as_str()),
        (people[1], emails[1].as_str()),
        (people[1], "moved@example.org"),
    ] {
        assert_eq!(
            charity.status(email),
            "nobody",
            "{}",
            charity.fate(id).await
        );
    }
    assert!(
        charity
            .consented()
            .into_iter()
            .all(|(email, id)| people.contains(&id) || charity.status(&email) == "subscribed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_takes_the_address_of_somebody_who_left_brings_nobody_back() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 454)).await;
        charity.sync().await;
        let people = charity.givers(3).await;
        people[..2]
            .iter()
            .for_each(|id| charity.lives_at(*id, HOME));
        charity.give(people[1], "900");
        charity.sync().await;
        charity.act(Act::Unsubscribe(HOME.to_owned()));
        charity.sync().await;
        charity.lives_at(people[0], "flat@example.org");
        charity.sync().await;
        charity.act(Act::Rename {
            email: charity.email(people[2]),
            to: "flat@example.org".to_owned(),
        });
        charity.sync().await;
        charity.lives_at(people[0], "own@example.org");
        charity.sync().await;
        assert_eq!(
            charity.status("own@example.org"),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_said_no_in_another_audience_is_taken_off_though_their_contact_has_another_address_here()
 {
    let (mut charity, audiences) = three(Kind::Sqlite, 455).await;
    charity.sync().await;
    let people = charity.givers(2).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    charity.audience.clone_from(&audiences[1]);
    charity.move_in().await;
    for (number, email) in emails.iter().enumerate() {
        charity.act(Act::Rename {
            email: email.clone(),
            to: format!("there{number}@example.net"),
        });
    }
    charity.sync().await;
    // One says no in the audience of before, and the other one complains of a mail there.
    for act in [
        Act::Unsubscribe(emails[0].clone()),
        Act::Complain(emails[1].clone()),
    ] {
        assert!(charity.site.simulator.mailchimp().act(&audiences[0], &act));
    }
    charity.sync().await;
    for (number, id) in people.iter().enumerate() {
        assert_eq!(
            charity.status(&format!("there{number}@example.net")),
            "unsubscribed",
            "{}",
            charity.fate(*id).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_complained_of_a_mail_said_no_for_every_audience_and_address() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 456).await;
        charity.sync().await;
        let people = charity.givers(3).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        // In the one of before: a complaint is a word, a bounce is none.
        for act in [
            Act::Complain(emails[0].clone()),
            Act::Clean(emails[1].clone()),
        ] {
            assert!(charity.site.simulator.mailchimp().act(&audiences[0], &act));
        }
        charity.sync().await;
        assert_eq!(
            (charity.status(&emails[0]), charity.status(&emails[1])),
            ("unsubscribed", "subscribed"),
            "{kind:?}"
        );
        // Here: who has the address of a complaint now, and a contact of ours elsewhere, is taken
        // off there.
        charity.act(Act::SignUp("form@example.org".to_owned()));
        charity.act(Act::Complain("form@example.org".to_owned()));
        charity.lives_at(people[2], "form@example.org");
        charity.sync().await;
        assert_eq!(
            charity.status(&emails[2]),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[2]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_an_address_that_leaves_right_before_they_are_sent_is_not_sent() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 457)).await;
    charity.lives_at(charity.givers(1).await[0], HOME);
    charity.sync().await;
    let stranger = charity.refusers(1).await[0];
    charity.lives_at(stranger, HOME);
    charity.opt(stranger, true);
    charity.read();
    charity.lives_at(stranger, "stranger@example.org");
    charity.read();
    // The audience was read for this delivery before, and is read again before anybody is sent,
    // since that is too long ago by then.
    let (url, audience) = (
        charity.site.simulator.mailchimp_url().replace("/3.0", ""),
        charity.audience.clone(),
    );
    let http = reqwest::Client::new();
    charity
        .answers_some(move |uri| {
            if uri.contains("/merge-fields") {
                let order =
                    serde_json::json!({ "audience": audience, "acts": [{ "unsubscribe": HOME }] });
                let request = http
                    .post(format!("{url}/__sim/mailchimp/people"))
                    .body(order.to_string())
                    .send();
                let late = std::time::Duration::from_millis(2_100);
                tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current().block_on(async move {
                        request.await.unwrap();
                        tokio::time::sleep(late).await;
                    });
                });
            }
            None
        })
        .await;
    charity.deliver().await.unwrap();
    assert_eq!(
        (charity.status(HOME), charity.status("stranger@example.org")),
        ("unsubscribed", "nobody")
    );
}
