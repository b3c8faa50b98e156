//! A database that was restored from a backup does not know whom it subscribed since: that is told,
//! and a person takes them over.

use super::Charity;
use crate::backend::Kind;
use crate::site::world;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_subscribed_after_the_backup_is_told_of_and_can_be_adopted() {
    let charity = Charity::new(Kind::Sqlite, world(300, 770)).await;
    charity.configure();
    charity.sync().await;
    // One has tags there, and one has none.
    let givers = charity
        .site
        .numbers("SELECT id AS n FROM supporters WHERE lifetime_donation_count > 0")
        .await;
    let refusers = charity.all_refusers();
    let one = |gives: bool| {
        refusers
            .iter()
            .copied()
            .find(|id| givers.contains(id) == gives)
    };
    let (refuser, without_gifts) = (one(true).unwrap(), one(false).unwrap());
    let file = charity.site.path().join("test.db");
    let backup = charity.site.path().join("backup.db");
    charity
        .site
        .execute(&format!("VACUUM INTO '{}'", backup.display()))
        .await;
    for person in [refuser, without_gifts] {
        charity.opt(person, true);
    }
    charity.sync().await;
    let emails = [refuser, without_gifts].map(|id| charity.email(id));
    for email in &emails {
        assert_eq!(charity.status(email), "subscribed");
    }
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        let _ = std::fs::remove_file(charity.site.path().join(name));
    }
    std::fs::rename(&backup, &file).unwrap();
    for person in [refuser, without_gifts] {
        charity.opt(person, false);
    }
    let synced = charity.site.json(&["sync"], 0);
    let list = charity.site.json(&["plugin", "list"], 0).to_string();
    assert!(
        list.contains("restored from a backup") && list.contains("did not put there: 2"),
        "{list}: {synced}"
    );
    charity
        .site
        .json(&["plugin", "adopt", "--org", "10001", "--yes"], 0);
    charity.site.json(&["sync"], 0);
    for email in &emails {
        assert_eq!(charity.status(email), "unsubscribed");
    }
    let list = charity.site.json(&["plugin", "list"], 0).to_string();
    assert!(!list.contains("restored from a backup"), "{list}");
}
