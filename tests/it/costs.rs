//! What a small world costs, counted and not timed: requests at the source, rows written by table and
//! transactions on PostgreSQL, statements and bytes on MariaDB. The numbers are in
//! `tests/fixtures/costs.txt` and `costs_mariadb.txt`; whoever changes one says why in the commit
//! that does.

use crate::backend::{Kind, kinds};
use crate::counted::{edit, ids};
use crate::site::{Site, world};
use classy_sync::entities::Entity;
use classy_sync::simulator::Kind as List;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;

/// PostgreSQL counts for each table what was inserted, updated and deleted, and for the database
/// what was committed.
async fn written(site: &Site) -> (BTreeMap<&'static str, Vec<i64>>, i64) {
    // A session's numbers are there when it has ended.
    let others = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                  AND backend_type = 'client backend'";
    while site.number(others).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut tables = BTreeMap::new();
    for entity in Entity::ALL {
        let counters = ["n_tup_ins", "n_tup_upd", "n_tup_del"].map(|counter| {
            format!(
                "SELECT {counter} AS n FROM pg_stat_user_tables WHERE relname = '{}'",
                entity.as_str()
            )
        });
        let numbers = site.numbers(&counters.join(" UNION ALL ")).await;
        tables.insert(entity.as_str(), numbers);
    }
    let commits =
        "SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()";
    (tables, site.number(commits).await)
}

