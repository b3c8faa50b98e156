//! Lists of Mailchimp that are well-formed and show nobody though somebody left: nobody is written
//! to for that.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::plugin::PluginError;
use classy_sync::simulator::{Act, Options, Switches};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOBODY: &str = r#"{"members":[],"total_items":0}"#;

/// Always.
const EVER: usize = usize::MAX;

/// Which list of members shows nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Main,
    Archived,
    Unsubscribed,
}

impl List {
    fn is_asked(self, uri: &str) -> bool {
        let is_with = |status: &str| uri.contains(&format!("status={status}"));
        uri.contains("/members?")
            && match self {
                List::Main => !uri.contains("&status="),
                List::Archived => is_with("archived"),
                List::Unsubscribed => is_with("unsubscribed"),
            }
    }
}

impl Charity {
    /// A list of an audience shows nobody, so many times.
    async fn shows_nobody(&mut self, list: List, audience: &str, times: usize) {
        let (left, audience) = (
            Arc::new(AtomicUsize::new(times)),
            format!("/lists/{audience}/"),
        );
        self.answers_some(move |uri| {
            let is_it = uri.contains(&audience) && list.is_asked(uri);
            let is_left = is_it
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            is_left.then(|| NOBODY.to_owned())
        })
        .await;
    }

    /// Nothing was written about these addresses.
    fn assert_left_alone(&self, emails: &[&str]) {
        let writes = self.harm().writes;
        assert!(
            writes
                .iter()
                .all(|write| !emails.contains(&write.email.as_str())),
            "{emails:?}"
        );
    }
}

