//! A bounce says that an address is bad, and nothing of whoever has it: nobody is put at that
//! address again, and they are welcome at another one. Whoever also said no, or complained, left.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::simulator::Act;

impl Charity {
    /// Each of these gets another address at Classy.
    fn move_all(&self, people: &[i64]) -> Vec<String> {
        let one = |(number, id): (usize, &i64)| {
            let email = format!("good{number}@example.org");
            self.edit(*id, "email_address", &format!("{email:?}"));
            email
        };
        people.iter().enumerate().map(one).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_bounced_is_subscribed_at_another_address_and_whoever_left_is_not() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(80, 440)).await;
        charity.sync().await;
        let people = charity.givers(7).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::Clean(emails[0].clone()));
        charity.act(Act::Complain(emails[1].clone()));
        // One said no before their address bounced, once seen in between and once not; one was
        // archived.
        for way in [
            Act::Unsubscribe(emails[2].clone()),
            Act::Archive(emails[3].clone()),
        ] {
            charity.act(way);
        }
        charity.sync().await;
        charity.act(Act::Unsubscribe(emails[4].clone()));
        for email in &emails[2..5] {
            charity.act(Act::Clean(email.clone()));
        }
        // And one whose address bounced first was archived then.
        charity.act(Act::Clean(emails[5].clone()));
        charity.sync().await;
        charity.act(Act::Archive(emails[5].clone()));
        charity.sync().await;
        assert!(
            charity
                .fate(people[0])
                .await
                .contains("bounced in Mailchimp"),
            "{}",
            charity.fate(people[0]).await
        );
        let moved = charity.move_all(&people[..6]);
        // Somebody else gets the address that bounced.
        charity.edit(people[6], "email_address", &format!("{:?}", emails[0]));
        charity.sync().await;
        let statuses: Vec<&str> = moved.iter().map(|email| charity.status(email)).collect();
        assert_eq!(
            statuses,
            [
                "subscribed",
                "nobody",
                "nobody",
                "nobody",
                "nobody",
                "nobody"
            ],
            "{kind:?}"
        );
        assert_eq!(charity.status(&emails[0]), "cleaned");
        assert!(
            charity
                .fate(people[6])
                .await
                .contains("bounced in Mailchimp"),
            "{}",
            charity.fate(people[6]).await
        );
        // They opt out, and are taken off where they are.
        charity.opt(people[0], false);
        charity.sync().await;
        assert_eq!(charity.status(&moved[0]), "unsubscribed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_bounced_is_bad_in_every_audience_and_its_holder_is_not() {
    let (mut charity, audiences) = three(Kind::Sqlite, 441).await;
    charity.sync().await;
    let people = charity.givers(3).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    // One bounces and is seen, one bounces right before another audience is used; the third one
    // complains there.
    charity.act(Act::Clean(emails[0].clone()));
    charity.sync().await;
    charity.act(Act::Clean(emails[1].clone()));
    charity.act(Act::Complain(emails[2].clone()));
    charity.audience.clone_from(&audiences[1]);
    charity.move_in().await;
    assert!(emails.iter().all(|email| charity.status(email) == "nobody"));
    charity.assert_complete(&people).await;
    let moved = charity.move_all(&people);
    charity.sync().await;
    let statuses: Vec<&str> = moved.iter().map(|email| charity.status(email)).collect();
    assert_eq!(statuses, ["subscribed", "subscribed", "nobody"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gets_an_address_that_bounced_in_another_audience_gets_the_contact_that_works_here()
{
    let (mut charity, audiences) = three(Kind::Sqlite, 442).await;
    charity.sync().await;
    charity.audience.clone_from(&audiences[1]);
    charity.move_in().await;
    let people = charity.givers(2).await;
    let email = charity.email(people[0]);
    assert!(
        charity
            .site
            .simulator
            .mailchimp()
            .act(&audiences[0], &Act::Clean(email.clone()))
    );
    charity.sync().await;
    assert_eq!(charity.status(&email), "subscribed");
    // Its supporter moves to an address that is a contact already, so the one here stays, and is
    // somebody else's now.
    charity.act(Act::SignUp("known@example.org".to_owned()));
    charity.edit(people[0], "email_address", "\"known@example.org\"");
    charity.edit(people[1], "email_address", &format!("{email:?}"));
    charity.sync().await;
    assert_eq!(
        charity.status(&email),
        "subscribed",
        "{}",
        charity.fate(people[1]).await
    );
    assert!(
        charity.fate(people[1]).await.starts_with("delivered"),
        "{}",
        charity.fate(people[1]).await
    );
}
