//! One writer an organization: a lost lease cannot write, a dead predecessor is replaced at once,
//! two processes never overlap.

use crate::backend::{Fresh, kinds};
use classy_sync::domain::Item;
use classy_sync::entities::Supporter;
use classy_sync::store::{Batch, Error, Settings, Store};
use std::time::Duration;

async fn store(fresh: &Fresh) -> Store {
    let store = Store::connect(&Settings {
        url: fresh.url.clone().into(),
        max_connections: 4,
    })
    .await
    .unwrap();
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
        let batch = || {
            Batch::of(vec![Item::Good(Supporter {
                id: 7,
                ..Supporter::default()
            })])
        };
        tenant.commit(&first, &batch()).await.unwrap();
        assert!(
            matches!(tenant.acquire("host-b:pid", long).await, Err(Error::LeaseHeld { holder, .. }) if holder == "host-a:pid")
        );
        // The same host and pid file: the predecessor is dead, or it would have the pid file's
        // lock.
        let second = tenant.acquire("host-a:pid", long).await.unwrap();
        assert!(second.epoch() > first.epoch());
        let late = Batch::of(vec![Item::Good(Supporter {
            id: 8,
            ..Supporter::default()
        })]);
        assert!(matches!(
            tenant.commit(&first, &late).await,
            Err(Error::FenceLost)
        ));
        assert!(matches!(
            tenant.renew(&first, long).await,
            Err(Error::FenceLost)
        ));
        assert_eq!(
            tenant
                .count(classy_sync::entities::Entity::Supporters)
                .await
                .unwrap(),
            1
        );
        // Given back, it is free for anybody.
        tenant.release(&second).await.unwrap();
        let third = tenant.acquire("host-b:pid", long).await.unwrap();
        tenant.commit(&third, &late).await.unwrap();
        assert_eq!(
            tenant
                .count(classy_sync::entities::Entity::Supporters)
                .await
                .unwrap(),
            2
        );
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_one_pid_file_is_told_who_is_at_work() {
    use crate::site::{Site, world};
    let site = Site::new(crate::backend::Kind::Sqlite, world(5, 40)).await;
    let lock = classy_sync::daemon::PidFile::lock(
        &site.path().join("classy-sync.pid"),
        classy_sync::daemon::Holder::Command("test"),
    )
    .unwrap();
    let output = site.run(&["sync"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(75), "{text}");
    assert!(
        text.contains(&format!("process {}", std::process::id())) && text.contains("hint:"),
        "{text}"
    );
    drop(lock);
    site.sync();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_organizations_and_take_over_what_a_dead_one_left() {
    let long = Duration::from_secs(60);
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = store(&fresh).await;
        for id in 1..=3 {
            store.put_organization(id, "Some").await.unwrap();
        }
        let tenant = async |id: i64| store.tenant(&store.organization(id).await.unwrap().unwrap());
        let ids = |held: &[(i64, classy_sync::store::Fence)]| {
            held.iter().map(|(id, _)| *id).collect::<Vec<_>>()
        };
        assert_eq!(store.attend("a", long).await.unwrap().0, ["a"]);
        let held = store.take_leases("a", long, &[1, 2, 3]).await.unwrap();
        assert_eq!(ids(&held), [1, 2, 3]);
        let (there, _) = store.attend("b", long).await.unwrap();
        assert_eq!(there, ["a", "b"]);
        assert!(
            store
                .take_leases("b", long, &[1, 2, 3])
                .await
                .unwrap()
                .is_empty(),
            "they are held"
        );
        // Given back, it goes to whoever takes it, and does not come back by being renewed.
        tenant(2).await.release(&held[1].1).await.unwrap();
        assert_eq!(ids(&store.attend("a", long).await.unwrap().1), [1, 3]);
        let taken = store.take_leases("b", long, &[1, 2, 3]).await.unwrap();
        assert_eq!(ids(&taken), [2]);
        assert!(taken[0].1.epoch() > held[1].1.epoch());
        // One that is dead renews nothing any more; what it still believes to hold is worth
        // nothing.
        store.attend("a", Duration::ZERO).await.unwrap();
        assert_eq!(store.attend("b", long).await.unwrap().0, ["b"]);
        assert_eq!(
            ids(&store.take_leases("b", long, &[1, 3]).await.unwrap()),
            [1, 3]
        );
        let ghost = tenant(1).await;
        let batch = Batch::of(vec![Item::Good(Supporter {
            id: 7,
            ..Supporter::default()
        })]);
        assert!(matches!(
            ghost.commit(&held[0].1, &batch).await,
            Err(Error::FenceLost)
        ));
        let (entity, mode) = (
            classy_sync::entities::Entity::Supporters,
            classy_sync::domain::Mode::Full,
        );
        assert!(matches!(
            ghost.start_run(&held[0].1, entity, mode, "test").await,
            Err(Error::FenceLost)
        ));
        let times = classy_sync::store::FeedTimes {
            next_run_at: Some(chrono::Utc::now()),
            window_at: None,
        };
        ghost
            .set_feed_times(&held[0].1, entity, times)
            .await
            .unwrap();
        // A name that is used again takes its own leases over, with new numbers.
        let again = store.take_leases("b", long, &[1, 2, 3]).await.unwrap();
        assert!(again.iter().all(|(_, fence)| fence.epoch() > 1));
        store.leave("b").await.unwrap();
        assert_eq!(
            ids(&store.take_leases("c", long, &[1, 2, 3]).await.unwrap()),
            [1, 2, 3]
        );
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_s_plan_survives_and_needs_the_lease() {
    use classy_sync::domain::FeedState;
    use classy_sync::entities::Entity;
    use classy_sync::store::FeedTimes;
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = store(&fresh).await;
        let tenant = store.tenant(&store.put_organization(1, "One").await.unwrap());
        let fence = tenant.acquire("a", Duration::from_secs(60)).await.unwrap();
        let entity = Entity::Transactions;
        assert_eq!(
            tenant.feed_times(entity).await.unwrap(),
            FeedTimes::default()
        );
        let at =
            |seconds: i64| classy_sync::domain::Time::from_timestamp(1_700_000_000 + seconds, 0);
        let first = FeedTimes {
            next_run_at: at(1),
            window_at: None,
        };
        let second = FeedTimes {
            next_run_at: at(2),
            window_at: at(3),
        };
        for times in [first, second] {
            tenant.set_feed_times(&fence, entity, times).await.unwrap();
            assert_eq!(tenant.feed_times(entity).await.unwrap(), times, "{kind:?}");
        }
        assert_eq!(
            tenant.feed_state(entity).await.unwrap(),
            FeedState::default(),
            "a plan is no progress"
        );
        tenant.acquire("a", Duration::from_secs(60)).await.unwrap();
        tenant.set_feed_times(&fence, entity, first).await.unwrap();
        assert_eq!(
            tenant.feed_times(entity).await.unwrap(),
            second,
            "{kind:?}: the old number plans nothing"
        );
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_cannot_write_its_lease_is_failing_and_refuses_orders_until_it_can() {
    use crate::alerting::{LONG, verdict};
    use crate::backend::Kind;
    use crate::site::{Site, world};
    use crate::web::{Daemon, until};
    let site = Site::new(Kind::Sqlite, world(20, 41)).await;
    site.sync();
    let tables = ["daemons", "leases"];
    for table in tables {
        for verb in ["INSERT", "UPDATE"] {
            let full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
            site.execute(&format!(
                "CREATE TRIGGER full_{table}_{verb} BEFORE {verb} ON {table} {full}"
            ))
            .await;
        }
    }
    let daemon = Daemon::start(&site, "").await;
    until("it is failing", LONG, async || {
        verdict(&daemon).await == "failing"
    })
    .await;
    let health = String::from_utf8(site.run(&["health"]).stdout).unwrap();
    assert!(
        health.contains("lease cannot be taken") && health.contains("refused it (code 1811)"),
        "{health}"
    );
    let status = site.json(&["status"], 0);
    assert_eq!(
        status["organizations"][0]["condition"], "broken",
        "{status}"
    );
    let output = site.run(&["sync"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(65) && said.contains("refused it (code 1811)"),
        "{:?} {said}",
        output.status
    );
    until("the database is told of", LONG, async || {
        let health = String::from_utf8(site.run(&["health"]).stdout).unwrap();
        health.contains("nothing could be written for")
    })
    .await;
    for table in tables {
        for verb in ["INSERT", "UPDATE"] {
            site.execute(&format!("DROP TRIGGER full_{table}_{verb}"))
                .await;
        }
    }
    until("it serves", LONG, async || {
        site.json(&["status"], 0)["organizations"][0]["condition"] == "serving"
    })
    .await;
    until("all is well", LONG, async || verdict(&daemon).await == "ok").await;
    assert_eq!(site.run(&["sync"]).status.code(), Some(0));
}
