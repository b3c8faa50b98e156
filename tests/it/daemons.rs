//! What tests of running daemons share: a configuration that keeps them at work, signals, waiting,
//! and how they end.

use crate::site::Running;
use std::process::Child;
use std::time::{Duration, Instant};

/// Feeds that look for changes all the time.
pub const EAGER: &str = "[sync]\nsupporters = \"1s\"\ncampaigns = \"1s\"\ntransactions = \"1s\"\nrecurring_plans = \"1s\"\n";

/// A lease's time and the pace of looks at it, with room for a busy machine.
pub const TAKE_OVER: Duration = Duration::from_secs(15 + 5 + 10);

pub fn signal(child: &Child, name: &str) {
    assert!(
        std::process::Command::new("kill")
            .args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// Asks until the answer is yes.
pub async fn until(what: &str, within: Duration, mut yes: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !yes().await {
        assert!(begin.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn end(mut child: Running) -> Option<i32> {
    signal(&child, "-TERM");
    tokio::task::block_in_place(|| child.wait().unwrap()).code()
}

pub const SOON: Duration = Duration::from_secs(30);
