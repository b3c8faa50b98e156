//! What is known of a place as a whole: whether it was pushed into before, what the first push
//! would do, and whether a plugin is suspended there until a person has looked.

use super::PluginKey;
use crate::domain::Time;
use crate::entities::plugin_guard::{ActiveModel, Column, Entity};
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::sql;
use crate::store::{Error, Fence, Store, TenantStore, audit};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use serde_json::json;

/// What one place of a plugin was told and pushed so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardState {
    /// When the first push was made; absent when it is still to come.
    pub first_push_at: Option<Time>,
    /// The plugin delivered to another place before this one, or was to.
    pub was_elsewhere: bool,
    /// Until when a person's word on all of the first push holds.
    pub first_push_until: Option<Time>,
    /// What the next delivery would do, as it was last computed; the plugin layer's own, as JSON.
    pub forecast: Option<String>,
    /// Since when nothing is sent, and why; until a person has looked.
    pub suspended: Option<(Time, String)>,
}

/// A plugin that is suspended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// When it was suspended, UTC.
    pub since: Time,
    /// In a sentence for people, without secrets.
    pub reason: String,
}

#[derive(FromQueryResult)]
struct Suspended {
    classy_id: i64,
    plugin: String,
    suspended_at: Option<Time>,
    suspended_reason: Option<String>,
}

impl TenantStore {
    /// What is known; of a place that nobody looked at yet, nothing. One to which the plugin comes
    /// back from another is as new.
    pub async fn guard_state(&self, key: &PluginKey) -> Result<GuardState, Error> {
        let failed = |error| Error::query("reading the guard's state", error);
        let row = Entity::find()
            .filter(self.here::<Entity>(key))
            .one(self.connection())
            .await
            .map_err(failed)?;
        let is_new_here = self.place_of_before(key).await?.is_some();
        let other: Option<String> = Entity::find()
            .select_only()
            .column(Column::Plugin)
            .filter(self.elsewhere::<Entity>(key))
            .into_tuple()
            .one(self.connection())
            .await
            .map_err(failed)?;
        let was_elsewhere = is_new_here || other.is_some();
        let Some(row) = row else {
            return Ok(GuardState {
                was_elsewhere,
                ..GuardState::default()
            });
        };
        let reason = row.suspended_reason.unwrap_or_default();
        Ok(GuardState {
            first_push_at: row.first_push_at.filter(|_| !is_new_here),
            was_elsewhere,
            first_push_until: row.first_push_until,
            forecast: row.forecast,
            suspended: row.suspended_at.map(|since| (since, reason)),
        })
    }

    /// Suspends a plugin until a person has looked, for every process. One that is suspended stays
    /// so for the reason that was first. It asks for no lease: whoever sees what must never happen
    /// may say stop.
    pub async fn suspend_plugin(
        &self,
        key: &PluginKey,
        reason: &str,
        at: Time,
    ) -> Result<(), Error> {
        let detail = json!({ "destination": key.destination, "reason": reason });
        self.change_suspension(
            key,
            Some((at, reason)),
            &key.plugin,
            "plugin.suspended",
            detail,
        )
        .await
    }

    /// A person has looked. Answers whether it was suspended.
    pub async fn resume_plugin(&self, key: &PluginKey, reason: &str) -> Result<bool, Error> {
        let Some((since, was)) = self.guard_state(key).await?.suspended else {
            return Ok(false);
        };
        let detail = json!({ "destination": key.destination, "reason": reason, "since": since.to_rfc3339(), "was": was });
        self.change_suspension(key, None, "cli", "plugin.resume", detail)
            .await?;
        Ok(true)
    }

    async fn change_suspension(
        &self,
        key: &PluginKey,
        to: Option<(Time, &str)>,
        actor: &str,
        action: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        let once = || async {
            if to.is_some() && self.guard_state(key).await?.suspended.is_some() {
                return Ok(());
            }
            let tx = self.store.begin_write().await?;
            let change = ActiveModel {
                suspended_at: Set(to.map(|(at, _)| at)),
                suspended_reason: Set(to.map(|(_, reason)| reason.to_owned())),
                ..Default::default()
            };
            set(&tx, self, key, change).await?;
            let subject = format!("plugin:{}", key.plugin);
            audit::note_by(
                &tx,
                self.dialect(),
                actor,
                Some(self.organization_id),
                action,
                &subject,
                detail.clone(),
            )
            .await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_countable(), once).await
    }

