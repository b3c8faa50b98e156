//! Contacts that a person said are ours: written down by whoever asked the person, and taken over
//! by the next delivery, which alone writes the mirror.

use super::{PluginKey, words_document};
use crate::entities::plugin_adoption::{Column, Entity};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{document, insert, sql};
use crate::store::{Error, Fence, TenantStore, audit, tuple};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

/// Stands for the word that nobody is ours.
const NOBODY: &str = "";

/// Contacts in one statement.
const PIECE: usize = 5_000;

fn failed(error: sea_orm::DbErr) -> Error {
    Error::query("writing who is ours", error)
}

impl TenantStore {
    /// A person says that these contacts, by the other side's ids, are ours, or that none is. Said
    /// twice it is said once.
    pub async fn adopt(
        &self,
        key: &PluginKey,
        remote_ids: &[String],
        actor: &str,
    ) -> Result<(), Error> {
        retry(TransactionTries::of_countable(), || {
            self.adopt_once(key, remote_ids, actor)
        })
        .await
    }

    async fn adopt_once(
        &self,
        key: &PluginKey,
        remote_ids: &[String],
        actor: &str,
    ) -> Result<(), Error> {
        let nobody = [NOBODY.to_owned()];
        let tx = self.store.begin_write().await?;
        if remote_ids.is_empty() {
            Entity::delete_many()
                .filter(self.here::<Entity>(key))
                .exec(&tx)
                .await
                .map_err(failed)?;
        } else {
            self.strike(&tx, key, remote_ids).await?;
        }
        let fields = [
            ("organization_id", Kind::Int),
            ("plugin", Kind::Text),
            ("destination", Kind::Text),
            ("remote_id", Kind::Text),
        ];
        let text = insert(self.dialect(), "plugin_adoptions", &fields);
        for piece in if remote_ids.is_empty() {
            &nobody
        } else {
            remote_ids
        }
        .chunks(PIECE)
        {
            let object = |id: &String| {
                let row = json!({ "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination, "remote_id": id });
                row.to_string().into_bytes()
            };
            let objects: Vec<Vec<u8>> = piece.iter().map(object).collect();
            tx.execute_raw(sql(
                self.dialect(),
                &text,
                [document(objects.iter().map(Vec::as_slice))],
            ))
            .await
            .map_err(failed)?;
        }
        let detail = json!({ "destination": key.destination, "contacts": remote_ids.len() });
        let subject = format!("plugin:{}", key.plugin);
        audit::note_by(
            &tx,
            self.dialect(),
            actor,
            Some(self.organization_id),
            "plugin.adopt",
            &subject,
            detail,
        )
        .await?;
        tx.commit().await.map_err(Error::commit)
    }

    /// Those that were not taken over yet; `None`: nobody said anything.
    pub async fn adoptions(&self, key: &PluginKey) -> Result<Option<Vec<String>>, Error> {
        let failed = |error| Error::query("reading who is ours", error);
        let mut ids: Vec<String> = Entity::find()
            .select_only()
            .column(Column::RemoteId)
            .filter(self.here::<Entity>(key))
            .order_by_asc(Column::RemoteId)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)?;
        let is_said = !ids.is_empty();
        ids.retain(|id| id != NOBODY);
        Ok(is_said.then_some(ids))
    }

    /// These were taken over, or nobody was to be.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn close_adoptions(
        &self,
        fence: &Fence,
        key: &PluginKey,
        remote_ids: &[String],
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            self.strike(&tx, key, remote_ids).await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }

    /// Removes these, and the word that nobody is ours.
    async fn strike(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        remote_ids: &[String],
    ) -> Result<(), Error> {
        let text = format!(
            "DELETE FROM plugin_adoptions WHERE remote_id IN (SELECT j.word FROM {}) AND organization_id = $2 AND plugin = $3 \
             AND destination = $4",
            self.dialect().unpack(&[("word", Kind::Text)])
        );
        let words = words_document(remote_ids.iter().map(String::as_str).chain([NOBODY]));
        tx.execute_raw(sql(
            self.dialect(),
            &text,
            std::iter::once(words).chain(self.plugin_values(key)),
        ))
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// How many contacts are in and carry tags of ours, and do not count as ours.
    pub async fn count_carrying(&self, key: &PluginKey, field: &str) -> Result<u64, Error> {
        let failed = |error| Error::query("counting who carries our tags", error);
        let (filled, empty) = (format!("%\"{field}\":\"%"), format!("%\"{field}\":\"\"%"));
        let text = format!(
            "SELECT {} AS n FROM plugin_members WHERE organization_id = $1 AND plugin = $2 AND destination = $3 AND subscribed_by_us = $4 \
             AND remote_status IN ('subscribed', 'pending') AND (managed_tags <> '[]' OR field_values LIKE $5 AND field_values NOT LIKE $6)",
            self.dialect().as_bigint("COUNT(*)")
        );
        let values =
            self.plugin_values(key)
                .into_iter()
                .chain([false.into(), filled.into(), empty.into()]);
        let statement = sql(self.dialect(), &text, values);
        let count: i64 = tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?
            .unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
