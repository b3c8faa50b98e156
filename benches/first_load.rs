//! A first load of one organization beside the floor: what the database alone takes to write the
//! same rows, 2,000 a commit, into a copy of the same table with its keys and indexes.
//!
//! `cargo bench --bench first_load -- 5000` (supporters), into SQLite, or into the empty database
//! that `CLASSY_SYNC_BENCH_DATABASE_URL` names. Prints a table, and one line of JSON for each feed.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod rig;

use classy_sync::simulator::{Options, Simulator};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::time::{Duration, Instant};

/// Rows of one commit of the floor, as the program's own batches.
const ROWS: u64 = 2_000;

const FEEDS: [&str; 4] = ["campaigns", "supporters", "recurring_plans", "transactions"];

fn main() {
    let supporters = rig::number(0, 5_000);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure(supporters));
}

async fn measure(supporters: usize) {
    let simulator = Simulator::start(Options {
        supporters,
        ..Options::default()
    })
    .await
    .unwrap();
    let given = std::env::var("CLASSY_SYNC_BENCH_DATABASE_URL").ok();
    let folder = rig::Folder::new(&simulator, given.as_deref());
    assert!(folder.run(&["db", "migrate"]).await.is_ok);
    let database = Database::connect(folder.database()).await.unwrap();
    println!(
        "{:<16} {:>8} {:>10} {:>10} {:>6} {:>9}",
        "feed", "rows", "rows/s", "floor/s", "share", "peak MiB"
    );
    for feed in FEEDS {
        let ended = folder
            .run(&["sync", "--entity", feed, "--no-plugins"])
            .await;
        let rows = count(&database, feed).await;
        let floor = floor(&database, feed).await;
        let speed = |took: Duration| rows as f64 / took.as_secs_f64();
        let (is, could_be) = (speed(ended.took), speed(floor));
        let (share, peak) = (is / could_be, ended.peak_mib);
        println!("{feed:<16} {rows:>8} {is:>10.0} {could_be:>10.0} {share:>6.2} {peak:>9.0}");
        println!(
            "{{\"bench\":\"first_load\",\"backend\":\"{:?}\",\"feed\":\"{feed}\",\"rows\":{rows},\"rows_per_s\":{is:.0},\
             \"floor_rows_per_s\":{could_be:.0},\"share\":{share:.3},\"peak_mib\":{peak:.0}}}",
            database.get_database_backend()
        );
    }
}

async fn count(database: &DatabaseConnection, table: &str) -> u64 {
    let text = format!("SELECT COUNT(*) AS n FROM {table}");
    let row = Statement::from_string(database.get_database_backend(), text);
    let row = database.query_one_raw(row).await.unwrap().unwrap();
    row.try_get::<i64>("", "n").unwrap() as u64
}

/// How long the database takes to copy the table, with an index for each of its own.
async fn floor(database: &DatabaseConnection, table: &str) -> Duration {
    let backend = database.get_database_backend();
    let copy = format!("floor_{table}");
    let run = async |text: String| database.execute_unprepared(&text).await.unwrap();
    run(format!("DROP TABLE IF EXISTS {copy}")).await;
    for text in clone_of(database, table, &copy).await {
        run(text).await;
    }
    let ids = format!("SELECT id FROM {table} ORDER BY id");
    let ids = database
        .query_all_raw(Statement::from_string(backend, ids))
        .await
        .unwrap();
    let ids: Vec<i64> = ids
        .iter()
        .map(|row| row.try_get("", "id").unwrap())
        .collect();
    let begin = Instant::now();
    for batch in ids.chunks(ROWS as usize) {
        let (first, last) = (batch[0], batch[batch.len() - 1]);
        run(format!(
            "INSERT INTO {copy} SELECT * FROM {table} WHERE id BETWEEN {first} AND {last}"
        ))
        .await;
    }
    let took = begin.elapsed();
    run(format!("DROP TABLE {copy}")).await;
    took
}

/// The statements that make an empty copy of a table with its keys and indexes.
async fn clone_of(database: &DatabaseConnection, table: &str, copy: &str) -> Vec<String> {
    let backend = database.get_database_backend();
    let texts = async |text: String| -> Vec<String> {
        let rows = database
            .query_all_raw(Statement::from_string(backend, text))
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.try_get("", "made").unwrap())
            .collect()
    };
    match backend {
        DbBackend::MySql => vec![format!("CREATE TABLE {copy} LIKE {table}")],
        DbBackend::Postgres => {
            let keys = format!(
                "SELECT 'ALTER TABLE {copy} ADD ' || pg_get_constraintdef(oid) AS made FROM pg_constraint \
                 WHERE contype = 'f' AND conrelid = '{table}'::regclass"
            );
            let mut made = vec![format!("CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")];
            made.extend(texts(keys).await);
            made
        }
        _ => {
            let made = format!(
                "SELECT sql AS made FROM sqlite_master WHERE tbl_name = '{table}' AND sql IS NOT NULL ORDER BY type DESC"
            );
            let made = texts(made).await;
            made.iter()
                .map(|text| {
                    text.replacen("INDEX \"", "INDEX \"floor_", 1)
                        .replace(&format!("\"{table}\""), &format!("\"{copy}\""))
                })
                .collect()
        }
    }
}
