//! Addresses that people had until a while ago, as the audit trail keeps them.

use crate::domain::{Address, Time};
use crate::entities::record::Kind;
use crate::entities::{Record, Supporter};
use crate::store::statement::{ids_document, sql};
use crate::store::{Error, TenantStore, tuple};
use sea_orm::FromQueryResult;
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
        let at = self.dialect().quoted("at");
        let text = format!(
            "SELECT subject, detail, {at} AS until FROM audit_log WHERE organization_id = $1 AND {at} >= $2 AND action = $3{only} ORDER BY id"
        );
        let values = [
            self.organization_id.into(),
            since.into(),
            format!("{noun}.email_changed").into(),
        ];
        let rows = Change::find_by_statement(sql(self.dialect(), &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(rows.into_iter().filter_map(Change::former).collect())
    }

    /// When a delivery last had a word on each of these people, at whatever place of a plugin to
    /// which it delivered before.
    pub async fn looked_at(&self, plugin: &str, ids: &[i64]) -> Result<BTreeMap<i64, Time>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = |error| Error::query("reading who was looked at", error);
        let join = self.dialect().lookup();
        let text = format!(
            "SELECT d.supporter_id, MAX(d.updated_at) AS looked_at FROM {source} {join} plugin_guards AS g ON g.organization_id = $2 \
             AND g.plugin = $3 {join} plugin_deliveries AS d ON d.organization_id = g.organization_id AND d.plugin = g.plugin \
             AND d.destination = g.destination AND d.supporter_id = j.id GROUP BY d.supporter_id",
            source = self.dialect().unpack(&[("id", Kind::Int)])
        );
        let values = [
            ids_document(ids.iter().copied()),
            self.organization_id.into(),
            plugin.into(),
        ];
        let statement = sql(self.dialect(), &text, values);
        let rows: Vec<(i64, Time)> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        Ok(rows.into_iter().collect())
    }
}

/// A change of an address, as the trail tells of it.
#[derive(FromQueryResult)]
struct Change {
    subject: String,
    detail: Option<String>,
    until: Time,
}

impl Change {
    /// `None` where there was no address before.
    fn former(self) -> Option<FormerAddress> {
        let detail = self.detail.unwrap_or_default();
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap_or_default();
        let address = detail
            .get("from")
            .and_then(serde_json::Value::as_str)
            .and_then(Address::parse);
        let supporter_id = self.subject.rsplit(':').next();
        Some(FormerAddress {
            supporter_id: supporter_id.and_then(|id| id.parse().ok())?,
            address: address?,
            until: self.until,
        })
    }
}
