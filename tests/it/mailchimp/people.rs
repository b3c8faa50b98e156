//! People as they are: they move, share an address, change over time; and staff who do things by
//! hand. What becomes of a person with several addresses is in `addresses`.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::simulator::{Act, Options, Switches};

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
    // One for each tag that somebody had: of value, and of how often they gave.
    assert!((1..=8).contains(&removals), "{:?}", harm.calls);
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
