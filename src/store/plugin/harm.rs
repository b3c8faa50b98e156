//! How much harm a plugin did lately, and how much a person allowed.

use super::PluginKey;
use crate::clock;
use crate::domain::{Harm, Harms, Time};
use crate::store::statement::{as_bigint, quoted, sql};
use crate::store::{Error, TenantStore, audit};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

/// What a count says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HarmEntry {
    /// It was done within what is allowed to everybody.
    Done,
    /// It was done because a person approved it.
    Used,
    /// A person approved it.
    Granted,
}

impl HarmEntry {
    const ALL: [HarmEntry; 3] = [HarmEntry::Done, HarmEntry::Used, HarmEntry::Granted];

    const fn as_str(self) -> &'static str {
        match self {
            HarmEntry::Done => "done",
            HarmEntry::Used => "used",
            HarmEntry::Granted => "granted",
        }
    }
}

/// The counts of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HarmTotals {
    /// Done without a grant.
    pub done: Harms,
    /// Done by a grant.
    pub used: Harms,
    /// Granted.
    pub granted: Harms,
}

impl TenantStore {
    /// What was done and allowed in the 24 hours before a moment.
    ///
    /// # Errors
    /// Database errors.
    pub async fn harms(&self, key: &PluginKey, now: Time) -> Result<HarmTotals, Error> {
        let failed = |error| Error::query("reading the guard's counts", error);
        let backend = self.backend();
        let text = format!(
            "SELECT kind, entry, {} AS total FROM plugin_harms WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
             AND {} > $4 GROUP BY kind, entry",
            as_bigint(backend, &format!("SUM({})", quoted(backend, "count"))),
            quoted(backend, "at")
        );
        let since = now - TimeDelta::hours(24);
        let values = [self.organization_id.into(), key.plugin.as_str().into(), key.destination.as_str().into(), since.into()];
        let mut totals = HarmTotals::default();
        for row in self.connection().query_all_raw(sql(backend, &text, values)).await.map_err(failed)? {
            let (kind, entry): (String, String) = (row.try_get("", "kind").map_err(failed)?, row.try_get("", "entry").map_err(failed)?);
            let total: i64 = row.try_get("", "total").map_err(failed)?;
            let kind = Harm::ALL.into_iter().find(|known| known.as_str() == kind);
            let entry = HarmEntry::ALL.into_iter().find(|known| known.as_str() == entry);
            let (Some(kind), Some(entry)) = (kind, entry) else { continue };
            let counts = match entry {
                HarmEntry::Done => &mut totals.done,
                HarmEntry::Used => &mut totals.used,
                HarmEntry::Granted => &mut totals.granted,
            };
            counts.add(kind, total.max(0) as u64);
        }
        Ok(totals)
    }

    /// A person allows so much harm within the next 24 hours. Those who are held are looked at again by themselves.
    ///
    /// # Errors
    /// Database errors.
    pub async fn approve(&self, key: &PluginKey, harms: &Harms) -> Result<(), Error> {
        let tx = self.store.begin_write().await?;
        note(&tx, self, key, HarmEntry::Granted, harms).await?;
        let detail = Harm::ALL.map(|kind| (kind.as_str().to_owned(), harms.of(kind).into())).into_iter().collect();
        let subject = format!("plugin:{}", key.plugin);
        audit::note(&tx, self.backend(), Some(self.organization_id), "plugin.approve", &subject, serde_json::Value::Object(detail)).await?;
        tx.commit().await.map_err(Error::commit)
    }
}

/// Writes counts down within a transaction.
pub(super) async fn note<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    entry: HarmEntry,
    harms: &Harms,
) -> Result<(), Error> {
    let backend = tenant.backend();
    let text = format!(
        "INSERT INTO plugin_harms (organization_id, plugin, destination, {}, kind, entry, {}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        quoted(backend, "at"),
        quoted(backend, "count")
    );
    for kind in Harm::ALL.into_iter().filter(|kind| harms.of(*kind) > 0) {
        let values = [
            tenant.organization_id.into(),
            key.plugin.as_str().into(),
            key.destination.as_str().into(),
            clock::now().into(),
            kind.as_str().into(),
            entry.as_str().into(),
            (harms.of(kind) as i64).into(),
        ];
        tx.execute_raw(sql(backend, &text, values)).await.map_err(|error| Error::query("counting harm", error))?;
    }
    Ok(())
}
