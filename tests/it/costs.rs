//! What a small world costs, counted and not timed: requests at the source, rows written by table,
//! transactions. The numbers are in `tests/fixtures/costs.txt`; whoever changes one says why in the
//! commit that does.

use crate::backend::{Kind, kinds};
use crate::counted::{edit, ids};
use crate::site::{Site, world};
use classy_sync::entities::Entity;
use classy_sync::simulator::Kind as List;
use std::collections::BTreeMap;

/// Transactions may be a few more: the database's own housekeeping counts, too.
const OWN: i64 = 12;

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

/// One line: requests, then rows by table as inserted, updated and deleted.
async fn cost(site: &Site, step: &str, arguments: &[&str]) -> (String, i64) {
    let before = written(site).await;
    site.simulator.ledger().clear();
    site.json(arguments, 0);
    let requests = site.simulator.ledger().data_requests;
    let after = written(site).await;
    let mut line = format!("{step}: {requests} requests");
    for (table, numbers) in &after.0 {
        let rows: Vec<String> = numbers
            .iter()
            .zip(&before.0[table])
            .map(|(after, before)| (after - before).to_string())
            .collect();
        if rows.iter().any(|rows| rows != "0") {
            line.push_str(&format!(", {table} {}", rows.join("/")));
        }
    }
    (line, after.1 - before.1)
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
    let recorded: Vec<(&str, i64)> = include_str!("../fixtures/costs.txt")
        .lines()
        .filter_map(|line| {
            let (most, line) = line.split_once(" transactions, ")?;
            Some((line, most.parse().unwrap()))
        })
        .collect();
    let lines: String = told
        .iter()
        .map(|(line, commits)| format!("{commits} transactions, {line}\n"))
        .collect();
    let fits = told.len() == recorded.len()
        && told
            .iter()
            .zip(&recorded)
            .all(|((line, commits), (recorded, most))| line == recorded && *commits <= most + OWN);
    assert!(fits, "it costs now:\n{lines}");
}
