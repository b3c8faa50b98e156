//! Webhooks of the other side: which one is ours, when it was last heard, and how often in a row
//! looking found what it should have told.

use super::PluginKey;
use crate::domain::Time;
use crate::store::statement::sql;
use crate::store::{Error, Store, TenantStore};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

/// By so much the clocks of both sides may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A webhook that was made by us, or that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRow {
    /// The other side's id; blank of one that a person made there.
    pub remote_id: String,
    /// Where it tells; blank of one that a person made there.
    pub url: String,
    /// When it was last heard.
    pub heard_at: Option<Time>,
    /// Looks in a row that found what it should have told.
    pub missed: i64,
}

/// A webhook that fell silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentHook {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// Looks in a row that found what it should have told.
    pub missed: i64,
    /// When it was last heard.
    pub heard_at: Option<Time>,
}

const OF_PLACE: &str = "organization_id = $1 AND plugin = $2 AND destination = $3";

impl TenantStore {
    /// The webhook of a place, if there is one.
    pub async fn hook(&self, key: &PluginKey) -> Result<Option<HookRow>, Error> {
        let failed = |error| Error::query("reading the webhook", error);
        let text =
            format!("SELECT remote_id, url, heard_at, missed FROM plugin_hooks WHERE {OF_PLACE}");
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let read = |row: QueryResult| -> Result<HookRow, DbErr> {
            Ok(HookRow {
                remote_id: row.try_get("", "remote_id")?,
                url: row.try_get("", "url")?,
                heard_at: row.try_get("", "heard_at")?,
                missed: row.try_get("", "missed")?,
            })
        };
        row.map(read).transpose().map_err(failed)
    }

    /// A webhook was made for a place, instead of any other; it was not heard yet.
    pub async fn put_hook(&self, key: &PluginKey, remote_id: &str, url: &str) -> Result<(), Error> {
        let set = "remote_id = $1, url = $2, heard_at = NULL, missed = 0 WHERE organization_id = $3 AND plugin = $4 AND destination = $5";
        let values = || [remote_id.into(), url.into()];
        self.run(
            &format!("UPDATE plugin_hooks SET {set}"),
            values().into_iter().chain(self.plugin_values(key)),
        )
        .await?;
        if self.hook(key).await?.is_some() {
            return Ok(());
        }
        let text = "INSERT INTO plugin_hooks (organization_id, plugin, destination, remote_id, url, missed) VALUES ($1, $2, $3, $4, $5, 0)";
        self.run(text, self.plugin_values(key).into_iter().chain(values()))
            .await
            .map(drop)
    }

    /// There is no webhook of a place any more.
    pub async fn forget_hook(&self, key: &PluginKey) -> Result<(), Error> {
        self.run(
            &format!("DELETE FROM plugin_hooks WHERE {OF_PLACE}"),
            self.plugin_values(key),
        )
        .await
        .map(drop)
    }

    /// The webhook of a place was heard.
    pub async fn note_heard(&self, key: &PluginKey, at: Time) -> Result<(), Error> {
        let text = "UPDATE plugin_hooks SET heard_at = $1, missed = 0 WHERE organization_id = $2 AND plugin = $3 AND destination = $4";
        let values = || std::iter::once(Value::from(at)).chain(self.plugin_values(key));
        if self.run(text, values()).await? > 0 || self.hook(key).await?.is_some() {
            return Ok(());
        }
        // One that a person made there, with a secret in the file.
        let text = "INSERT INTO plugin_hooks (heard_at, organization_id, plugin, destination, remote_id, url, missed) VALUES ($1, $2, $3, $4, '', '', 0)";
        match self.run(text, values()).await {
            // Two were heard at the same time.
            Err(Error::Query {
                transient: true, ..
            })
            | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looking found something that happened there at a moment and of which the webhook should have
    /// told.
    pub async fn note_found(&self, key: &PluginKey, happened_at: Time) -> Result<(), Error> {
        let text = "UPDATE plugin_hooks SET missed = missed + 1 WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
                    AND (heard_at IS NULL OR heard_at < $4)";
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain([(happened_at - SKEW).into()]);
        self.run(text, values).await.map(drop)
    }

    async fn run(&self, text: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, Error> {
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await;
        Ok(done
            .map_err(|error| Error::query("writing what is known of the webhook", error))?
            .rows_affected())
    }
}

impl Store {
    /// Webhooks that were silent for so many looks in a row, of the places that are delivered to
    /// now.
    pub async fn silent_hooks(&self, looks: i64) -> Result<Vec<SilentHook>, Error> {
        let failed = |error| Error::query("reading which webhooks are silent", error);
        let text = "SELECT o.classy_id, h.plugin, h.missed, h.heard_at FROM plugin_hooks AS h \
                    JOIN organizations AS o ON o.id = h.organization_id \
                    JOIN plugin_states AS p ON p.organization_id = h.organization_id AND p.plugin = h.plugin AND p.destination = h.destination \
                    WHERE h.missed >= $1 ORDER BY o.classy_id, h.plugin";
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, [looks.into()]))
            .await
            .map_err(failed)?;
        let read = |row: &QueryResult| {
            Ok(SilentHook {
                classy_id: row.try_get("", "classy_id")?,
                plugin: row.try_get("", "plugin")?,
                missed: row.try_get("", "missed")?,
                heard_at: row.try_get("", "heard_at")?,
            })
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, DbErr>>()
            .map_err(failed)
    }
}
