//! One writer an organization: a lost lease cannot write, a dead predecessor is replaced at once, two processes never overlap.

use crate::backend::{Fresh, kinds};
use classy_sync::domain::{Item, Supporter};
use classy_sync::store::{Batch, Error, Settings, Store};
use std::time::Duration;

async fn store(fresh: &Fresh) -> Store {
    let store = Store::connect(&Settings { url: fresh.url.clone().into(), max_connections: 4 }).await.unwrap();
    store.migrate().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_lease_writes_nothing() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = store(&fresh).await;
        let tenant = store.tenant(&store.put_organization(1, "One").await.unwrap());
        let long = Duration::from_secs(60);
        let first = tenant.acquire("host-a:pid", long).await.unwrap();
        let batch = || Batch::of(vec![Item::Good(Supporter { id: 7, ..Supporter::default() })]);
        tenant.commit(&first, &batch()).await.unwrap();
        assert!(matches!(tenant.acquire("host-b:pid", long).await, Err(Error::LeaseHeld { holder, .. }) if holder == "host-a:pid"));
        // The same host and pid file: the predecessor is dead, or it would have the pid file's lock.
        let second = tenant.acquire("host-a:pid", long).await.unwrap();
        assert!(second.epoch() > first.epoch());
        let late = Batch::of(vec![Item::Good(Supporter { id: 8, ..Supporter::default() })]);
        assert!(matches!(tenant.commit(&first, &late).await, Err(Error::FenceLost)));
        assert!(matches!(tenant.renew(&first, long).await, Err(Error::FenceLost)));
        assert_eq!(tenant.count(classy_sync::domain::Entity::Supporters).await.unwrap(), 1);
        // Given back, it is free for anybody.
        tenant.release(&second).await.unwrap();
        let third = tenant.acquire("host-b:pid", long).await.unwrap();
        tenant.commit(&third, &late).await.unwrap();
        assert_eq!(tenant.count(classy_sync::domain::Entity::Supporters).await.unwrap(), 2);
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_one_pid_file_is_told_who_is_at_work() {
    use crate::site::{Site, world};
    let site = Site::new(crate::backend::Kind::Sqlite, world(5, 40)).await;
    let lock = classy_sync::daemon::PidFile::lock(&site.path().join("classy-sync.pid")).unwrap();
    let output = site.run(&["sync"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())) && text.contains("hint:"), "{text}");
    drop(lock);
    site.sync();
}
