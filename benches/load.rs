//! Organizations that load at full speed beside their simulated source: records a second, peak
//! memory, and how long status, health and metrics take meanwhile.
//!
//! `cargo bench --bench load -- 20 2000` (organizations, supporters of each), into SQLite, or into
//! the empty database that `CLASSY_SYNC_BENCH_DATABASE_URL` names.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod rig;

use classy_sync::simulator::{Options, Simulator};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PATHS: [&str; 3] = ["/api/v1/status", "/api/v1/health", "/metrics"];

fn main() {
    let (count, supporters) = (rig::number(0, 20) as i64, rig::number(1, 2_000));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(measure(count, supporters));
}

async fn measure(count: i64, supporters: usize) {
    let organizations = (1..=count).map(|id| 100_000 + id).collect();
    let simulator = Simulator::start(Options {
        organizations,
        supporters,
        ..Options::default()
    })
    .await
    .unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let database = std::env::var("CLASSY_SYNC_BENCH_DATABASE_URL")
        .unwrap_or_else(|_| "sqlite://bench.db".to_owned());
    let settings =
        format!("[database]\nurl = {database:?}\n[http]\nlisten = \"127.0.0.1:{port}\"\n");
    let begin = Instant::now();
    let daemon = rig::Daemon::start(&simulator, &settings);
    let over = Arc::new(AtomicBool::new(false));
    let asking = std::thread::spawn({
        let over = Arc::clone(&over);
        move || ask(port, &over)
    });
    daemon.loaded().await;
    let took = begin.elapsed();
    over.store(true, Ordering::Relaxed);
    let records = records(&daemon).await;
    println!(
        "{count} organizations, {records} records in {:.1} s ({:.0}/s), at most {:.0} MiB",
        took.as_secs_f64(),
        records as f64 / took.as_secs_f64(),
        daemon.memory("VmHWM:")
    );
    for (path, mut waits) in PATHS.iter().zip(asking.join().unwrap()) {
        waits.sort();
        let at = |share: f64| waits[(waits.len() as f64 * share) as usize];
        println!(
            "{path}: median {:?}, 99 % within {:?}, longest {:?} of {}",
            at(0.5),
            at(0.99),
            waits[waits.len() - 1],
            waits.len()
        );
    }
    println!("stopped in {:?}", daemon.end());
}

/// Records read since the daemon began.
async fn records(daemon: &rig::Daemon) -> u64 {
    let metrics = daemon
        .client
        .get("http://daemon/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let seen = metrics.lines().filter(|line| {
        line.starts_with("classy_sync_records_total{") && line.contains("kind=\"seen\"")
    });
    seen.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// Asks each path every 30 ms on a thread of its own, since the runtime is busy with the source.
fn ask(port: u16, over: &AtomicBool) -> [Vec<Duration>; 3] {
    let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
    let stream = std::iter::repeat_with(connect)
        .inspect(|_| std::thread::sleep(Duration::from_millis(10)))
        .flatten()
        .next()
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    let mut waits: [Vec<Duration>; 3] = Default::default();
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let begin = Instant::now();
        stream
            .get_mut()
            .write_all(
                format!(
                    "GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n",
                    PATHS[round % 3]
                )
                .as_bytes(),
            )
            .unwrap();
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
            length = line
                .strip_prefix("content-length: ")
                .map_or(length, |text| text.trim().parse().unwrap());
        }
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).unwrap();
        waits[round % 3].push(begin.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
    waits
}
