//! Orders to take back what pushes changed: at most one is open for a place.

use super::PluginKey;
use crate::clock;
use crate::domain::{Harm, Held, Time, UndoScope};
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{as_bigint, sql};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::ConnectionTrait;
use serde_json::json;

/// An order that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoOrder {
    /// The number of the order.
    pub id: i64,
    /// What is meant.
    pub scope: UndoScope,
    /// When it was given.
    pub asked_at: Time,
}

impl TenantStore {
    /// The order that is open, if there is one.
    pub async fn open_undo(&self, key: &PluginKey) -> Result<Option<UndoOrder>, Error> {
        let failed = |error| Error::query("reading what is to be taken back", error);
        let text = "SELECT id, since, last_image, supporters, asked_at FROM plugin_undos WHERE organization_id = $1 AND plugin = $2 \
                    AND destination = $3 AND ended_at IS NULL ORDER BY id DESC LIMIT 1";
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let supporters: Option<String> = row.try_get("", "supporters").map_err(failed)?;
        Ok(Some(UndoOrder {
            id: row.try_get("", "id").map_err(failed)?,
            scope: UndoScope {
                since: row.try_get("", "since").map_err(failed)?,
                last_image: row.try_get("", "last_image").map_err(failed)?,
                supporters: supporters
                    .and_then(|text| serde_json::from_str(&text).ok())
                    .unwrap_or_default(),
            },
            asked_at: row.try_get("", "asked_at").map_err(failed)?,
        }))
    }

    /// A person orders something to be taken back; it takes the place of an order that is open.
    /// Answers with its number.
    pub async fn order_undo(&self, key: &PluginKey, scope: &UndoScope) -> Result<i64, Error> {
        retry(TransactionTries::of_countable(), || {
            self.order_undo_once(key, scope)
        })
        .await
    }

    async fn order_undo_once(&self, key: &PluginKey, scope: &UndoScope) -> Result<i64, Error> {
        let failed = |error| Error::query("writing what is to be taken back", error);
        let (backend, now) = (self.backend(), clock::now());
        let tx = self.store.begin_write().await?;
        let text = "UPDATE plugin_undos SET ended_at = $1, ending = 'replaced' WHERE organization_id = $2 AND plugin = $3 \
                    AND destination = $4 AND ended_at IS NULL";
        tx.execute_raw(sql(
            backend,
            text,
            std::iter::once(now.into()).chain(self.plugin_values(key)),
        ))
        .await
        .map_err(failed)?;
        let text = "INSERT INTO plugin_undos (organization_id, plugin, destination, since, last_image, supporters, asked_at) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let supporters =
            (!scope.supporters.is_empty()).then(|| json!(scope.supporters).to_string());
        let rest = [
            scope.since.into(),
            scope.last_image.into(),
            supporters.into(),
            now.into(),
        ];
        tx.execute_raw(sql(
            backend,
            text,
            self.plugin_values(key).into_iter().chain(rest),
        ))
        .await
        .map_err(failed)?;
        let text = format!(
            "SELECT {} AS id FROM plugin_undos WHERE organization_id = $1 AND plugin = $2 AND destination = $3 AND ended_at IS NULL",
            as_bigint(backend, "MAX(id)")
        );
        let row = tx
            .query_one_raw(sql(backend, &text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let id: i64 = row
            .ok_or(Error::NoOrganization)?
            .try_get("", "id")
            .map_err(failed)?;
        let detail = json!({
            "destination": key.destination, "undo": id, "since": scope.since.to_rfc3339(),
            "supporters": if scope.supporters.is_empty() { json!("all") } else { json!(scope.supporters) },
        });
        let subject = format!("plugin:{}", key.plugin);
        audit::note_by(
            &tx,
            backend,
            "cli",
            Some(self.organization_id),
            "plugin.undo",
            &subject,
            detail,
        )
        .await?;
        tx.commit().await.map_err(Error::commit)?;
        Ok(id)
    }

    /// The order is over; nothing of it is held any more.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn end_undo(
        &self,
        fence: &Fence,
        key: &PluginKey,
        order: i64,
        ending: &str,
    ) -> Result<(), Error> {
        self.change_undo(fence, key, Some((order, ending)), &[])
            .await
    }

    /// Replaces what is held of an order.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn hold_undo(
        &self,
        fence: &Fence,
        key: &PluginKey,
        held: &[Held],
    ) -> Result<(), Error> {
        self.change_undo(fence, key, None, held).await
    }

    async fn change_undo(
        &self,
        fence: &Fence,
        key: &PluginKey,
        ended: Option<(i64, &str)>,
        held: &[Held],
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            self.replace_holds(&tx, key, Harm::Undo, held).await?;
            if let Some((order, ending)) = ended {
                let text = "UPDATE plugin_undos SET ended_at = $1, ending = $2 WHERE organization_id = $3 AND id = $4";
                let values = [
                    clock::now().into(),
                    ending.into(),
                    self.organization_id.into(),
                    order.into(),
                ];
                tx.execute_raw(sql(self.backend(), text, values))
                    .await
                    .map_err(|error| Error::query("ending an order to take back", error))?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}