/// An audience in which a batch brings back whoever is archived.
async fn charity(kind: Kind, seed: u64) -> Charity {
    let mailchimp = Switches {
        batch_revives_archived: true,
        ..Switches::default()
    };
    Charity::new(
        kind,
        Options {
            mailchimp,
            ..world(60, seed)
        },
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_archived_is_left_alone_though_the_list_of_archived_contacts_shows_nobody_once() {
    for kind in kinds() {
        for is_somebody_known in [false, true] {
            let mut charity = charity(kind, 430).await;
            charity.sync().await;
            let people = charity.givers(2).await;
            let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
            if is_somebody_known {
                charity.act(Act::Archive(emails[1].clone()));
                charity.sync().await;
            }
            charity.act(Act::Archive(emails[0].clone()));
            charity.give(people[0], "20000");
            charity.read();
            charity.forget_calls();
            charity
                .shows_nobody(List::Archived, &charity.audience.clone(), 1)
                .await;
            charity.deliver().await.unwrap();
            charity.assert_harmless();
            charity.assert_left_alone(&[&emails[0]]);
            assert_eq!(charity.status(&emails[0]), "archived", "{kind:?}");
            assert!(
                charity
                    .fate(people[0])
                    .await
                    .contains("archived in Mailchimp"),
                "{}",
                charity.fate(people[0]).await
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_archived_before_us_is_left_alone_though_the_first_look_shows_nobody_once() {
    let mut charity = charity(Kind::Sqlite, 431).await;
    let person = charity.givers(1).await[0];
    let email = charity.email(person);
    charity.act(Act::SignUp(email.clone()));
    charity.act(Act::Archive(email.clone()));
    charity
        .shows_nobody(List::Archived, &charity.audience.clone(), 1)
        .await;
    charity.sync().await;
    assert_eq!(charity.status(&email), "archived");
    charity.assert_complete(&[person]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_waits_while_a_list_shows_nobody_though_somebody_is_known_in_it() {
    for list in [List::Archived, List::Main] {
        let mut charity = charity(Kind::Sqlite, 432).await;
        let people = charity.givers(3).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::SignUp(emails[0].clone()));
        charity.sync().await;
        charity.act(Act::Archive(emails[1].clone()));
        charity.sync().await;
        // One is archived whom we subscribed; another one leaves whom we did not, and has another
        // address at Classy since.
        charity.act(Act::Archive(emails[2].clone()));
        charity.act(Act::Unsubscribe(emails[0].clone()));
        charity.give(people[2], "20000");
        charity.edit(people[0], "email_address", "\"again@example.org\"");
        charity.read();
        charity.forget_calls();
        charity
            .shows_nobody(list, &charity.audience.clone(), EVER)
            .await;
        let failed = charity.deliver().await.unwrap_err();
        assert!(
            matches!(failed, PluginError::Unavailable(_)),
            "{list:?}: {failed}"
        );
        assert!(charity.harm().writes.is_empty(), "{list:?}");
        // It shows them again: the delivery goes on, and they are left alone.
        charity
            .shows_nobody(list, &charity.audience.clone(), 1)
            .await;
        charity.deliver().await.unwrap();
        charity.assert_harmless();
        assert_eq!(
            (
                charity.status("again@example.org"),
                charity.status(&emails[2])
            ),
            ("nobody", "archived"),
            "{list:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_looked_at_singly_and_left_is_left_alone_though_no_list_has_shown_it() {
    for way in ["unsubscribe", "archive"] {
        let mut charity = charity(Kind::Sqlite, 433).await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.act(Act::SignUp(email.clone()));
        charity.sync().await;
        charity.edit(person, "email_address", "\"again@example.org\"");
        charity.read();
        charity.forget_calls();
        // They leave right after the lists were read: a look at one contact is the first to show
        // it.
        let (url, audience) = (
            charity.site.simulator.mailchimp_url().replace("/3.0", ""),
            charity.audience.clone(),
        );
        let http = reqwest::Client::new();
        charity
            .answers_some(move |uri| {
                if uri.contains("/members/") {
                    let order =
                        serde_json::json!({ "audience": audience, "acts": [{ way: email }] });
                    let request = http
                        .post(format!("{url}/__sim/mailchimp/people"))
                        .body(order.to_string())
                        .send();
                    tokio::task::block_in_place(|| {
                        tokio::runtime::Handle::current().block_on(request)
                    })
                    .unwrap();
                }
                None
            })
            .await;
        charity.deliver().await.unwrap();
        assert_eq!(
            charity.status("again@example.org"),
            "nobody",
            "{way}: {}",
            charity.fate(person).await
        );
        charity.assert_left_alone(&["again@example.org"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_amid_our_own_writing_is_left_alone_though_their_list_shows_nobody_once() {
    let mut charity = Charity::new(Kind::Sqlite, world(1_900, 434)).await;
    charity.sync().await;
    let person = charity.givers(1).await[0];
    let email = charity.email(person);
    assert!(charity.consented().len() > 1_000);
    charity.act(Act::Unsubscribe(email.clone()));
    charity.give(person, "20000");
    charity.read();
    charity.forget_calls();
    charity
        .shows_nobody(List::Unsubscribed, &charity.audience.clone(), 1)
        .await;
    charity.deliver().await.unwrap();
    charity.assert_left_alone(&[&email]);
    assert!(
        charity
            .fate(person)
            .await
            .contains("unsubscribed in Mailchimp"),
        "{}",
        charity.fate(person).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_audience_of_before_is_put_into_no_other_though_its_list_shows_nobody() {
    for (list, way) in [
        (List::Main, Act::Unsubscribe as fn(String) -> Act),
        (List::Archived, Act::Archive as fn(String) -> Act),
    ] {
        let (mut charity, audiences) = three(Kind::Sqlite, 435).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.act(way(email.clone()));
        charity.audience.clone_from(&audiences[1]);
        if list == List::Main {
            charity.shows_nobody(list, &audiences[0], EVER).await;
            let failed = charity.deliver().await.unwrap_err();
            assert!(matches!(failed, PluginError::Unavailable(_)), "{failed}");
            charity.shows_nobody(list, &audiences[0], 1).await;
        } else {
            charity.shows_nobody(list, &audiences[0], EVER).await;
        }
        charity.move_in().await;
        assert_eq!(
            charity.status(&email),
            "nobody",
            "{list:?}: {}",
            charity.fate(person).await
        );
        assert!(
            charity
                .consented()
                .into_iter()
                .all(|(email, id)| id == person || charity.status(&email) == "subscribed")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_no_list_any_more_is_asked_for_and_left_alone_when_archived() {
    let mut charity = charity(Kind::Sqlite, 437).await;
    charity.sync().await;
    let person = charity.givers(1).await[0];
    let email = charity.email(person);
    // The last one who changed is looked for when the list shows them no more.
    charity.act(Act::Tag {
        email: email.clone(),
        tag: "Gala".to_owned(),
    });
    charity.sync().await;
    charity.act(Act::Archive(email.clone()));
    charity.give(person, "20000");
    charity.read();
    charity.forget_calls();
    charity
        .shows_nobody(List::Archived, &charity.audience.clone(), EVER)
        .await;
    charity.deliver().await.ok();
    charity.assert_left_alone(&[&email]);
    assert_eq!(
        charity.status(&email),
        "archived",
        "{}",
        charity.fate(person).await
    );
}
