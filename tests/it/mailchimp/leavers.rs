//! Whoever left, and a contact of ours that is at their address all the same: one that was somebody
//! else's until now, or one in another audience than the one that was left. They are neither mailed
//! there nor written about.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::domain::Harm;
use classy_sync::plugin::{GuardSettings, Word};
use classy_sync::simulator::Act;

/// A way to leave, by the address.
type Way = fn(String) -> Act;

impl Charity {
    /// One gets the address of the other, who gets a new one.
    fn takes_over(&self, one: i64, other: i64, to: &str) {
        self.edit(one, "email_address", &format!("{:?}", self.email(other)));
        self.edit(other, "email_address", &format!("{to:?}"));
    }

    /// Nothing of somebody stands at an address.
    fn assert_not_about(&self, id: i64, email: &str) {
        let name = serde_json::Value::from(self.text(id, "first_name"));
        let about = self
            .harm()
            .writes
            .into_iter()
            .filter(|write| write.email == email);
        let fields = about.filter_map(|write| write.sent.get("merge_fields").cloned());
        assert!(
            fields
                .into_iter()
                .all(|fields| fields.get("FNAME") != Some(&name)),
            "supporter {id} is written about at {email}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_gets_no_contact_of_somebody_who_moves_away() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 190)).await;
        charity.sync().await;
        let people = charity.givers(8).await;
        let ways: [Way; 4] = [Act::Unsubscribe, Act::Unsubscribe, Act::Archive, Act::Erase];
        let pairs: Vec<(&[i64], String)> = people
            .chunks(2)
            .enumerate()
            .map(|(number, pair)| (pair, format!("moved{number}@example.org")))
            .collect();
        for (id, name) in people
            .iter()
            .zip(["Aa", "Bb", "Cc", "Dd", "Ee", "Ff", "Gg", "Hh"])
        {
            charity.edit(*id, "first_name", &format!("{name:?}"));
        }
        charity.sync().await;
        // The first is known to have left before; the others are found with the same look.
        for (number, ((pair, _), way)) in pairs.iter().zip(ways).enumerate() {
            charity.act(way(charity.email(pair[0])));
            if number == 0 {
                charity.sync().await;
            }
        }
        charity.forget_calls();
        let old: Vec<String> = pairs
            .iter()
            .map(|(pair, _)| charity.email(pair[1]))
            .collect();
        for (pair, to) in &pairs {
            charity.takes_over(pair[0], pair[1], to);
        }
        charity.sync_later().await;
        for ((pair, to), old) in pairs.iter().zip(&old) {
            let fate = charity.fate(pair[0]).await;
            assert_eq!(
                (charity.status(old), charity.status(to)),
                ("nobody", "subscribed"),
                "{kind:?}: {fate}"
            );
            assert!(fate.starts_with("skipped"), "{fate}");
            charity.assert_not_about(pair[0], old);
            charity.assert_not_about(pair[0], to);
        }
        assert!(charity.harm().unsubscriptions.is_empty(), "nobody said no");
        let gone: Vec<i64> = pairs.iter().map(|(pair, _)| pair[0]).collect();
        charity.assert_complete(&gone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_could_not_move_away_is_not_left_to_somebody_who_left() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 191)).await;
        charity.sync().await;
        let people = charity.givers(6).await;
        let pairs: Vec<&[i64]> = people.chunks(2).collect();
        let old: Vec<String> = pairs.iter().map(|pair| charity.email(pair[1])).collect();
        for pair in &pairs {
            charity.act(Act::Unsubscribe(charity.email(pair[0])));
        }
        // One new address is a contact already, one is refused by Mailchimp, and what is left the
        // guard holds.
        charity.act(Act::SignUp("known@example.org".to_owned()));
        charity.act(Act::SignUp("erased@example.org".to_owned()));
        charity.act(Act::Erase("erased@example.org".to_owned()));
        charity.takes_over(pairs[0][0], pairs[0][1], "known@example.org");
        charity.takes_over(pairs[1][0], pairs[1][1], "erased@example.org");
        charity.sync().await;
        let open = charity.guard;
        charity.guard = GuardSettings {
            small_share: 0.0,
            small_min: 3,
            audience_share: 0.0,
            audience_min: 3,
            ..open
        };
        charity.takes_over(pairs[2][0], pairs[2][1], "held@example.org");
        // With these it is more than goes unasked.
        for (number, id) in charity
            .givers(12)
            .await
            .into_iter()
            .filter(|id| !people.contains(id))
            .take(3)
            .enumerate()
        {
            charity.edit(
                id,
                "email_address",
                &format!("\"other{number}@example.org\""),
            );
        }
        let done = charity.sync().await;
        for (pair, old) in pairs.iter().zip(&old) {
            assert_eq!(
                charity.status(old),
                "unsubscribed",
                "{kind:?} {}: {done:?}",
                charity.fate(pair[0]).await
            );
            charity.assert_not_about(pair[0], old);
        }
        assert_eq!(
            (
                charity.status("known@example.org"),
                charity.status("erased@example.org")
            ),
            ("subscribed", "nobody")
        );
        assert_eq!(charity.status("held@example.org"), "nobody");
        // Whoever had the contact refused nothing: they come in at the new address.
        charity.guard = open;
        charity
            .approve(Word {
                kinds: vec![Harm::Rename],
                actor: "cli",
                ..Word::default()
            })
            .await
            .ok();
        charity.touch(pairs[2][1]);
        charity.sync().await;
        assert_eq!(
            charity.status("held@example.org"),
            "subscribed",
            "{kind:?}: {}",
            charity.fate(pairs[2][1]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_an_address_with_somebody_who_left_elsewhere_keeps_it_and_the_other_is_not_written_about()
 {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 192)).await;
        charity.sync().await;
        let people = charity.givers(2).await;
        let email = charity.email(people[1]);
        charity.edit(people[0], "first_name", "\"Xaver\"");
        charity.sync().await;
        charity.act(Act::Unsubscribe(charity.email(people[0])));
        charity.edit(people[0], "email_address", &format!("{email:?}"));
        for speaker in [people[0], people[1]] {
            // Whoever gave last owns the address.
            charity.give(speaker, "900");
            charity.sync().await;
            assert_eq!(
                charity.status(&email),
                "subscribed",
                "{kind:?}: {}",
                charity.fate(people[0]).await
            );
            charity.assert_not_about(people[0], &email);
        }
        assert!(charity.harm().unsubscriptions.is_empty());
        // Once nobody else has it, it is nobody's.
        charity.act(Act::SignUp("known@example.org".to_owned()));
        charity.edit(people[1], "email_address", "\"known@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status(&email),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert_eq!(charity.status("known@example.org"), "subscribed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_are_to_confirm_and_swap_addresses_the_one_who_opts_out_is_taken_off_and_nobody_else()
 {
    for kind in kinds() {
        for late in [false, true] {
            let charity = Charity::new(kind, world(60, 193)).await;
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
            let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
            charity.edit(people[0], "email_address", &format!("{:?}", emails[1]));
            charity.edit(people[1], "email_address", &format!("{:?}", emails[0]));
            if late {
                charity.sync().await;
            }
            charity.opt(people[0], false);
            charity.sync().await;
            // Whatever makes the one come along again.
            charity.touch(people[0]);
            charity.sync().await;
            assert_eq!(
                (charity.status(&emails[1]), charity.status(&emails[0])),
                ("unsubscribed", "pending"),
                "{kind:?} late {late}: {}",
                charity.fate(people[0]).await
            );
            assert_eq!(charity.harm().unsubscriptions.len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_another_audience_is_taken_off_where_we_go_back_to() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 194).await;
        charity.sync().await;
        let people = charity.givers(5).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        let ways: [Way; 4] = [Act::Unsubscribe, Act::Erase, Act::Clean, Act::Archive];
        for (email, way) in emails.iter().zip(ways) {
            charity.act(way(email.clone()));
        }
        // What is erased is found when somebody looks for it.
        charity.edit(people[1], "email_address", "\"another.one@example.org\"");
        charity.sync().await;
        charity.edit(people[1], "email_address", &format!("{:?}", emails[1]));
        charity.audience.clone_from(&audiences[0]);
        charity.sync().await;
        // A bounce there, or what staff archived there, is no word of no to this one.
        let statuses: Vec<&str> = emails.iter().map(|email| charity.status(email)).collect();
        assert_eq!(
            statuses,
            [
                "unsubscribed",
                "unsubscribed",
                "subscribed",
                "subscribed",
                "subscribed"
            ],
            "{kind:?}: {} / {}",
            charity.fate(people[0]).await,
            charity.fate(people[1]).await
        );
        charity.sync().await;
        assert_eq!(charity.harm().unsubscriptions.len(), 2, "once");
        charity.assert_complete(&people[..4]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_an_audience_of_before_is_taken_off_in_the_present_one() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 195).await;
        charity.sync().await;
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        let people = charity.givers(2).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        assert!(
            charity
                .site
                .simulator
                .mailchimp()
                .act(&audiences[0], &Act::Unsubscribe(emails[0].clone()))
        );
        charity.sync().await;
        assert_eq!(
            (charity.status(&emails[0]), charity.status(&emails[1])),
            ("unsubscribed", "subscribed"),
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        // They come back by a form, and stay.
        charity.act(Act::SignUp(emails[0].clone()));
        charity.sync().await;
        charity.touch(people[0]);
        charity.sync().await;
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_opt_outs_are_not_passed_on_who_left_elsewhere_is_not_written_about() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 196)).await;
    charity.table = "on_opt_out = 'ignore'".to_owned();
    charity.sync().await;
    let people = charity.givers(2).await;
    let old = charity.email(people[1]);
    charity.edit(people[0], "first_name", "\"Xaver\"");
    charity.sync().await;
    charity.act(Act::Unsubscribe(charity.email(people[0])));
    charity.act(Act::SignUp("known@example.org".to_owned()));
    charity.takes_over(people[0], people[1], "known@example.org");
    charity.sync().await;
    assert_eq!(charity.status(&old), "subscribed");
    charity.assert_not_about(people[0], &old);
}
