//! What was pushed lately, as people see it: images of contacts that were sent about the same time.

use super::PluginKey;
use crate::domain::Time;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore, tuple};
use chrono::TimeDelta;

/// What was sent in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// When it began.
    pub from: Time,
    /// When the last of it was sent.
    pub until: Time,
    /// Contacts that it changed or made.
    pub contacts: i64,
    /// Of those, the ones that were put back as they had been.
    pub taken_back: i64,
}

/// What is sent within so long of what was sent before belongs to the same push.
const PAUSE: TimeDelta = TimeDelta::minutes(2);

/// The moments of which pushes are made, the latest first.
const MOMENTS: u64 = 200;

impl TenantStore {
    /// The latest pushes that changed something, as far as that is kept, the latest first.
    pub async fn latest_pushes(&self, key: &PluginKey, limit: usize) -> Result<Vec<Push>, Error> {
        let failed = |error| Error::query("reading what was changed", error);
        let dialect = self.dialect();
        let text = format!(
            "SELECT i.sent_at, {} AS contacts, {} AS taken_back FROM plugin_images AS i \
             WHERE i.organization_id = $1 AND i.plugin = $2 AND i.destination = $3 \
             GROUP BY i.sent_at ORDER BY i.sent_at DESC LIMIT {MOMENTS}",
            dialect.as_bigint("COUNT(*)"),
            dialect.as_bigint("COUNT(CASE WHEN i.outcome = 'taken_back' THEN 1 END)")
        );
        let statement = sql(dialect, &text, self.plugin_values(key));
        let moments: Vec<(Time, i64, i64)> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        let mut pushes: Vec<Push> = Vec::new();
        for (at, contacts, taken_back) in moments {
            let is_full = pushes.len() == limit;
            match pushes.last_mut().filter(|push| push.from - at <= PAUSE) {
                Some(push) => {
                    push.from = at;
                    push.contacts += contacts;
                    push.taken_back += taken_back;
                }
                None if is_full => break,
                None => pushes.push(Push {
                    from: at,
                    until: at,
                    contacts,
                    taken_back,
                }),
            }
        }
        Ok(pushes)
    }
}
