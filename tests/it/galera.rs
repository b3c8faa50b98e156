//! Two servers of one cluster: a holder that was replaced through the other server writes nothing,
//! whatever it was doing.

use crate::backend::Kind as Backend;
use crate::mariadb;
use crate::site::{ORGANIZATION, Running, Site, world};
use classy_sync::domain::Item;
use classy_sync::entities::Supporter;
use classy_sync::simulator::Options;
use classy_sync::store::{Batch, Error, Settings, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, TransactionTrait};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";

/// Servers in a folder of their own, ended with this value.
struct Cluster {
    servers: Vec<Child>,
    ports: [u16; 2],
    _folder: tempfile::TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn free_ports() -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..8)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect()
}

fn server(folder: &Path, user: Option<&str>, name: &str, ports: &[u16], cluster: &str) -> Child {
    let (port, [group, increments, state]) = (ports[0], [ports[1], ports[2], ports[3]]);
    let mut command = mariadb::server(folder, user, name, port);
    if cluster == "gcomm://" {
        command.arg("--wsrep-new-cluster");
    }
    command
        .args(["--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON"])
        .args([
            format!("--wsrep-provider={PROVIDER}"),
            "--wsrep-cluster-name=classy-sync".to_owned(),
            format!("--wsrep-cluster-address={cluster}"),
        ])
        .args([format!("--wsrep-node-address=127.0.0.1:{group}"), format!("--wsrep-sst-receive-address=127.0.0.1:{state}")])
        .arg("--wsrep-sst-method=rsync")
        .arg(format!(
            "--wsrep-provider-options=base_host=127.0.0.1;base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};\
             ist.recv_addr=127.0.0.1:{increments};gcache.size=32M"
        ))
        .spawn()
        .unwrap()
}

async fn connect(port: u16, database: &str) -> Option<DatabaseConnection> {
    let mut options =
        sea_orm::ConnectOptions::new(format!("mysql://root@127.0.0.1:{port}/{database}"));
    options
        .max_connections(2)
        .sqlx_logging(false)
        .acquire_timeout(Duration::from_secs(3));
    Database::connect(options).await.ok()
}

async fn text(connection: &DatabaseConnection, query: &str) -> String {
    let row = connection
        .query_one_raw(Statement::from_string(
            connection.get_database_backend(),
            query,
        ))
        .await
        .unwrap()
        .unwrap();
    row.try_get::<String>("", "x").unwrap()
}

async fn number(connection: &DatabaseConnection, query: &str) -> i64 {
    let row = connection
        .query_one_raw(Statement::from_string(
            connection.get_database_backend(),
            query,
        ))
        .await
        .unwrap()
        .unwrap();
    row.try_get::<i64>("", "x").unwrap()
}

impl Cluster {
    /// None where there is no Galera; where servers are required, that is a failure.
    async fn start() -> Option<Cluster> {
        if !Path::new(PROVIDER).exists() {
            assert!(
                std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
                "{PROVIDER} is not there, and servers are required"
            );
            eprintln!("skipped: {PROVIDER} is not there (Debian's package galera-4)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // The copy of the first server's files is written by a child that gives up root's rights.
        let user = mariadb::user(folder.path());
        let ports = free_ports();
        let mut cluster = Cluster {
            servers: Vec::new(),
            ports: [ports[0], ports[4]],
            _folder: folder,
        };
        let folder = cluster._folder.path().to_owned();
        for (name, ports, address) in [
            ("a", &ports[..4], "gcomm://".to_owned()),
            ("b", &ports[4..], format!("gcomm://127.0.0.1:{}", ports[1])),
        ] {
            cluster
                .servers
                .push(server(&folder, user, name, ports, &address));
            let begin = Instant::now();
            loop {
                if let Some(connection) = connect(ports[0], "mysql").await
                    && text(
                        &connection,
                        "SELECT VARIABLE_VALUE AS x FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_ready'",
                    )
                    .await
                        == "ON"
                {
                    break;
                }
                let log = || std::fs::read_to_string(folder.join(format!("{name}.log"))).unwrap();
                assert!(
                    begin.elapsed() < Duration::from_secs(120),
                    "server {name} does not come up:\n{}",
                    log()
                );
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        let first = cluster.connect(0, "mysql").await;
        first
            .execute_unprepared("CREATE DATABASE one")
            .await
            .unwrap();
        Some(cluster)
    }

    fn url(&self, place: usize) -> String {
        format!("mysql://root@127.0.0.1:{}/one", self.ports[place])
    }

    async fn connect(&self, place: usize, database: &str) -> DatabaseConnection {
        connect(self.ports[place], database).await.unwrap()
    }

    async fn store(&self, place: usize) -> Store {
        Store::connect(&Settings {
            url: self.url(place).into(),
            max_connections: 4,
        })
        .await
        .unwrap()
    }
}

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
