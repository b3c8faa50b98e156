//! What is written into the ledger around a call: who is about to be sent and with what harm,
//! before it; and what became of them, after it.

use super::PluginKey;
use super::grants::Taken;
use super::holds::Verdicts;
use super::state::advance;
use crate::clock;
use crate::domain::{Address, Fate, Image, Step, Time, Verdict};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{document, sql, upsert};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Map, json};
use std::collections::BTreeMap;

const KEY: &str = "organization_id, plugin, destination, supporter_id";

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

impl TenantStore {
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
        let stamp = self.dialect().time_text(clock::now());
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
                    self.dialect(),
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
        let dialect = self.dialect();
        let now = clock::now();
        let stamp = dialect.time_text(now);
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
                // Of whom nobody heard it is kept when and where they were sent.
                let unheard = old.filter(|_| matches!(verdict.fate, Fate::Unheard(_)));
                let address = match unheard {
                    Some(old) => old.address.as_ref(),
                    None => delivered.addresses.get(&verdict.supporter_id),
                };
                set("address", address.map(Address::as_str).into());
                if let Some(old) = unheard {
                    set("updated_at", dialect.time_text(old.updated_at).into());
                }
                let time = |time: Option<Time>| time.map(|time| dialect.time_text(time)).into();
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
        let text = upsert(self.dialect(), "plugin_deliveries", KEY, &all, &kept, &[]);
        tx.execute_raw(sql(
            self.dialect(),
            &text,
            [document(bytes.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing deliveries", error))?;
        Ok(())
    }
}
