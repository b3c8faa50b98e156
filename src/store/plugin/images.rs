//! What pushes changed: written down in the transaction that says who is about to be sent, read
//! again to take it back.

use super::PluginKey;
use crate::clock;
use crate::domain::{Harm, Image, Taking, Time, UndoScope, Values};
use crate::entities::plugin_delivery;
use crate::entities::plugin_image::{Column, Entity, Model};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{columns, document, ids_document, insert, sql};
use crate::store::{Error, Fence, TenantStore, audit, tuple};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
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
        let dialect = self.dialect();
        let stamp = dialect.time_text(clock::now());
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
        let text = insert(dialect, "plugin_images", &FIELDS);
        tx.execute_raw(sql(
            dialect,
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
            self.dialect().as_bigint("COALESCE(MAX(id), 0)")
        );
        let statement = sql(self.dialect(), &text, self.plugin_values(key));
        let last = tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?;
        Ok(last.unwrap_or(0))
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
        let dialect = self.dialect();
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
        let ids: Vec<i64> = tuple::all(self.connection(), sql(dialect, &text, values))
            .await
            .map_err(failed)?;
        let text = format!(
            "SELECT {all} FROM {source} {join} plugin_images AS i ON i.supporter_id = j.id WHERE i.organization_id = $2 AND i.plugin = $3 \
             AND i.destination = $4 AND i.sent_at >= $5 AND i.id <= $6 AND {open} ORDER BY i.id",
            all = columns::<Entity>(dialect, "i"),
            source = dialect.unpack(&[("id", Kind::Int)]),
            join = dialect.lookup()
        );
        let values = std::iter::once(ids_document(ids))
            .chain(self.plugin_values(key))
            .chain(bounds);
        let mut images: BTreeMap<i64, Vec<Image>> = BTreeMap::new();
        for row in Model::find_by_statement(sql(dialect, &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?
        {
            let image = Image::try_from(row).map_err(failed)?;
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
        let dialect = self.dialect();
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
            tx.execute_raw(sql(dialect, &text, values))
                .await
                .map_err(failed)?;
            if !one.outcome.keeps_as_it_is() {
                continue;
            }
            let undone = plugin_delivery::ActiveModel {
                undone_mark: Set(Some(one.mark)),
                fingerprint: Set(None),
                ..Default::default()
            };
            plugin_delivery::Entity::update_many()
                .set(undone)
                .filter(self.here::<plugin_delivery::Entity>(key))
                .filter(plugin_delivery::Column::SupporterId.eq(one.supporter_id))
                .exec(&tx)
                .await
                .map_err(failed)?;
            let subject = format!("supporter:{}", one.supporter_id);
            let detail = json!({ "destination": key.destination, "undo": order, "fields": one.fields, "tags": one.tags, "untags": one.untags });
            audit::note_by(
                &tx,
                dialect,
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
        let rows: Vec<(i64, Option<String>, Option<String>)> = Entity::find()
            .select_only()
            .columns([Column::SupporterId, Column::Outcome, Column::Detail])
            .distinct()
            .filter(self.here::<Entity>(key))
            .filter(Column::UndoId.eq(order))
            .order_by_asc(Column::SupporterId)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)?;
        let row =
            |(supporter_id, outcome, detail): (i64, Option<String>, Option<String>)| UndoneRow {
                supporter_id,
                outcome: outcome.unwrap_or_default(),
                detail: detail.unwrap_or_default(),
            };
        Ok(rows.into_iter().map(row).collect())
    }

    /// How many people are not sent again as they were, since that was taken back.
    pub async fn count_undone(&self, key: &PluginKey) -> Result<u64, Error> {
        plugin_delivery::Entity::find()
            .filter(self.here::<plugin_delivery::Entity>(key))
            .filter(plugin_delivery::Column::UndoneMark.is_not_null())
            .count(self.connection())
            .await
            .map_err(|error| Error::query("counting what was taken back", error))
    }

    /// What was taken back may be sent again: those people are looked at once more. Answers with
    /// how many.
    pub async fn forget_undone(&self, key: &PluginKey, now: Time) -> Result<u64, Error> {
        let again = plugin_delivery::ActiveModel {
            undone_mark: Set(None),
            next_attempt_at: Set(Some(now)),
            ..Default::default()
        };
        let done = plugin_delivery::Entity::update_many()
            .set(again)
            .filter(self.here::<plugin_delivery::Entity>(key))
            .filter(plugin_delivery::Column::UndoneMark.is_not_null())
            .exec(self.connection())
            .await;
        Ok(done
            .map_err(|error| Error::query("forgetting what was taken back", error))?
            .rows_affected)
    }
}

impl TryFrom<Model> for Image {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Image, DbErr> {
        let strange = |error: serde_json::Error| DbErr::Type(format!("plugin_images: {error}"));
        let values = |text: String| serde_json::from_str(&text).map(Values).map_err(strange);
        let tags = |text: String| serde_json::from_str::<BTreeSet<String>>(&text).map_err(strange);
        Ok(Image {
            id: row.id,
            supporter_id: row.supporter_id,
            remote_id: row.remote_id,
            contact_id: row.contact_id,
            before: values(row.before_values)?,
            after: values(row.after_values)?,
            put_on: tags(row.put_on)?,
            taken_off: tags(row.taken_off)?,
            mark: row.mark,
        })
    }
}
