//! A daemon, or the command line, in a folder of its own, against the simulator of this process.

#![allow(dead_code, unused_imports, reason = "each bench uses a part")]

mod folder;

pub(crate) use folder::Folder;

use classy_sync::entities::Entity;
use classy_sync::simulator::Simulator;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KEY: &str = "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The daemon and its folder.
pub(crate) struct Daemon {
    folder: tempfile::TempDir,
    child: Child,
    /// Talks to its control socket.
    pub(crate) client: reqwest::Client,
}

impl Daemon {
    /// Starts one for all organizations of the simulator; `settings` is its configuration file.
    pub(crate) fn start(simulator: &Simulator, settings: &str) -> Daemon {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), simulator, settings);
        let child = Command::new(env!("CARGO_BIN_EXE_classy-sync"))
            .arg("run")
            .current_dir(folder.path())
            .env_clear()
            .env("CLASSY_SYNC__VAULT__KEYS", KEY)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .unix_socket(folder.path().join("classy-sync.sock"))
            .build()
            .unwrap();
        Daemon {
            folder,
            child,
            client,
        }
    }

    /// Waits until every feed of all organizations was read once.
    pub(crate) async fn loaded(&self) {
        let organizations = std::fs::read_dir(self.folder.path().join("organizations"))
            .unwrap()
            .count() as u64;
        let feeds = Entity::COUNT as u64 * organizations;
        while self.feeds_loaded().await != Some(feeds) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn feeds_loaded(&self) -> Option<u64> {
        let answer = self
            .client
            .get("http://daemon/metrics")
            .send()
            .await
            .ok()?
            .text()
            .await
            .ok()?;
        let loaded = answer
            .lines()
            .filter(|line| line.starts_with("classy_sync_feed_loaded{"));
        Some(
            loaded
                .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
                .sum(),
        )
    }

    /// A line of `/proc/PID/status` that is in KiB, in MiB: `VmRSS:` is resident memory, `VmHWM:`
    /// its peak.
    pub(crate) fn memory(&self, line: &str) -> f64 {
        memory(self.child.id(), line).unwrap()
    }

    /// Asks it to stop and says how long that took.
    pub(crate) fn end(mut self) -> Duration {
        let begin = Instant::now();
        assert!(
            Command::new("kill")
                .arg(self.child.id().to_string())
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        begin.elapsed()
    }
}

/// A line of a process's status that is in KiB, in MiB.
fn memory(process: u32, line: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|found| found.starts_with(line))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

fn write(folder: &Path, simulator: &Simulator, settings: &str) {
    std::fs::create_dir(folder.join("organizations")).unwrap();
    std::fs::write(folder.join("classy-sync.toml"), settings).unwrap();
    for organization in simulator.world().organizations.values() {
        let text = format!(
            "classy_id = {}\nname = \"Bench\"\n[classy]\nclient_id = {:?}\nclient_secret = {:?}\nbase_url = {:?}\ntoken_url = {:?}\nrequests_per_minute = 0\n",
            organization.id,
            organization.client_id,
            organization.client_secret,
            simulator.base_url(),
            simulator.token_url()
        );
        std::fs::write(
            folder.join(format!("organizations/{}.toml", organization.id)),
            text,
        )
        .unwrap();
    }
}

/// The number at this place of the words given to the bench, or a default.
pub(crate) fn number(place: usize, default: usize) -> usize {
    std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .nth(place)
        .map_or(default, |word| word.parse().expect("a number"))
}
