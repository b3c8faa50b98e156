//! Orders to take back what pushes changed: at most one is open for a place.

use super::PluginKey;
use crate::clock;
use crate::domain::{Harm, Held, Time, UndoScope};
use crate::entities::plugin_undo::{ActiveModel, Column, Entity, Model};
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::sql;
use crate::store::{Error, Fence, TenantStore, audit, tuple};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
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
        let row = Entity::find()
            .filter(self.here::<Entity>(key))
            .filter(Column::EndedAt.is_null())
            .order_by_desc(Column::Id)
            .one(self.connection())
            .await
            .map_err(failed)?;
        Ok(row.map(UndoOrder::from))
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
        let (dialect, now) = (self.dialect(), clock::now());
        let tx = self.store.begin_write().await?;
        Entity::update_many()
            .set(over(now, "replaced"))
            .filter(self.here::<Entity>(key))
            .filter(Column::EndedAt.is_null())
            .exec(&tx)
            .await
            .map_err(failed)?;
        let supporters =
            (!scope.supporters.is_empty()).then(|| json!(scope.supporters).to_string());
        let row = ActiveModel {
            organization_id: Set(self.organization_id),
            plugin: Set(key.plugin.clone()),
            destination: Set(key.destination.clone()),
            since: Set(scope.since),
            last_image: Set(scope.last_image),
            supporters: Set(supporters),
            asked_at: Set(now),
            ..Default::default()
        };
        Entity::insert(row)
            .exec_without_returning(&tx)
            .await
            .map_err(failed)?;
        let text = format!(
            "SELECT {} AS id FROM plugin_undos WHERE organization_id = $1 AND plugin = $2 AND destination = $3 AND ended_at IS NULL",
            dialect.as_bigint("MAX(id)")
        );
        let id: i64 = tuple::one(&tx, sql(dialect, &text, self.plugin_values(key)))
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        let detail = json!({
            "destination": key.destination, "undo": id, "since": scope.since.to_rfc3339(),
            "supporters": if scope.supporters.is_empty() { json!("all") } else { json!(scope.supporters) },
        });
        let subject = format!("plugin:{}", key.plugin);
        audit::note_by(
            &tx,
            dialect,
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
                Entity::update_many()
                    .set(over(clock::now(), ending))
                    .filter(Column::OrganizationId.eq(self.organization_id))
                    .filter(Column::Id.eq(order))
                    .exec(&tx)
                    .await
                    .map_err(|error| Error::query("ending an order to take back", error))?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

/// An order that is over.
fn over(at: Time, ending: &str) -> ActiveModel {
    ActiveModel {
        ended_at: Set(Some(at)),
        ending: Set(Some(ending.to_owned())),
        ..Default::default()
    }
}

impl From<Model> for UndoOrder {
    fn from(row: Model) -> UndoOrder {
        let supporters = row.supporters;
        UndoOrder {
            id: row.id,
            scope: UndoScope {
                since: row.since,
                last_image: row.last_image,
                supporters: supporters
                    .and_then(|text| serde_json::from_str(&text).ok())
                    .unwrap_or_default(),
            },
            asked_at: row.asked_at,
        }
    }
}
