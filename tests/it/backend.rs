//! A database of its own for each test: always SQLite; PostgreSQL and MySQL where their addresses
//! are given.

use classy_sync::store::{Settings, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::path::Path;

/// Which databases tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// A fresh database, dropped at the end.
pub struct Fresh {
    pub kind: Kind,
    pub url: String,
    admin: Option<(String, String)>,
}

/// Those that are there. The others are named aloud; where they are required, that is a failure.
pub fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::Sqlite];
    for (kind, variable) in [
        (Kind::Postgres, "CLASSY_SYNC_TEST_POSTGRES_URL"),
        (Kind::MySql, "CLASSY_SYNC_TEST_MYSQL_URL"),
    ] {
        if std::env::var(variable).is_ok() {
            kinds.push(kind);
        } else {
            assert!(
                std::env::var("CLASSY_SYNC_TEST_REQUIRE_SERVERS").is_err(),
                "{variable} is not set, and servers are required"
            );
            eprintln!("skipped on {kind:?}: {variable} is not set");
        }
    }
    kinds
}

impl Fresh {
    pub async fn new(kind: Kind, folder: &Path) -> Fresh {
        let name = format!("cs_{}_{:08x}", std::process::id(), rand::random::<u32>());
        let variable = match kind {
            Kind::Sqlite => {
                return Fresh {
                    kind,
                    url: format!("sqlite://{}", folder.join("test.db").display()),
                    admin: None,
                };
            }
            Kind::Postgres => "CLASSY_SYNC_TEST_POSTGRES_URL",
            Kind::MySql => "CLASSY_SYNC_TEST_MYSQL_URL",
        };
        let admin = std::env::var(variable).unwrap();
        let connection = Database::connect(&admin).await.unwrap();
        // A server whose character set is whatever somebody once chose.
        let set = if kind == Kind::MySql {
            " CHARACTER SET latin1"
        } else {
            ""
        };
        connection
            .execute_unprepared(&format!("CREATE DATABASE {name}{set}"))
            .await
            .unwrap();
        connection.close().await.unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        Fresh {
            kind,
            url: format!("{server}/{name}"),
            admin: Some((admin, name)),
        }
    }

    /// One that is there, and stays.
    pub const fn there(kind: Kind, url: String) -> Fresh {
        Fresh {
            kind,
            url,
            admin: None,
        }
    }

    pub async fn connect(&self) -> DatabaseConnection {
        let create = if self.kind == Kind::Sqlite {
            "?mode=rwc"
        } else {
            ""
        };
        let mut options = sea_orm::ConnectOptions::new(format!("{}{create}", self.url));
        options.max_connections(2).sqlx_logging(false);
        // A busy server turns somebody away now and then.
        for _ in 0..20 {
            if let Ok(connection) = Database::connect(options.clone()).await {
                return connection;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        Database::connect(options).await.unwrap()
    }

    /// A column as text, whatever its type.
    pub fn text(&self, column: &str) -> String {
        match self.kind {
            Kind::MySql => format!("CAST({column} AS CHAR)"),
            _ => format!("CAST({column} AS TEXT)"),
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let Some((admin, name)) = self.admin.take() else {
            return;
        };
        let force = if self.kind == Kind::Postgres {
            " WITH (FORCE)"
        } else {
            ""
        };
        let drop = format!("DROP DATABASE IF EXISTS {name}{force}");
        // On a thread and runtime of its own: a test's may be ending.
        let _ = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                if let Ok(connection) = Database::connect(&admin).await {
                    let _ = connection.execute_unprepared(&drop).await;
                }
            });
        })
        .join();
    }
}

pub async fn store(fresh: &Fresh) -> Store {
    Store::connect(&Settings {
        url: fresh.url.clone().into(),
        max_connections: 4,
    })
    .await
    .unwrap()
}
