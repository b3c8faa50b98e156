//! What pushes changed: written down in the transaction that says who is about to be sent, read
//! again to take it back.

use super::PluginKey;
use crate::clock;
use crate::domain::{Harm, Image, Outcome, Taking, Time, UndoScope, Values};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::row::time_text;
use crate::store::statement::{as_bigint, document, ids_document, insert, lookup, sql, unpack};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: [(&str, Kind); 12] = [
    ("organization_id", Kind::Int),
    ("plugin", Kind::Text),
    ("destination", Kind::Text),
    ("supporter_id", Kind::Int),
    ("remote_id", Kind::Text),
    ("contact_id", Kind::Text),
    ("sent_at", Kind::Time),
    ("before_values", Kind::Text),
    ("after_values", Kind::Text),
    ("put_on", Kind::Text),
    ("taken_off", Kind::Text),
    ("mark", Kind::Int),
];

/// Images that were not taken back, and that an order did not come to yet.
const OPEN: &str =
    "(i.outcome IS NULL OR (i.outcome NOT IN ('taken_back', 'as_before') AND i.undo_id <> ";

/// What became of taking back, in numbers and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoneRow {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// The outcome's word.
    pub outcome: String,
    /// As JSON: names of fields, tags and tags taken off, and what is to be said.
    pub detail: String,
}

