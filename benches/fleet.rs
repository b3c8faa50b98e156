//! Many idle organizations in one process: memory, and how soon an order for one of them reaches
//! Classy.
//!
//! `cargo bench --bench fleet -- 2000`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod rig;

use classy_sync::simulator::{Options, Simulator};
use std::time::{Duration, Instant};

fn main() {
    let count = rig::number(0, 2_000) as i64;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure(count));
}

async fn measure(count: i64) {
    let organizations: Vec<i64> = (1..=count).map(|id| 100_000 + id).collect();
    let simulator = Simulator::start(Options {
        organizations: organizations.clone(),
        supporters: 3,
        ..Options::default()
    })
    .await
    .unwrap();
    let begin = Instant::now();
    let daemon = rig::Daemon::start(&simulator, "");
    daemon.loaded().await;
    println!(
        "{count} organizations read for the first time in {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = daemon.memory("VmRSS:");
    let mut waits = Vec::new();
    for id in organizations.iter().step_by((count as usize / 50).max(1)) {
        let before = simulator.ledger().data_requests;
        let begin = Instant::now();
        let seen = async {
            while simulator.ledger().data_requests == before {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            begin.elapsed()
        };
        let (wait, ()) = tokio::join!(seen, order(&daemon, *id));
        waits.push(wait);
    }
    waits.sort();
    println!(
        "idle: {idle:.0} MiB; an order reaches Classy after {:?} (median), {:?} (worst of {})",
        waits[waits.len() / 2],
        waits[waits.len() - 1],
        waits.len()
    );
    println!("stopped in {:?}", daemon.end());
}

async fn order(daemon: &rig::Daemon, id: i64) {
    let answer = daemon
        .client
        .post(format!("http://daemon/api/v1/organizations/{id}/sync"))
        .send()
        .await
        .unwrap();
    assert!(
        answer.status().is_success(),
        "{}",
        answer.text().await.unwrap()
    );
}
