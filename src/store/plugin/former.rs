//! Addresses that people had until a while ago, as the audit trail keeps them.

use crate::domain::{Address, Time};
use crate::entities::record::Kind;
use crate::entities::{Record, Supporter};
use crate::store::statement::{ids_document, lookup, quoted, sql, unpack};
use crate::store::{Error, TenantStore};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::BTreeMap;

/// An address that somebody has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerAddress {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// The address.
    pub address: Address,
    /// When it was read that they have another one, or none.
    pub until: Time,
}

impl TenantStore {
    /// Addresses that people had until a moment after this one, the earliest first; `of`: only of
    /// these supporters.
    pub async fn former_addresses(
        &self,
        since: Time,
        of: Option<&[i64]>,
    ) -> Result<Vec<FormerAddress>, Error> {
        let noun = Supporter::ABOUT.singular;
        let only = match of {
            Some([]) => return Ok(Vec::new()),
            // Nothing but numbers: the trail has no index by subject, so they are compared with
            // what its index by time gives.
            Some(ids) => {
                let subjects: Vec<String> = ids.iter().map(|id| format!("'{noun}:{id}'")).collect();
                format!(" AND subject IN ({})", subjects.join(", "))
            }
            None => String::new(),
        };
        let failed = |error| Error::query("reading former addresses", error);
        let at = quoted(self.backend(), "at");
        let text = format!(
            "SELECT subject, detail, {at} AS until FROM audit_log WHERE organization_id = $1 AND {at} >= $2 AND action = $3{only} ORDER BY id"
        );
        let values = [
            self.organization_id.into(),
            since.into(),
            format!("{noun}.email_changed").into(),
        ];
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        let rows: Vec<Option<FormerAddress>> = rows
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// When a delivery last had a word on each of these people, at whatever place of a plugin to
    /// which it delivered before.
    pub async fn looked_at(&self, plugin: &str, ids: &[i64]) -> Result<BTreeMap<i64, Time>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = |error| Error::query("reading who was looked at", error);
        let join = lookup(self.backend());
        let text = format!(
            "SELECT d.supporter_id, MAX(d.updated_at) AS looked_at FROM {source} {join} plugin_guards AS g ON g.organization_id = $2 \
             AND g.plugin = $3 {join} plugin_deliveries AS d ON d.organization_id = g.organization_id AND d.plugin = g.plugin \
             AND d.destination = g.destination AND d.supporter_id = j.id GROUP BY d.supporter_id",
            source = unpack(self.backend(), &[("id", Kind::Int)])
        );
        let values = [
            ids_document(ids.iter().copied()),
            self.organization_id.into(),
            plugin.into(),
        ];
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get("", "supporter_id")?,
                    row.try_get("", "looked_at")?,
                ))
            })
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

/// `None` where there was no address before.
fn read(row: &QueryResult) -> Result<Option<FormerAddress>, DbErr> {
    let subject: String = row.try_get("", "subject")?;
    let detail: String = row
        .try_get::<Option<String>>("", "detail")?
        .unwrap_or_default();
    let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
    let address = detail
        .get("from")
        .and_then(serde_json::Value::as_str)
        .and_then(Address::parse);
    let supporter_id = subject.rsplit(':').next().and_then(|id| id.parse().ok());
    let Some((supporter_id, address)) = supporter_id.zip(address) else {
        return Ok(None);
    };
    Ok(Some(FormerAddress {
        supporter_id,
        address,
        until: row.try_get("", "until")?,
    }))
}
