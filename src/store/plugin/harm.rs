//! How much harm a plugin did lately.

use super::PluginKey;
use crate::domain::{Harm, Harms, Time};
use crate::entities::plugin_harm::{ActiveModel, Entity};
use crate::store::statement::sql;
use crate::store::{Error, TenantStore, tuple};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};

/// What a count says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HarmEntry {
    /// It was done within what is allowed to everybody.
    Done,
    /// It was done because a person allowed it.
    Used,
}

impl HarmEntry {
    const fn as_str(self) -> &'static str {
        match self {
            HarmEntry::Done => "done",
            HarmEntry::Used => "used",
        }
    }
}

/// What was done lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HarmTotals {
    /// In 24 hours, without a grant.
    pub day: Harms,
    /// In 30 days, without a grant.
    pub month: Harms,
    /// People who came in within 24 hours, by a grant or without.
    pub additions: u64,
}

impl TenantStore {
    /// What was done in the time before a moment.
    pub async fn harms(&self, key: &PluginKey, now: Time) -> Result<HarmTotals, Error> {
        let month = self.harms_since(key, now - TimeDelta::days(30)).await?;
        let day = self.harms_since(key, now - TimeDelta::hours(24)).await?;
        let [done, used] = day;
        Ok(HarmTotals {
            day: done,
            month: month[0],
            additions: done.additions() + used.additions(),
        })
    }

    /// Done and used.
    async fn harms_since(&self, key: &PluginKey, since: Time) -> Result<[Harms; 2], Error> {
        let failed = |error| Error::query("reading the guard's counts", error);
        let dialect = self.dialect();
        let text = format!(
            "SELECT kind, entry, {} AS total FROM plugin_harms WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
             AND {} > $4 GROUP BY kind, entry",
            dialect.as_bigint(&format!("SUM({})", dialect.quoted("count"))),
            dialect.quoted("at")
        );
        let values = self.plugin_values(key).into_iter().chain([since.into()]);
        let mut totals = [Harms::default(); 2];
        let statement = sql(dialect, &text, values);
        let rows: Vec<(String, String, i64)> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        for (kind, entry, total) in rows {
            let entry = [HarmEntry::Done, HarmEntry::Used]
                .into_iter()
                .position(|known| known.as_str() == entry);
            let (Some(kind), Some(entry)) = (Harm::of(&kind), entry) else {
                continue;
            };
            totals[entry].add(kind, total.max(0) as u64);
        }
        Ok(totals)
    }
}

/// Whether changes are counted, or were counted and not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    Done,
    NotDone,
}

/// Writes counts down within a transaction. What was not done is taken off by a row of its own, so
/// that nothing is overwritten.
pub(super) async fn count<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    entry: HarmEntry,
    harms: &Harms,
    at: Time,
    counting: Counting,
) -> Result<(), Error> {
    let sign = match counting {
        Counting::Done => 1,
        Counting::NotDone => -1,
    };
    for (kind, count) in harms.each() {
        let row = ActiveModel {
            organization_id: Set(tenant.organization_id),
            plugin: Set(key.plugin.clone()),
            destination: Set(key.destination.clone()),
            at: Set(at),
            kind: Set(kind.as_str().to_owned()),
            entry: Set(entry.as_str().to_owned()),
            count: Set(sign * count as i64),
            ..Default::default()
        };
        Entity::insert(row)
            .exec_without_returning(tx)
            .await
            .map_err(|error| Error::query("counting harm", error))?;
    }
    Ok(())
}
