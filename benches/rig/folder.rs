//! A folder for the command line, against the simulator of this process.

use super::KEY;
use classy_sync::simulator::Simulator;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder with a configuration and the organizations of a simulator.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    database: String,
}

/// A command that ended.
pub(crate) struct Ended {
    pub(crate) is_ok: bool,
    pub(crate) took: Duration,
    /// The most memory that it had, in MiB.
    pub(crate) peak_mib: f64,
}

impl Folder {
    /// With a database of its own, or the one that is named.
    pub(crate) fn new(simulator: &Simulator, database: Option<&str>) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let own = || format!("sqlite://{}/bench.db", folder.path().display());
        let database = database.map_or_else(own, ToOwned::to_owned);
        let settings = format!("[database]\nurl = {database:?}\n");
        super::write(folder.path(), simulator, &settings);
        Folder { folder, database }
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, words: &[&str]) -> Ended {
        let begin = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_classy-sync"))
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("CLASSY_SYNC__VAULT__KEYS", KEY)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut peak_mib = 0.0_f64;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                let (is_ok, took) = (status.success(), begin.elapsed());
                return Ended {
                    is_ok,
                    took,
                    peak_mib,
                };
            }
            peak_mib = peak_mib.max(super::memory(child.id(), "VmHWM:").unwrap_or(0.0));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
