//! How many rows this process wrote of each kind of record: the measure of when the database's
//! statistics are out of date.

use crate::entities::Entity;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of a table after which its statistics are gathered for the first time in a process.
const FIRST: u64 = 1_000;

/// How many rows this process wrote, by table.
#[derive(Debug, Default)]
pub(super) struct Written([Rows; Entity::COUNT]);

/// How many rows were written to a table, and at how many its statistics are gathered next.
#[derive(Debug)]
struct Rows {
    written: AtomicU64,
    next: AtomicU64,
}

impl Default for Rows {
    fn default() -> Rows {
        Rows {
            written: AtomicU64::new(0),
            next: AtomicU64::new(FIRST),
        }
    }
}

impl Rows {
    /// Whether they are twice as many as the last time; answers yes once.
    fn is_due(&self) -> bool {
        let (rows, next) = (
            self.written.load(Ordering::Relaxed),
            self.next.load(Ordering::Relaxed),
        );
        let then = rows.saturating_mul(2);
        rows >= next
            && self
                .next
                .compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Written {
    pub(super) fn add(&self, entity: Entity, rows: u64) {
        if let Some(of_entity) = self.0.get(entity as usize) {
            of_entity.written.fetch_add(rows, Ordering::Relaxed);
        }
    }

    /// The tables that were written so much that their statistics are out of date; each is told
    /// once.
    pub(super) fn due(&self) -> Vec<Entity> {
        let rows = Entity::ALL.into_iter().zip(&self.0);
        rows.filter(|(_, rows)| rows.is_due())
            .map(|(entity, _)| entity)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_gathered_each_time_that_the_rows_of_a_table_have_doubled() {
        let written = Written::default();
        let mut gathered = Vec::new();
        for rows in (100..=10_000).step_by(100) {
            written.add(Entity::Transactions, 100);
            let due = written.due();
            assert!(due.iter().all(|entity| *entity == Entity::Transactions));
            gathered.extend(due.iter().map(|_| rows));
        }
        assert_eq!(gathered, [1_000, 2_000, 4_000, 8_000]);
    }
}
