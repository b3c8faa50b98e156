//! Somebody who had themselves erased is not made anew.

use super::{Charity, in_days};
use crate::backend::Kind;
use crate::site::world;
use classy_sync::simulator::Act;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_renamed_and_erased_between_two_looks_is_not_made_anew() {
    let charity = Charity::new(Kind::Sqlite, world(60, 148)).await;
    charity.sync().await;
    let person = charity.givers(1).await[0];
    let email = charity.email(person);
    charity.act(Act::Rename {
        email: email.clone(),
        to: "renamed@example.org".to_owned(),
    });
    charity.act(Act::Erase("renamed@example.org".to_owned()));
    charity.sync().await;
    // With the next whole reading it is found that no list shows them.
    charity.deliver_at(in_days(8)).await.unwrap();
    charity.give(person, "40000");
    charity.read();
    charity.deliver_at(in_days(9)).await.unwrap();
    assert_eq!(charity.status(&email), "nobody");
    assert!(
        charity.fate(person).await.contains("erased"),
        "{}",
        charity.fate(person).await
    );
    charity.assert_harmless();
}
