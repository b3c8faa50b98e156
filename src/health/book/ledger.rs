//! The book and its table kept the same: what is new is written down, what people acknowledged and
//! earlier processes left is read.

use super::company::{Cause, is_common};
use super::{Book, Entry};
use crate::domain::Time;
use crate::store::{AlertRow, Error, Store};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// An open alert that is merely still there is written down this often.
const SAVE_EVERY: TimeDelta = TimeDelta::seconds(60);
/// An open row that nobody has seen for this long has nobody who would resolve it.
const FORSAKEN: TimeDelta = TimeDelta::days(1);
/// Open rows that are read at most.
const MOST: u64 = 10_000;

impl Book {
    /// Reads what people acknowledged and what is open already, so that what an earlier process
    /// told is not told again. `mine` are the organizations that this process looks at.
    pub async fn recall(
        &mut self,
        store: &Store,
        mine: &BTreeSet<i64>,
        now: Time,
    ) -> Result<(), Error> {
        let rows = store.alerts(None, false, MOST).await?;
        self.share(store, &rows, now).await?;
        for row in rows {
            self.take_over(store, row, mine, now).await?;
        }
        Ok(())
    }

    /// Writes down what changed. Without the database everything stays in memory and is written
    /// down at the next time.
    pub async fn save(&mut self, store: &Store, now: Time) -> Result<(), Error> {
        let is_due = |entry: &Entry| {
            entry
                .saved_at
                .is_none_or(|saved| now - saved >= SAVE_EVERY && entry.row.resolved_at.is_none())
        };
        for entry in self.entries.values_mut().filter(|entry| is_due(entry)) {
            if entry.row.id == 0
                && let Some(there) = store.open_alert(&entry.row).await?
            {
                (entry.row.id, entry.row.acknowledged_at) = (there.id, there.acknowledged_at);
                entry.row.opened_at = there.opened_at;
            }
            // Of an organization without a row nothing can be kept.
            if entry.row.id != 0 {
                store.update_alert(&entry.row).await?;
            }
            entry.saved_at = Some(now);
            entry.company.is_ours = true;
        }
        self.show_signs(store, now).await?;
        self.entries.retain(|_, entry| !entry.is_done());
        Ok(())
    }

    async fn take_over(
        &mut self,
        store: &Store,
        row: AlertRow,
        mine: &BTreeSet<i64>,
        now: Time,
    ) -> Result<(), Error> {
        let cause: Cause = (row.classy_id, row.key.clone());
        if let Some(entry) = self.entries.get_mut(&cause) {
            if entry.row.id == row.id {
                entry.row.acknowledged_at = row.acknowledged_at;
            }
            return Ok(());
        }
        let is_mine = row
            .classy_id
            .map_or_else(|| row.key.ends_with(&self.place), |id| mine.contains(&id));
        if is_mine {
            let mut entry = Entry::of(row, now);
            entry.saved_at = Some(now);
            self.entries.insert(cause, entry);
        } else if !is_common(&cause) && (now - row.last_seen_at).abs() > FORSAKEN {
            store
                .update_alert(&AlertRow {
                    resolved_at: Some(now),
                    ..row
                })
                .await?;
        }
        Ok(())
    }
}
