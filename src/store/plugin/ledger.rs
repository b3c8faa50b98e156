//! The ledger: for each person and destination what was sent, what became of it, and when to look
//! again.

use super::PluginKey;
use super::holds::{Taken, Verdicts};
use super::state::advance;
use crate::clock;
use crate::domain::{Address, Fate, Image, Step, Time, Verdict};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::row::time_text;
use crate::store::statement::{as_bigint, document, ids_document, lookup, sql, unpack, upsert};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};
use serde_json::{Map, json};
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, destination, supporter_id";

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

/// One person who is about to be sent: written down before the call, so that a crash in between is
/// known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// The address that is sent, where one is.
    pub address: Option<Address>,
    /// What is done.
    pub intent: Step,
    /// What of the contact is changed by it, if it can be taken back.
    pub image: Option<Image>,
}

/// Verdicts of one batch.
#[derive(Debug, Clone)]
pub struct Delivered<'a> {
    /// One a person.
    pub verdicts: &'a [Verdict],
    /// The addresses that these people have now.
    pub addresses: &'a BTreeMap<i64, Address>,
    /// How far the change feed was read, if this batch came from it.
    pub cursor: Option<i64>,
}

/// How many people are in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCount {
    /// `sending`, or a fate's word.
    pub state: String,
    /// How many people are in this state.
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
        let join = lookup(self.backend());
        let source = unpack(self.backend(), &[("id", Kind::Int)]);
        let rest = format!(
            "FROM {source} {join} plugin_deliveries AS d ON d.supporter_id = j.id \
             WHERE d.organization_id = $2 AND d.plugin = $3 AND d.destination = $4"
        );
        let values =
            std::iter::once(ids_document(ids.iter().copied())).chain(self.plugin_values(key));
        let rows = self.delivery_rows(&rest, values).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.supporter_id, row))
            .collect())
    }

    /// The latest touched rows in a state that have a reason or a note, for people to look at.
    pub async fn deliveries_in(
        &self,
        key: &PluginKey,
        state: &str,
        limit: u64,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let rest = format!(
            "FROM plugin_deliveries AS d WHERE d.organization_id = $1 AND d.plugin = $2 AND d.destination = $3 AND d.state = $4 \
             AND d.reason IS NOT NULL ORDER BY d.updated_at DESC LIMIT {limit}"
        );
        self.delivery_rows(
            &rest,
            self.plugin_values(key).into_iter().chain([state.into()]),
        )
        .await
    }

    async fn delivery_rows(
        &self,
        rest: &str,
        values: impl IntoIterator<Item = sea_orm::Value>,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let failed = |error| Error::query("reading deliveries", error);
        let text = format!(
            "SELECT d.supporter_id, d.state, d.reason, d.fingerprint, d.attempts, d.address, d.intent, d.next_attempt_at, d.delivered_at, \
             d.undone_mark, d.updated_at {rest}"
        );
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
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
        let join = lookup(self.backend());
        let text = format!(
            "SELECT d.supporter_id FROM {} {join} plugin_deliveries AS d ON d.address = j.address \
             WHERE d.organization_id = $2 AND d.plugin = $3 AND d.destination = $4",
            unpack(self.backend(), &[("address", Kind::Text)])
        );
        let values = std::iter::once(document(objects.iter().map(Vec::as_slice)))
            .chain(self.plugin_values(key));
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| row.try_get("", "supporter_id"))
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Writes down who is about to be sent and with what harm, before the call.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn begin_sending(
        &self,
        fence: &Fence,
        key: &PluginKey,
        sending: &[Sending],
        taken: &Taken,
    ) -> Result<(), Error> {
        let stamp = time_text(clock::now(), self.backend());
        let objects: Vec<Map<String, serde_json::Value>> = sending
            .iter()
            .map(|one| {
                let mut object = self.opening(key, one.supporter_id, &stamp);
                object.insert("state".to_owned(), "sending".into());
                object.insert("intent".to_owned(), one.intent.as_str().into());
                object.insert(
                    "address".to_owned(),
                    one.address.as_ref().map(Address::as_str).into(),
                );
                object
            })
            .collect();
        let fields = [
            ("state", Kind::Text),
            ("intent", Kind::Text),
            ("address", Kind::Text),
        ];
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            self.write(&tx, &objects, &fields).await?;
            self.note_images(
                &tx,
                key,
                sending.iter().filter_map(|one| one.image.as_ref()),
            )
            .await?;
            self.note_taken(&tx, key, taken).await?;
            for one in sending.iter().filter(|one| one.intent == Step::Unsubscribe) {
                let subject = format!("supporter:{}", one.supporter_id);
                let detail = json!({ "destination": key.destination });
                let action = format!("{}.unsubscribe", key.plugin);
                audit::note_by(
                    &tx,
                    self.backend(),
                    &key.plugin,
                    Some(self.organization_id),
                    &action,
                    &subject,
                    detail,
                )
                .await?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_countable(), once).await
    }

    /// Writes what became of a batch, and how far the change feed was read.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn finish_deliveries(
        &self,
        fence: &Fence,
        key: &PluginKey,
        delivered: &Delivered<'_>,
    ) -> Result<(), Error> {
        let backend = self.backend();
        let now = clock::now();
        let stamp = time_text(now, backend);
        let ids: Vec<i64> = delivered
            .verdicts
            .iter()
            .map(|verdict| verdict.supporter_id)
            .collect();
        let before = self.deliveries(key, &ids).await?;
        let holds = Verdicts::of(delivered.verdicts);
        let objects: Vec<Map<String, serde_json::Value>> = delivered
            .verdicts
            .iter()
            .map(|verdict| {
                let old = before.get(&verdict.supporter_id);
                let mut object = self.opening(key, verdict.supporter_id, &stamp);
                let mut set =
                    |name: &str, value: serde_json::Value| object.insert(name.to_owned(), value);
                set("state", verdict.fate.as_str().into());
                set(
                    "reason",
                    verdict.fate.reason().or(verdict.note.as_deref()).into(),
                );
                set("fingerprint", verdict.fingerprint.into());
                let is_delivered = verdict.fate == Fate::Delivered;
                set(
                    "attempts",
                    if is_delivered {
                        0
                    } else {
                        old.map_or(0, |old| old.attempts) + 1
                    }
                    .into(),
                );
                set(
                    "address",
                    delivered
                        .addresses
                        .get(&verdict.supporter_id)
                        .map(Address::as_str)
                        .into(),
                );
                let time = |time: Option<Time>| time.map(|time| time_text(time, backend)).into();
                if let Fate::Deferred { until, .. } = &verdict.fate {
                    set("next_attempt_at", time(Some(*until)));
                }
                set("review_at", time(verdict.review_at));
                set(
                    "delivered_at",
                    time(if is_delivered {
                        Some(now)
                    } else {
                        old.and_then(|old| old.delivered_at)
                    }),
                );
                // Something else was sent since: what was taken back before is the past.
                let was_sent = is_delivered && verdict.fingerprint.is_some();
                set(
                    "undone_mark",
                    old.and_then(|old| old.undone_mark)
                        .filter(|_| !was_sent)
                        .into(),
                );
                object
            })
            .collect();
        let fields = [
            ("state", Kind::Text),
            ("reason", Kind::Text),
            ("fingerprint", Kind::Int),
            ("attempts", Kind::Int),
            ("address", Kind::Text),
            ("next_attempt_at", Kind::Time),
            ("review_at", Kind::Time),
            ("delivered_at", Kind::Time),
            ("undone_mark", Kind::Int),
        ];
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            self.write(&tx, &objects, &fields).await?;
            self.rewrite_holds(&tx, key, &holds).await?;
            if let Some(cursor) = delivered.cursor {
                advance(&tx, self, key, cursor).await?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }

    /// How many people are in which state.
    pub async fn count_deliveries(&self, key: &PluginKey) -> Result<Vec<DeliveryCount>, Error> {
        let failed = |error| Error::query("counting deliveries", error);
        let text = format!(
            "SELECT state, {} AS n, MIN(updated_at) AS oldest_at FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 \
             AND destination = $3 GROUP BY state ORDER BY state",
            as_bigint(self.backend(), "COUNT(*)")
        );
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let read = |row: &QueryResult| {
            Ok(DeliveryCount {
                state: row.try_get("", "state")?,
                count: row.try_get("", "n")?,
                oldest_at: row.try_get("", "oldest_at")?,
            })
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, DbErr>>()
            .map_err(failed)
    }

    pub(super) fn plugin_values(&self, key: &PluginKey) -> [sea_orm::Value; 3] {
        [
            self.organization_id.into(),
            key.plugin.as_str().into(),
            key.destination.as_str().into(),
        ]
    }

    fn opening(
        &self,
        key: &PluginKey,
        supporter_id: i64,
        stamp: &str,
    ) -> Map<String, serde_json::Value> {
        let pairs = [
            ("organization_id", json!(self.organization_id)),
            ("plugin", json!(key.plugin)),
            ("destination", json!(key.destination)),
            ("supporter_id", json!(supporter_id)),
            ("updated_at", json!(stamp)),
        ];
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    async fn write(
        &self,
        tx: &DatabaseTransaction,
        objects: &[Map<String, serde_json::Value>],
        fields: &[(&str, Kind)],
    ) -> Result<(), Error> {
        if objects.is_empty() {
            return Ok(());
        }
        let own = [
            ("organization_id", Kind::Int),
            ("plugin", Kind::Text),
            ("destination", Kind::Text),
            ("supporter_id", Kind::Int),
            ("updated_at", Kind::Time),
        ];
        let all: Vec<_> = own.into_iter().chain(fields.iter().copied()).collect();
        let kept = ["organization_id", "plugin", "destination", "supporter_id"];
        let bytes: Vec<Vec<u8>> = objects
            .iter()
            .map(|object| {
                serde_json::Value::Object(object.clone())
                    .to_string()
                    .into_bytes()
            })
            .collect();
        let text = upsert(self.backend(), "plugin_deliveries", KEY, &all, &kept, &[]);
        tx.execute_raw(sql(
            self.backend(),
            &text,
            [document(bytes.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing deliveries", error))?;
        Ok(())
    }
}

fn read(row: &QueryResult) -> Result<DeliveryRow, DbErr> {
    Ok(DeliveryRow {
        supporter_id: row.try_get("", "supporter_id")?,
        state: row.try_get("", "state")?,
        reason: row.try_get("", "reason")?,
        fingerprint: row.try_get("", "fingerprint")?,
        attempts: row.try_get("", "attempts")?,
        address: row
            .try_get::<Option<String>>("", "address")?
            .as_deref()
            .and_then(Address::parse),
        intent: row.try_get("", "intent")?,
        next_attempt_at: row.try_get("", "next_attempt_at")?,
        delivered_at: row.try_get("", "delivered_at")?,
        undone_mark: row.try_get("", "undone_mark")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}
