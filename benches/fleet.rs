//! Many idle organizations in one process: memory, and how soon an order for one of them reaches Classy.
//!
//! `cargo bench --bench fleet -- 2000`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use classy_sync::simulator::{Options, Simulator};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KEY: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn main() {
    let count = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(2_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(measure(count));
}

async fn measure(count: i64) {
    let folder = tempfile::tempdir().unwrap();
    let organizations: Vec<i64> = (1..=count).map(|id| 100_000 + id).collect();
    let simulator = Simulator::start(Options { organizations: organizations.clone(), supporters: 3, ..Options::default() }).await.unwrap();
    write(folder.path(), &simulator);
    let begin = Instant::now();
    let daemon = start(folder.path());
    let status = async || status(folder.path()).await;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let Some(status) = status().await else { continue };
        let read = |one: &serde_json::Value| one["feeds"].as_array().unwrap().iter().all(|feed| feed["runs"].as_u64() >= Some(1));
        if status["organizations"].as_array().unwrap().iter().filter(|one| read(one)).count() as i64 == count {
            break;
        }
    }
    println!("{count} organizations read for the first time in {:.1} s", begin.elapsed().as_secs_f64());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = memory(&daemon);
    let mut waits = Vec::new();
    for id in organizations.iter().step_by((count as usize / 50).max(1)) {
        let before = simulator.ledger().data_requests;
        let begin = Instant::now();
        let order = order(folder.path(), *id);
        let seen = async {
            while simulator.ledger().data_requests == before {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            begin.elapsed()
        };
        let (wait, ()) = tokio::join!(seen, order);
        waits.push(wait);
    }
    waits.sort();
    println!(
        "idle: {idle:.0} MiB; an order reaches Classy after {:?} (median), {:?} (worst of {})",
        waits[waits.len() / 2],
        waits[waits.len() - 1],
        waits.len()
    );
    end(daemon);
}

fn write(folder: &Path, simulator: &Simulator) {
    std::fs::create_dir(folder.join("organizations")).unwrap();
    std::fs::write(folder.join("classy-sync.toml"), "").unwrap();
    for organization in simulator.world().organizations.values() {
        let text = format!(
            "classy_id = {}\nname = \"Bench\"\n[classy]\nclient_id = {:?}\nclient_secret = {:?}\nbase_url = {:?}\ntoken_url = {:?}\nrequests_per_minute = 0\n",
            organization.id,
            organization.client_id,
            organization.client_secret,
            simulator.base_url(),
            simulator.token_url()
        );
        std::fs::write(folder.join(format!("organizations/{}.toml", organization.id)), text).unwrap();
    }
}

fn start(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_classy-sync"))
        .arg("run")
        .current_dir(folder)
        .env_clear()
        .env("CLASSY_SYNC__VAULT__KEYS", KEY)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(mut daemon: Child) {
    let begin = Instant::now();
    assert!(Command::new("kill").arg(daemon.id().to_string()).status().unwrap().success());
    assert!(daemon.wait().unwrap().success());
    println!("stopped in {:?}", begin.elapsed());
}

/// Resident memory in MiB.
fn memory(daemon: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn client(folder: &Path) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().unix_socket(folder.join("classy-sync.sock")).build().unwrap()
}

async fn status(folder: &Path) -> Option<serde_json::Value> {
    let answer = client(folder).get("http://daemon/api/v1/status").send().await.ok()?;
    serde_json::from_str(&answer.text().await.ok()?).ok()
}

async fn order(folder: &Path, id: i64) {
    let answer = client(folder).post(format!("http://daemon/api/v1/organizations/{id}/sync")).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
