//! The pulse of a run. No message is sent for it, so that a full mailbox never looks like a frozen
//! run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Marked by a run after each step; clones are the same pulse.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Milliseconds after the start.
    last: AtomicU64,
}

impl Progress {
    /// A pulse that beats now.
    pub fn new() -> Progress {
        Progress(Arc::new(Inner {
            start: Instant::now(),
            last: AtomicU64::new(0),
        }))
    }

    /// A step was made.
    pub fn mark(&self) {
        let since = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.fetch_max(since, Ordering::Relaxed);
    }

    /// How long ago the last step was made.
    pub fn idle(&self) -> Duration {
        self.0
            .start
            .elapsed()
            .saturating_sub(Duration::from_millis(self.0.last.load(Ordering::Relaxed)))
    }
}

impl Default for Progress {
    fn default() -> Self {
        Progress::new()
    }
}
