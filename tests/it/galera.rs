//! Two servers of one cluster: a holder that was replaced through the other server writes nothing,
//! whatever it was doing.

use crate::backend::Kind as Backend;
use crate::cluster::{Cluster, number};
use crate::site::{ORGANIZATION, Running, Site, world};
use classy_sync::domain::Item;
use classy_sync::entities::Supporter;
use classy_sync::simulator::Options;
use classy_sync::store::{Batch, Error};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn people(ids: std::ops::RangeInclusive<i64>) -> Batch<Supporter> {
    Batch::of(
        ids.map(|id| {
            Item::Good(Supporter {
                id,
                ..Supporter::default()
            })
        })
        .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_replaced_through_the_other_server_commits_nothing_before_it_has_heard_of_it()
 {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let (here, there) = (cluster.store(0).await, cluster.store(1).await);
    here.migrate().await.unwrap();
    let tenant = here.tenant(&here.put_organization(1, "One").await.unwrap());
    let mut fence = tenant
        .acquire("here", Duration::from_secs(60))
        .await
        .unwrap();
    tenant.commit(&fence, &people(1..=10)).await.unwrap();

    // What comes from the other server is applied in order; one change that takes long keeps all
    // later ones from being seen here.
    let (a, b) = (
        cluster.connect(0, "one").await,
        cluster.connect(1, "one").await,
    );
    a.execute_unprepared("CREATE TABLE slow (n INT) ENGINE=InnoDB")
        .await
        .unwrap();
    let elsewhere = there.tenant(&there.organization(1).await.unwrap().unwrap());
    let late = || number(&a, "SELECT CAST(epoch AS SIGNED) AS x FROM leases");
    let mut rows = 12_000;
    let theirs = loop {
        b.execute_unprepared(&format!("INSERT INTO slow SELECT seq FROM seq_1_to_{rows}"))
            .await
            .unwrap();
        while number(&a, "SELECT COUNT(*) AS x FROM slow").await
            != number(&b, "SELECT COUNT(*) AS x FROM slow").await
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        b.execute_unprepared("UPDATE slow SET n = n + 1")
            .await
            .unwrap();
        b.execute_unprepared("UPDATE leases SET expires_at = '2000-01-01 00:00:00'")
            .await
            .unwrap();
        let theirs = elsewhere
            .acquire("there", Duration::from_secs(60))
            .await
            .unwrap();
        if late().await == fence.epoch() {
            break theirs;
        }
        // It is here already: once more, with more that takes long.
        assert!(
            rows < 400_000,
            "what comes from the other server is never late"
        );
        rows *= 2;
        elsewhere.release(&theirs).await.unwrap();
        while number(&a, "SELECT COUNT(*) AS x FROM leases WHERE holder = ''").await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        fence = tenant
            .acquire("here", Duration::from_secs(60))
            .await
            .unwrap();
    };
    assert!(theirs.epoch() > fence.epoch());

    let result = tenant.commit(&fence, &people(11..=20)).await;
    assert!(
        matches!(
            result,
            Err(Error::FenceLost
                | Error::Query {
                    transient: true,
                    ..
                })
        ),
        "{result:?}"
    );
    while late().await != theirs.epoch() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for server in [&a, &b] {
        assert_eq!(
            number(server, "SELECT COUNT(*) AS x FROM supporters").await,
            10,
            "the replaced holder's page is there"
        );
    }
    // Whoever replaced it goes on; and the first one knows.
    elsewhere.commit(&theirs, &people(21..=30)).await.unwrap();
    assert!(matches!(
        tenant.commit(&fence, &people(11..=20)).await,
        Err(Error::FenceLost)
    ));
    assert!(here.check().await.unwrap().iter().all(|one| one.count == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_inside_its_transaction_and_replaced_through_the_other_server_commits_nothing_when_it_goes_on()
 {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let site = Site::new(
        Backend::Sqlite,
        Options {
            latency: Duration::from_millis(400),
            ..world(3_000, 41)
        },
    )
    .await;
    let (a, b) = (
        cluster.connect(0, "one").await,
        cluster.connect(1, "one").await,
    );
    let through = |place: usize, arguments: &[&str]| {
        let mut command = site.command(arguments);
        command
            .env("CLASSY_SYNC__DATABASE__URL", cluster.url(place))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    assert!(tokio::task::block_in_place(|| through(
        0,
        &["db", "migrate"]
    )
    .status()
    .unwrap()
    .success()));
    let mut frozen = Running(
        through(0, &["sync", "--entity", "supporters"])
            .spawn()
            .unwrap(),
    );
    let signal = |name: &str, pid: u32| {
        assert!(
            Command::new("kill")
                .args([name, &pid.to_string()])
                .status()
                .unwrap()
                .success()
        )
    };
    let until = async |what: &str, server: &DatabaseConnection, query: &str| {
        let begin = Instant::now();
        while number(server, query).await == 0 {
            assert!(begin.elapsed() < Duration::from_secs(30), "{what}");
            // InnoDB shows its transactions as they were when somebody looked first, until nobody
            // has looked for a tenth of a second.
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    };
    until(
        "nothing is stored",
        &a,
        "SELECT COUNT(*) AS x FROM supporters",
    )
    .await;
    // The next page stops at the organization's row, behind the write to the lease's.
    let lock = a.begin().await.unwrap();
    lock.execute_unprepared("SELECT id FROM organizations FOR UPDATE")
        .await
        .unwrap();
    until(
        "no page waits",
        &a,
        "SELECT COUNT(*) AS x FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
    )
    .await;
    signal("-STOP", frozen.id());
    lock.rollback().await.unwrap();
    let stored = number(&b, "SELECT COUNT(*) AS x FROM supporters").await;

    b.execute_unprepared("UPDATE leases SET expires_at = '2000-01-01 00:00:00'")
        .await
        .unwrap();
    let there = cluster.store(1).await;
    let tenant = there.tenant(&there.organization(ORGANIZATION).await.unwrap().unwrap());
    let fence = tenant
        .acquire("there", Duration::from_secs(60))
        .await
        .unwrap();
    signal("-CONT", frozen.id());
    let code = tokio::task::block_in_place(|| frozen.wait().unwrap()).code();
    assert!(
        code.is_some_and(|code| code != 0),
        "{code:?}: it believes that all is well"
    );
    assert_eq!(
        number(&b, "SELECT COUNT(*) AS x FROM supporters").await,
        stored,
        "what it had in hand was committed"
    );

    // The other one goes on from there, and all is as the source has it.
    tenant.release(&fence).await.unwrap();
    assert!(tokio::task::block_in_place(|| through(1, &["sync"])
        .status()
        .unwrap()
        .success()));
    assert_eq!(
        number(&a, "SELECT COUNT(*) AS x FROM supporters WHERE is_stub = 0").await,
        3_000
    );
    assert!(tokio::task::block_in_place(|| through(1, &["db", "check"])
        .status()
        .unwrap()
        .success()));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_migrate_through_different_servers_wait_for_each_other() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let (here, there) = (cluster.store(0).await, cluster.store(1).await);
    let (first, second) = tokio::join!(here.migrate(), there.migrate());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(
        first.is_empty() != second.is_empty(),
        "one migrates and the other finds it done: {first:?}, {second:?}"
    );
    for place in [0, 1] {
        cluster.store(place).await.require_schema().await.unwrap();
    }
}
