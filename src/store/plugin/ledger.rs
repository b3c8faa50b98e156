//! The ledger, read: for each person and destination what was sent, what became of it, and when to
//! look again.

use super::PluginKey;
use crate::domain::{Address, Time};
use crate::entities::plugin_delivery::{Column, Entity, Model};
use crate::entities::record::Kind;
use crate::store::statement::{columns, document, ids_document, sql};
use crate::store::{Error, TenantStore, tuple};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// One person's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// `sending`, or a fate's word.
    pub state: String,
    /// Why, if it is not simply delivered; or a note.
    pub reason: Option<String>,
    /// Of what the other side holds.
    pub fingerprint: Option<i64>,
    /// Tries since it was last delivered.
    pub attempts: i64,
    /// Where it was last sent.
    pub address: Option<Address>,
    /// What was being done when it was last sent.
    pub intent: Option<String>,
    /// When it is tried again.
    pub next_attempt_at: Option<Time>,
    /// When it was last delivered.
    pub delivered_at: Option<Time>,
    /// A trace of what was taken back since: the same is not sent again by itself.
    pub undone_mark: Option<i64>,
    /// When it was last sent, or a delivery last had a word on it.
    pub updated_at: Time,
}

/// How many people are in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct DeliveryCount {
    /// `sending`, or a fate's word.
    pub state: String,
    /// How many people are in this state.
    #[sea_orm(from_alias = "n")]
    pub count: i64,
    /// The longest time since one of them was touched.
    pub oldest_at: Option<Time>,
}

impl TenantStore {
    /// The rows of these people, as far as there are any.
    pub async fn deliveries(
        &self,
        key: &PluginKey,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, DeliveryRow>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let join = self.dialect().lookup();
        let source = self.dialect().unpack(&[("id", Kind::Int)]);
        let text = format!(
            "SELECT {} FROM {source} {join} plugin_deliveries AS d ON d.supporter_id = j.id \
             WHERE d.organization_id = $2 AND d.plugin = $3 AND d.destination = $4",
            columns::<Entity>(self.dialect(), "d")
        );
        let values =
            std::iter::once(ids_document(ids.iter().copied())).chain(self.plugin_values(key));
        let rows = Model::find_by_statement(sql(self.dialect(), &text, values))
            .all(self.connection())
            .await
            .map_err(reading)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.supporter_id, DeliveryRow::from(row)))
            .collect())
    }

    /// The latest touched rows in a state that have a reason or a note, for people to look at.
    pub async fn deliveries_in(
        &self,
        key: &PluginKey,
        state: &str,
        limit: u64,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let rows = Entity::find()
            .filter(self.here::<Entity>(key))
            .filter(Column::State.eq(state))
            .filter(Column::Reason.is_not_null())
            .order_by_desc(Column::UpdatedAt)
            .limit(limit)
            .all(self.connection())
            .await
            .map_err(reading)?;
        Ok(rows.into_iter().map(DeliveryRow::from).collect())
    }

    /// Who was last sent to one of these addresses.
    pub async fn sent_to(
        &self,
        key: &PluginKey,
        addresses: &BTreeSet<Address>,
    ) -> Result<Vec<i64>, Error> {
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| Error::query("reading who was sent where", error);
        let objects = addresses
            .iter()
            .map(|address| {
                json!({ "address": address.as_str() })
                    .to_string()
                    .into_bytes()
            })
            .collect::<Vec<_>>();
        let join = self.dialect().lookup();
        let text = format!(
            "SELECT d.supporter_id FROM {} {join} plugin_deliveries AS d ON d.address = j.address \
             WHERE d.organization_id = $2 AND d.plugin = $3 AND d.destination = $4",
            self.dialect().unpack(&[("address", Kind::Text)])
        );
        let values = std::iter::once(document(objects.iter().map(Vec::as_slice)))
            .chain(self.plugin_values(key));
        tuple::all(self.connection(), sql(self.dialect(), &text, values))
            .await
            .map_err(failed)
    }

    /// How many people are in which state.
    pub async fn count_deliveries(&self, key: &PluginKey) -> Result<Vec<DeliveryCount>, Error> {
        let failed = |error| Error::query("counting deliveries", error);
        let text = format!(
            "SELECT state, {} AS n, MIN(updated_at) AS oldest_at FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 \
             AND destination = $3 GROUP BY state ORDER BY state",
            self.dialect().as_bigint("COUNT(*)")
        );
        DeliveryCount::find_by_statement(sql(self.dialect(), &text, self.plugin_values(key)))
            .all(self.connection())
            .await
            .map_err(failed)
    }

    pub(super) fn plugin_values(&self, key: &PluginKey) -> [sea_orm::Value; 3] {
        [
            self.organization_id.into(),
            key.plugin.as_str().into(),
            key.destination.as_str().into(),
        ]
    }
}

fn reading(error: sea_orm::DbErr) -> Error {
    Error::query("reading deliveries", error)
}

impl From<Model> for DeliveryRow {
    fn from(row: Model) -> DeliveryRow {
        DeliveryRow {
            supporter_id: row.supporter_id,
            state: row.state,
            reason: row.reason,
            fingerprint: row.fingerprint,
            attempts: row.attempts,
            address: row.address.as_deref().and_then(Address::parse),
            intent: row.intent,
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
            undone_mark: row.undone_mark,
            updated_at: row.updated_at,
        }
    }
}
