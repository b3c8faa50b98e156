//! Causes that several processes of one database see together, such as a host where nobody is: one
//! of them tells, and its row is the alert. The others write there that they see it, too, so that
//! it does not end before the last of them is well.
//!
//! Nobody's clock is compared with another's: whoever tells counts on in its row at each look, and
//! whoever merely sees moves `last_seen_at`. A row whose count stands still has lost its process,
//! and another one goes on with it.

use super::company::{Cause, Other, STILL, is_common};
use super::{Book, Entry};
use crate::domain::Time;
use crate::store::{AlertRow, Error, Store};
use std::collections::BTreeMap;

impl Book {
    /// Takes over what the table has of such causes.
    pub(super) async fn share(
        &mut self,
        store: &Store,
        rows: &[AlertRow],
        now: Time,
    ) -> Result<(), Error> {
        let mut theirs: BTreeMap<Cause, &AlertRow> = BTreeMap::new();
        for row in rows
            .iter()
            .filter(|row| is_common(&(row.classy_id, row.key.clone())))
        {
            if row.key.ends_with(&self.place) {
                if let Some(entry) = self
                    .entries
                    .get_mut(&(None, row.key.clone()))
                    .filter(|entry| entry.row.id == row.id)
                {
                    entry.company.read(row);
                }
                continue;
            }
            let first = theirs.entry(self.ours(row)).or_insert(row);
            if row.id < first.id {
                *first = row;
            }
        }
        self.others
            .retain(|cause, other| theirs.get(cause).is_some_and(|row| row.id == other.row.id));
        for (cause, row) in theirs {
            let other = self
                .others
                .entry(cause)
                .or_insert_with(|| Other::new(row.clone()));
            other.still = if other.row.count == row.count {
                other.still + 1
            } else {
                0
            };
            other.row = row.clone();
        }
        self.adopt(store, now).await?;
        // Of two that began at once the earlier one tells.
        for (cause, other) in &self.others {
            let Some(entry) = self
                .entries
                .get_mut(cause)
                .filter(|entry| entry.row.resolved_at.is_none())
            else {
                continue;
            };
            if entry.row.id == 0 || entry.row.id == other.row.id {
                self.entries.remove(cause);
            } else if other.row.id < entry.row.id {
                entry.row.resolved_at = Some(now);
                (entry.saved_at, entry.pending) = (None, None);
            }
        }
        self.is_in_step = true;
        Ok(())
    }

    /// Goes on with alerts whose process is gone.
    async fn adopt(&mut self, store: &Store, now: Time) -> Result<(), Error> {
        let gone: Vec<Cause> = self
            .others
            .iter()
            .filter(|(_, other)| other.still >= STILL)
            .map(|(cause, _)| cause.clone())
            .collect();
        for cause in gone {
            let Some(Other { row, .. }) = self.others.remove(&cause) else {
                continue;
            };
            if !store.adopt_alert(row.id, &row.key, &cause.1).await? {
                continue;
            }
            let row = AlertRow {
                key: cause.1.clone(),
                ..row
            };
            if self
                .entries
                .get(&cause)
                .is_some_and(|entry| entry.row.resolved_at.is_none())
            {
                // It is told of here already.
                store
                    .update_alert(&AlertRow {
                        resolved_at: Some(now),
                        ..row
                    })
                    .await?;
                continue;
            }
            let mut entry = Entry::of(row, now);
            entry.saved_at = Some(now);
            self.entries.insert(cause, entry);
        }
        Ok(())
    }

    /// The cause as it would be named here.
    fn ours(&self, row: &AlertRow) -> Cause {
        let key = row
            .key
            .rsplit_once('@')
            .map_or(row.key.as_str(), |(key, _)| key);
        (None, format!("{key}{}", self.place))
    }

    /// Whether another process tells of it; if so, it hears that this one sees it, too.
    pub(super) fn leave_to_another(&mut self, cause: &Cause) -> bool {
        if self
            .entries
            .get(cause)
            .is_some_and(|entry| entry.row.resolved_at.is_none())
        {
            return false;
        }
        let Some(other) = self.others.get_mut(cause) else {
            return false;
        };
        other.is_seen = true;
        true
    }

    /// Gives the signs of life.
    pub(super) async fn show_signs(&mut self, store: &Store, now: Time) -> Result<(), Error> {
        for (_, entry) in self
            .entries
            .iter_mut()
            .filter(|(cause, entry)| is_common(cause) && entry.row.id != 0)
        {
            if entry.row.resolved_at.is_none() {
                entry.row.count = entry.row.count.max(entry.company.count + 1);
                store
                    .count_alert(entry.row.id, entry.row.count, &entry.row.message)
                    .await?;
                entry.company.count = entry.row.count;
            }
        }
        for other in self.others.values_mut().filter(|other| other.is_seen) {
            store.touch_alert(other.row.id, now).await?;
            other.is_seen = false;
        }
        Ok(())
    }
}