impl TenantStore {
    /// Writes images down within a transaction.
    pub(super) async fn note_images<'a>(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        images: impl Iterator<Item = &'a Image>,
    ) -> Result<(), Error> {
        let backend = self.backend();
        let stamp = time_text(clock::now(), backend);
        let object = |image: &Image| {
            json!({
                "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination,
                "supporter_id": image.supporter_id, "remote_id": image.remote_id, "contact_id": image.contact_id, "sent_at": stamp,
                "before_values": json!(image.before.0).to_string(), "after_values": json!(image.after.0).to_string(),
                "put_on": json!(image.put_on).to_string(), "taken_off": json!(image.taken_off).to_string(), "mark": image.mark,
            })
            .to_string()
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = images
            .filter(|image| !image.is_blank())
            .map(object)
            .collect();
        if objects.is_empty() {
            return Ok(());
        }
        let text = insert(backend, "plugin_images", &FIELDS);
        tx.execute_raw(sql(
            backend,
            &text,
            [document(objects.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing down what is about to be changed", error))?;
        Ok(())
    }

    /// The same in a transaction of its own: what is sent differs from what was written down a
    /// moment ago.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn save_images(
        &self,
        fence: &Fence,
        key: &PluginKey,
        images: &[Image],
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            self.note_images(&tx, key, images.iter()).await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }

    /// The highest number of an image; 0 when there is none.
    pub async fn last_image(&self, key: &PluginKey) -> Result<i64, Error> {
        let failed = |error| Error::query("reading what was changed", error);
        let text = format!(
            "SELECT {} AS last FROM plugin_images WHERE organization_id = $1 AND plugin = $2 AND destination = $3",
            as_bigint(self.backend(), "COALESCE(MAX(id), 0)")
        );
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        row.map_or(Ok(0), |row| row.try_get("", "last").map_err(failed))
    }

    /// The images of a scope that were not taken back yet, of the next `limit` people after one,
    /// each person's oldest first. `order`: whoever that order came to already is left out.
    pub async fn images_after(
        &self,
        key: &PluginKey,
        scope: &UndoScope,
        order: i64,
        after: i64,
        limit: u64,
    ) -> Result<BTreeMap<i64, Vec<Image>>, Error> {
        let failed = |error| Error::query("reading what was changed", error);
        let backend = self.backend();
        let only = if scope.supporters.is_empty() {
            String::new()
        } else {
            format!(
                " AND i.supporter_id IN ({})",
                scope
                    .supporters
                    .iter()
                    .map(i64::to_string)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        let open = format!("{OPEN}{order}))");
        let text = format!(
            "SELECT DISTINCT i.supporter_id FROM plugin_images AS i WHERE i.organization_id = $1 AND i.plugin = $2 AND i.destination = $3 \
             AND i.sent_at >= $4 AND i.id <= $5 AND i.supporter_id > $6{only} AND {open} ORDER BY i.supporter_id LIMIT {limit}"
        );
        let bounds = [scope.since.into(), scope.last_image.into()];
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain(bounds.clone())
            .chain([after.into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(backend, &text, values))
            .await
            .map_err(failed)?;
        let ids: Vec<i64> = rows
            .iter()
            .map(|row| row.try_get("", "supporter_id"))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let text = format!(
            "SELECT i.id, i.supporter_id, i.remote_id, i.contact_id, i.before_values, i.after_values, i.put_on, i.taken_off, i.mark \
             FROM {source} {join} plugin_images AS i ON i.supporter_id = j.id WHERE i.organization_id = $2 AND i.plugin = $3 \
             AND i.destination = $4 AND i.sent_at >= $5 AND i.id <= $6 AND {open} ORDER BY i.id",
            source = unpack(backend, &[("id", Kind::Int)]),
            join = lookup(backend)
        );
        let values = std::iter::once(ids_document(ids))
            .chain(self.plugin_values(key))
            .chain(bounds);
        let mut images: BTreeMap<i64, Vec<Image>> = BTreeMap::new();
        for row in self
            .connection()
            .query_all_raw(sql(backend, &text, values))
            .await
            .map_err(failed)?
        {
            let image = read(&row).map_err(failed)?;
            images.entry(image.supporter_id).or_default().push(image);
        }
        Ok(images)
    }

    /// Writes what became of people to whom an order came: on their images, in the audit trail and,
    /// of those of whom something was taken back, in the ledger, so that the same is not sent again
    /// by itself; counts the harm, and uses up what a person allowed.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn note_undone(
        &self,
        fence: &Fence,
        key: &PluginKey,
        order: i64,
        scope: &UndoScope,
        done: &[Taking],
        taken: &super::Taken,
    ) -> Result<(), Error> {
        retry(TransactionTries::of_countable(), || {
            self.note_undone_once(fence, key, order, scope, done, taken)
        })
        .await
    }

    async fn note_undone_once(
        &self,
        fence: &Fence,
        key: &PluginKey,
        order: i64,
        scope: &UndoScope,
        done: &[Taking],
        taken: &super::Taken,
    ) -> Result<(), Error> {
        let failed = |error| Error::query("writing what was taken back", error);
        let backend = self.backend();
        let tx = self.begin_fenced(fence).await?;
        for one in done {
            let word = one.outcome.as_str();
            let detail = json!({ "fields": one.fields, "tags": one.tags, "untags": one.untags, "detail": one.detail() });
            let text = format!(
                "UPDATE plugin_images SET undo_id = $1, outcome = $2, detail = $3 WHERE organization_id = $4 AND plugin = $5 \
                 AND destination = $6 AND supporter_id = $7 AND sent_at >= $8 AND id <= $9 AND {}{order}))",
                OPEN.replace("i.", "")
            );
            let first = [order.into(), word.into(), detail.to_string().into()];
            let rest: [Value; 3] = [
                one.supporter_id.into(),
                scope.since.into(),
                scope.last_image.into(),
            ];
            let values = first.into_iter().chain(self.plugin_values(key)).chain(rest);
            tx.execute_raw(sql(backend, &text, values))
                .await
                .map_err(failed)?;
            if !matches!(one.outcome, Outcome::TakenBack | Outcome::AsBefore) {
                continue;
            }
            let text = "UPDATE plugin_deliveries SET undone_mark = $1, fingerprint = NULL WHERE organization_id = $2 AND plugin = $3 \
                        AND destination = $4 AND supporter_id = $5";
            let values = std::iter::once(one.mark.into())
                .chain(self.plugin_values(key))
                .chain([one.supporter_id.into()]);
            tx.execute_raw(sql(backend, text, values))
                .await
                .map_err(failed)?;
            let subject = format!("supporter:{}", one.supporter_id);
            let detail = json!({ "destination": key.destination, "undo": order, "fields": one.fields, "tags": one.tags, "untags": one.untags });
            audit::note_by(
                &tx,
                backend,
                &key.plugin,
                Some(self.organization_id),
                &format!("{}.undo", key.plugin),
                &subject,
                detail,
            )
            .await?;
        }
        self.release_holds(
            &tx,
            key,
            Harm::Undo,
            &done.iter().map(|one| one.supporter_id).collect::<Vec<_>>(),
        )
        .await?;
        self.note_taken(&tx, key, taken).await?;
        tx.commit().await.map_err(Error::commit)
    }

    /// What an order came to, by person.
    pub async fn undone_by(&self, key: &PluginKey, order: i64) -> Result<Vec<UndoneRow>, Error> {
        let failed = |error| Error::query("reading what was taken back", error);
        let text = "SELECT DISTINCT supporter_id, outcome, detail FROM plugin_images WHERE organization_id = $1 AND plugin = $2 \
                    AND destination = $3 AND undo_id = $4 ORDER BY supporter_id";
        let values = self.plugin_values(key).into_iter().chain([order.into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        let row = |row: &QueryResult| {
            Ok(UndoneRow {
                supporter_id: row.try_get("", "supporter_id")?,
                outcome: row
                    .try_get::<Option<String>>("", "outcome")?
                    .unwrap_or_default(),
                detail: row
                    .try_get::<Option<String>>("", "detail")?
                    .unwrap_or_default(),
            })
        };
        rows.iter()
            .map(row)
            .collect::<Result<_, DbErr>>()
            .map_err(failed)
    }

    /// What was taken back may be sent again: those people are looked at once more. Answers with
    /// how many.
    pub async fn forget_undone(&self, key: &PluginKey, now: Time) -> Result<u64, Error> {
        let text = "UPDATE plugin_deliveries SET undone_mark = NULL, next_attempt_at = $1 WHERE organization_id = $2 AND plugin = $3 \
                    AND destination = $4 AND undone_mark IS NOT NULL";
        let values = std::iter::once(now.into()).chain(self.plugin_values(key));
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await;
        Ok(done
            .map_err(|error| Error::query("forgetting what was taken back", error))?
            .rows_affected())
    }
}

fn read(row: &QueryResult) -> Result<Image, DbErr> {
    let text = |name: &str| row.try_get::<String>("", name);
    let strange = |error: serde_json::Error| DbErr::Type(format!("plugin_images: {error}"));
    let values = |name: &str| -> Result<Values, DbErr> {
        Ok(Values(serde_json::from_str(&text(name)?).map_err(strange)?))
    };
    let tags = |name: &str| -> Result<BTreeSet<String>, DbErr> {
        serde_json::from_str(&text(name)?).map_err(strange)
    };
    Ok(Image {
        id: row.try_get("", "id")?,
        supporter_id: row.try_get("", "supporter_id")?,
        remote_id: text("remote_id")?,
        contact_id: row.try_get("", "contact_id")?,
        before: values("before_values")?,
        after: values("after_values")?,
        put_on: tags("put_on")?,
        taken_off: tags("taken_off")?,
        mark: row.try_get("", "mark")?,
    })
}
