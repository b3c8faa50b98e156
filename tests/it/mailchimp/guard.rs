//! No large harm in one step: it is held as a whole until a person approves it, and everything else goes on.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use classy_sync::domain::{Harm, Harms};

async fn approve(charity: &Charity, kind: Harm, count: u64) {
    let mut harms = Harms::default();
    harms.add(kind, count);
    let (store, tenant) = charity.store().await;
    tenant.approve(&charity.ledger_key(), &harms).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_opt_out_is_held_until_it_is_approved() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(160, 120)).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(60).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        for id in &people {
            charity.opt(*id, false);
        }
        let done = charity.sync().await;
        assert_eq!((done.held, charity.harm().unsubscriptions.len()), (60, 0));
        assert!(charity.fate(people[0]).await.contains("waits for approval"), "{}", charity.fate(people[0]).await);
        // It stays so by itself.
        assert_eq!(charity.sync().await.held, 60);
        approve(&charity, Harm::Unsubscribe, 40).await;
        let done = charity.sync().await;
        assert_eq!((done.held, charity.harm().unsubscriptions.len()), (20, 40));
        approve(&charity, Harm::Unsubscribe, 40).await;
        charity.sync().await;
        assert!(emails.iter().all(|email| charity.status(email) == "unsubscribed"));
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_other_names_is_held_and_their_gifts_are_told_all_the_same() {
    let charity = Charity::new(Kind::Sqlite, world(250, 121)).await;
    charity.sync().await;
    let people = charity.givers(60).await;
    for id in &people {
        charity.edit(*id, "first_name", "\"Blank\"");
        charity.give(*id, "40000");
    }
    charity.forget_calls();
    let done = charity.sync().await;
    assert_eq!(done.held, 60, "{done:?}");
    charity.assert_complete(&[]).await;
    assert!(people.iter().all(|id| charity.field(&charity.email(*id), "FNAME") != "Blank"));
    // What was held is looked at each time, and nothing is sent for it.
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(charity.harm().writes.len(), 0);
    approve(&charity, Harm::Rename, 60).await;
    assert_eq!(charity.sync().await.held, 0);
    assert!(people.iter().all(|id| charity.field(&charity.email(*id), "FNAME") == "Blank"));
}

#[tokio::test(flavor = "multi_thread")]
async fn few_go_unasked() {
    let charity = Charity::new(Kind::Sqlite, world(80, 122)).await;
    charity.sync().await;
    let people = charity.givers(5).await;
    for id in &people {
        charity.opt(*id, false);
    }
    assert_eq!(charity.sync().await.held, 0);
    assert_eq!(charity.harm().unsubscriptions.len(), 5);
}