    /// The first push was made at a moment; a person's word on it is used up.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn note_first_push(
        &self,
        fence: &Fence,
        key: &PluginKey,
        at: Time,
    ) -> Result<(), Error> {
        self.set_guard(fence, key, first_push_at(Some(at))).await?;
        self.set_guard(fence, key, first_push_until(None)).await
    }

    /// A plugin that comes back to a place from another one asks there again, as at the first push.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn arrive(&self, fence: &Fence, key: &PluginKey) -> Result<(), Error> {
        if self.place_of_before(key).await?.is_some() {
            self.set_guard(fence, key, first_push_at(None)).await?;
        }
        Ok(())
    }

    /// What the first push would do; nothing when there is none to come.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn note_forecast(
        &self,
        fence: &Fence,
        key: &PluginKey,
        forecast: Option<String>,
    ) -> Result<(), Error> {
        let change = ActiveModel {
            forecast: Set(forecast),
            ..Default::default()
        };
        self.set_guard(fence, key, change).await
    }

    async fn set_guard(
        &self,
        fence: &Fence,
        key: &PluginKey,
        change: ActiveModel,
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            set(&tx, self, key, change.clone()).await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

impl Store {
    /// The plugins that are suspended, of the places that are delivered to now.
    pub async fn suspensions(&self) -> Result<Vec<Suspension>, Error> {
        let failed = |error| Error::query("reading which plugins are suspended", error);
        let text = "SELECT o.classy_id, g.plugin, g.suspended_at, g.suspended_reason FROM plugin_guards AS g \
                    JOIN organizations AS o ON o.id = g.organization_id \
                    JOIN plugin_states AS p ON p.organization_id = g.organization_id AND p.plugin = g.plugin AND p.destination = g.destination \
                    WHERE g.suspended_at IS NOT NULL ORDER BY o.classy_id, g.plugin";
        let rows = Suspended::find_by_statement(sql(self.dialect(), text, []))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let suspension = |row: Suspended| Suspension {
            classy_id: row.classy_id,
            plugin: row.plugin,
            since: row.suspended_at.unwrap_or_default(),
            reason: row.suspended_reason.unwrap_or_default(),
        };
        Ok(rows.into_iter().map(suspension).collect())
    }
}

fn first_push_at(at: Option<Time>) -> ActiveModel {
    ActiveModel {
        first_push_at: Set(at),
        ..Default::default()
    }
}

fn first_push_until(until: Option<Time>) -> ActiveModel {
    ActiveModel {
        first_push_until: Set(until),
        ..Default::default()
    }
}

/// A person's word on the whole first push holds until a moment.
pub(super) async fn open<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    until: Time,
) -> Result<(), Error> {
    set(tx, tenant, key, first_push_until(Some(until))).await
}

/// Sets columns of ours, whether or not there is a row.
async fn set<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    change: ActiveModel,
) -> Result<(), Error> {
    let failed = |error| Error::query("writing the guard's state", error);
    let done = Entity::update_many()
        .set(change.clone())
        .filter(tenant.here::<Entity>(key))
        .exec(tx)
        .await
        .map_err(failed)?;
    if done.rows_affected > 0 {
        return Ok(());
    }
    // MySQL counts no row that stays as it is: whether there is one is asked for itself.
    let there: Option<String> = Entity::find()
        .select_only()
        .column(Column::Plugin)
        .filter(tenant.here::<Entity>(key))
        .into_tuple()
        .one(tx)
        .await
        .map_err(failed)?;
    if there.is_some() {
        return Ok(());
    }
    let row = ActiveModel {
        organization_id: Set(tenant.organization_id),
        plugin: Set(key.plugin.clone()),
        destination: Set(key.destination.clone()),
        ..change
    };
    Entity::insert(row)
        .exec_without_returning(tx)
        .await
        .map_err(failed)?;
    Ok(())
}
