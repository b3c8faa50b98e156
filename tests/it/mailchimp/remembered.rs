//! What was configured and where people were before is remembered: whatever changes reaches those
//! who are there already. Tags with another prefix are in `prefix`, what the audience lacks in
//! `lacks`.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::domain::Step;
use classy_sync::plugin::PluginError;
use classy_sync::simulator::Act;
use serde_json::json;
use std::time::Duration;

impl Charity {}

#[tokio::test(flavor = "multi_thread")]
async fn opt_outs_that_were_ignored_are_passed_on_once_the_file_says_so() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 163)).await;
    charity.table = "on_opt_out = 'ignore'".to_owned();
    charity.sync().await;
    let people = charity.givers(2).await;
    people.iter().for_each(|id| charity.opt(*id, false));
    charity.sync().await;
    assert!(charity.harm().unsubscriptions.is_empty());
    charity.table = String::new();
    charity.sync().await;
    for id in people {
        assert_eq!(
            charity.status(&charity.email(id)),
            "unsubscribed",
            "{}",
            charity.fate(id).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_configured_later_reaches_those_who_are_there_and_a_misspelt_one_is_an_error()
 {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 164)).await;
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
    charity.table = "marketing_permissions = ['Email']".to_owned();
    charity.sync().await;
    charity.forget_calls();
    for (wrong, told) in [("['Emial']", "Emial"), ("['Email', 'Phone']", "Phone")] {
        charity.table = format!("marketing_permissions = {wrong}");
        let error = charity.deliver().await.unwrap_err();
        let PluginError::Configuration { key, cause } = &error else {
            panic!("{error}")
        };
        assert!(
            key.ends_with("marketing_permissions") && cause.contains(told),
            "{error}"
        );
        assert!(
            cause.contains("\"Email\" (p1)") && cause.contains("\"Post\" (p2)"),
            "the audience's own list: {error}"
        );
    }
    assert!(charity.harm().writes.is_empty());
    charity.table = "marketing_permissions = ['Email', 'p2']".to_owned();
    charity.sync().await;
    let given: Vec<_> = charity
        .harm()
        .writes
        .into_iter()
        .filter(|write| write.keys() == ["marketing_permissions"])
        .collect();
    assert_eq!(given.len(), charity.consented().len());
    let post = json!([{"marketing_permission_id": "p2", "enabled": true}]);
    assert!(
        given
            .iter()
            .all(|write| write.sent["marketing_permissions"] == post),
        "what was given before is not given again"
    );
    // An audience without such fields knows none.
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .permissions = Vec::new();
    let error = charity.deliver().await.unwrap_err();
    assert!(
        matches!(&error, PluginError::Configuration { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_renamed_in_mailchimp_goes_on_getting_its_tags_and_fields() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 169)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let before = charity.email(person);
        charity.act(Act::Rename {
            email: before.clone(),
            to: "renamed@example.net".to_owned(),
        });
        charity.give(person, "20000");
        charity.read();
        let seen = charity.preview().await;
        let planned = &seen
            .people
            .iter()
            .find(|one| one.person.supporter_id == person)
            .unwrap()
            .planned;
        assert_eq!(planned.step, Step::Change);
        charity.deliver().await.unwrap();
        charity.assert_harmless();
        let tags = charity.tags("renamed@example.net");
        assert!(
            tags.contains(&"Classy-Transformational".to_owned()),
            "{tags:?} {}",
            charity.fate(person).await
        );
        assert_eq!(
            tags.iter()
                .filter(|tag| ["Classy-Major", "Classy-Small", "Classy-Regular"]
                    .contains(&tag.as_str()))
                .count(),
            0
        );
        assert!(
            charity
                .field("renamed@example.net", "TOTALAMT")
                .as_f64()
                .unwrap()
                >= 20_000.0
        );
        assert_eq!(charity.status(&before), "nobody", "no second contact");
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            (charity.harm().total_calls(), charity.harm().writes.len()),
            (3, 0)
        );
        // Time changes tags as well.
        charity.deliver_at(in_days(800)).await.unwrap();
        let tags = charity.tags("renamed@example.net");
        assert!(
            tags.iter()
                .any(|tag| ["Classy-Dormant", "Classy-Active Recurring"].contains(&tag.as_str())),
            "{tags:?}"
        );
        // They leave: nothing more is written.
        charity.act(Act::Unsubscribe("renamed@example.net".to_owned()));
        charity.give(person, "50");
        charity.forget_calls();
        charity.sync().await;
        assert!(
            charity.harm().writes.is_empty()
                && charity.status("renamed@example.net") == "unsubscribed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_between_the_look_and_the_send_is_seen_before_the_send() {
    for way in [Act::Archive, Act::Unsubscribe] {
        let charity = Charity::new(Kind::Sqlite, world(40, 170)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.edit(person, "last_name", "\"Other\"");
        charity.read();
        charity.forget_calls();
        // So slow that the look is old by the time that everything needed for the send is known.
        charity.site.simulator.mailchimp().switches.latency_ms = 1_200;
        let (done, ()) = tokio::join!(charity.deliver(), async {
            loop {
                if charity.harm().calls_of("GET /lists/{list_id}/merge-fields") > 0 {
                    break charity.act(way(email.clone()));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        done.unwrap();
        assert!(charity.harm().writes.is_empty(), "nothing is sent to them");
        assert!(
            charity.fate(person).await.starts_with("skipped"),
            "{}",
            charity.fate(person).await
        );
        charity.assert_harmless();
    }
}
