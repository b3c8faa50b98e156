//! How many rows this process wrote: the measure of when the database's statistics are out of date.

use std::sync::atomic::{AtomicU64, Ordering};

/// Rows after which statistics are gathered for the first time in a process.
const FIRST: u64 = 1_000;

/// How many rows this process wrote, and at how many it gathers statistics next.
#[derive(Debug)]
pub(super) struct Written {
    rows: AtomicU64,
    next: AtomicU64,
}

impl Default for Written {
    fn default() -> Written {
        Written {
            rows: AtomicU64::new(0),
            next: AtomicU64::new(FIRST),
        }
    }
}

impl Written {
    pub(super) fn add(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Whether the rows are twice as many as the last time; answers yes once.
    pub(super) fn is_due(&self) -> bool {
        let (rows, next) = (
            self.rows.load(Ordering::Relaxed),
            self.next.load(Ordering::Relaxed),
        );
        rows >= next
            && self
                .next
                .compare_exchange(
                    next,
                    rows.saturating_mul(2),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_gathered_each_time_that_the_rows_have_doubled() {
        let written = Written::default();
        let mut gathered = Vec::new();
        for rows in (100..=10_000).step_by(100) {
            written.add(100);
            if written.is_due() {
                gathered.push(rows);
            }
        }
        assert_eq!(gathered, [1_000, 2_000, 4_000, 8_000]);
    }
}
