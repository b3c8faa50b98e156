//! A cluster of two servers that replicate to each other, made for one test.

use crate::mariadb;
use classy_sync::store::{Settings, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

pub const PROVIDER: &str = "/usr/lib/galera/libgalera_smm.so";

/// Servers in a folder of their own, ended with this value.
pub struct Cluster {
    pub servers: Vec<Child>,
    pub ports: [u16; 2],
    pub _folder: tempfile::TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

pub fn free_ports() -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..8)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect()
}

pub fn server(
    folder: &Path,
    user: Option<&str>,
    name: &str,
    ports: &[u16],
    cluster: &str,
) -> Child {
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

pub async fn connect(port: u16, database: &str) -> Option<DatabaseConnection> {
    let mut options =
        sea_orm::ConnectOptions::new(format!("mysql://root@127.0.0.1:{port}/{database}"));
    options
        .max_connections(2)
        .sqlx_logging(false)
        .acquire_timeout(Duration::from_secs(3));
    Database::connect(options).await.ok()
}

pub async fn text(connection: &DatabaseConnection, query: &str) -> String {
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

pub async fn number(connection: &DatabaseConnection, query: &str) -> i64 {
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
    pub async fn start() -> Option<Cluster> {
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

    pub fn url(&self, place: usize) -> String {
        format!("mysql://root@127.0.0.1:{}/one", self.ports[place])
    }

    pub async fn connect(&self, place: usize, database: &str) -> DatabaseConnection {
        connect(self.ports[place], database).await.unwrap()
    }

    pub async fn store(&self, place: usize) -> Store {
        Store::connect(&Settings {
            url: self.url(place).into(),
            max_connections: 4,
        })
        .await
        .unwrap()
    }
}