/// What a step cost: requests, transactions, and in one line the rows by table as inserted, updated
/// and deleted.
async fn cost(site: &Site, step: &str, arguments: &[&str]) -> (u64, i64, String) {
    let before = written(site).await;
    site.simulator.ledger().clear();
    site.json(arguments, 0);
    let requests = site.simulator.ledger().data_requests;
    let after = written(site).await;
    let mut line = format!("{step}:");
    for (table, numbers) in &after.0 {
        let rows: Vec<String> = numbers
            .iter()
            .zip(&before.0[table])
            .map(|(after, before)| (after - before).to_string())
            .collect();
        if rows.iter().any(|rows| rows != "0") {
            line.push_str(&format!(" {table} {}", rows.join("/")));
        }
    }
    (requests, after.1 - before.1, line)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_world_costs_what_is_written_down() {
    if !kinds().contains(&Kind::Postgres) {
        return;
    }
    let site = Site::new(Kind::Postgres, world(300, 98)).await;
    assert!(site.run(&["db", "migrate"]).status.success());
    let mut told = Vec::new();
    told.push(cost(&site, "first load", &["sync"]).await);
    told.push(cost(&site, "nothing changed", &["sync"]).await);
    let somebody = ids(&site, List::Supporters)[20];
    edit(&site, List::Supporters, somebody, "Elsewhere");
    told.push(cost(&site, "one supporter changed", &["sync"]).await);
    told.push(cost(&site, "full reading, nothing new", &["sync", "--full"]).await);
    // Rows are exact. How many pages are asked for twice, and how often the database keeps house,
    // is a matter of moments: of these the most is written down.
    let fits = |(requests, commits, line): &(u64, i64, String)| {
        let recorded = include_str!("../fixtures/costs.txt").lines();
        recorded
            .filter_map(|text| {
                let (most, rows) = text.split_once(" transactions, ")?;
                let (most_requests, most_commits) = most.split_once(" requests, ")?;
                Some((
                    most_requests.parse::<u64>().unwrap(),
                    most_commits.parse::<i64>().unwrap(),
                    rows,
                ))
            })
            .any(|(most_requests, most_commits, rows)| {
                rows == line && *requests <= most_requests && *commits <= most_commits
            })
    };
    let all = told.iter().map(|(requests, commits, line)| {
        format!("{requests} requests, {commits} transactions, {line}\n")
    });
    let all: String = all.collect();
    assert!(told.iter().all(fits), "it costs now:\n{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_does_not_read_what_is_stored_again_for_every_batch() {
    if !kinds().contains(&Kind::Postgres) {
        return;
    }
    let site = Site::new(Kind::Postgres, world(12_000, 99)).await;
    site.json(&["sync", "--no-plugins"], 0);
    written(&site).await;
    for entity in [Entity::Supporters, Entity::Transactions] {
        let read = format!(
            "SELECT seq_tup_read AS n FROM pg_stat_user_tables WHERE relname = '{}'",
            entity.as_str()
        );
        let (read, rows) = (
            site.number(&read).await,
            site.count(entity.as_str()).await.unwrap(),
        );
        // Counting and statistics read them a few times at the end. Half of all rows for each of the
        // batches of 2,000 would be far more.
        let batches = rows / 2_000;
        assert!(batches >= 6, "{batches}");
        assert!(
            read <= 2 * rows,
            "{entity}: {read} rows were read by walking the table, which has {rows}"
        );
    }
}

/// MariaDB counts for each user what was asked, and the bytes that went either way.
struct Asker {
    admin: DatabaseConnection,
    user: String,
}

impl Asker {
    /// A user of the site's database by whose name alone the program comes there.
    async fn of(site: &Site) -> Asker {
        let admin = site.database.connect().await;
        let database = site.database.url.rsplit('/').next().unwrap();
        let user = format!("{database}_costs");
        for statement in [
            "SET GLOBAL userstat = 1".to_owned(),
            format!("CREATE USER {user}@'%' IDENTIFIED BY ''"),
            format!("GRANT ALL ON {database}.* TO {user}@'%'"),
        ] {
            admin.execute_unprepared(&statement).await.unwrap();
        }
        let main = site.path().join("classy-sync.toml");
        let text = std::fs::read_to_string(&main).unwrap();
        let (server, place) = site.database.url.split_once('@').unwrap();
        let (scheme, _) = server.split_once("://").unwrap();
        let url = format!("{scheme}://{user}@{place}");
        assert!(text.contains(&site.database.url), "{text}");
        std::fs::write(&main, text.replace(&site.database.url, &url)).unwrap();
        Asker { admin, user }
    }

    /// Statements and bytes so far.
    async fn numbers(&self) -> [i64; 2] {
        // A session is counted until it has ended.
        let sessions = format!(
            "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = '{}'",
            self.user
        );
        while self.number(&sessions).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let of = |columns: &str| {
            format!(
                "SELECT CAST(COALESCE(SUM({columns}), 0) AS SIGNED) AS n FROM information_schema.USER_STATISTICS WHERE USER = '{}'",
                self.user
            )
        };
        [
            self.number(&of("SELECT_COMMANDS + UPDATE_COMMANDS + OTHER_COMMANDS"))
                .await,
            self.number(&of("BYTES_RECEIVED + BYTES_SENT")).await,
        ]
    }

    async fn number(&self, text: &str) -> i64 {
        let row = self
            .admin
            .query_one_raw(Statement::from_string(DbBackend::MySql, text))
            .await
            .unwrap()
            .unwrap();
        row.try_get("", "n").unwrap()
    }

    async fn leave(self) {
        let text = format!("DROP USER {}@'%'", self.user);
        self.admin.execute_unprepared(&text).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_world_asks_the_database_what_is_written_down() {
    if !kinds().contains(&Kind::MySql) {
        return;
    }
    let site = Site::new(Kind::MySql, world(300, 98)).await;
    assert!(site.run(&["db", "migrate"]).status.success());
    let asker = Asker::of(&site).await;
    let somebody = ids(&site, List::Supporters)[20];
    let mut told = String::new();
    let mut is_as_recorded = true;
    for (step, arguments) in [
        ("first load", &["sync"][..]),
        ("nothing changed", &["sync"]),
        ("one supporter changed", &["sync"]),
        ("full reading, nothing new", &["sync", "--full"]),
    ] {
        if step.starts_with("one") {
            edit(&site, List::Supporters, somebody, "Elsewhere");
        }
        let before = asker.numbers().await;
        site.json(arguments, 0);
        let after = asker.numbers().await;
        let (statements, kib) = (after[0] - before[0], (after[1] - before[1]) / 1024);
        told.push_str(&format!("{statements} statements, {kib} KiB, {step}\n"));
        // How many pages are asked for twice is a matter of moments: the most is written down, and
        // far less than that is not the program that was counted.
        let recorded = include_str!("../fixtures/costs_mariadb.txt").lines();
        is_as_recorded &= recorded
            .filter_map(|line| line.split_once(" statements, "))
            .filter_map(|(most, rest)| Some((most, rest.split_once(" KiB, ")?)))
            .any(|(most, (most_kib, name))| {
                let (most, most_kib): (i64, i64) =
                    (most.parse().unwrap(), most_kib.parse().unwrap());
                name == step
                    && (most / 3..=most).contains(&statements)
                    && (most_kib / 3..=most_kib).contains(&kib)
            });
    }
    asker.leave().await;
    assert!(is_as_recorded, "it costs now:\n{told}");
}
