//! How far a plugin has read the change feed, and what it wants to remember.

use crate::clock;
use crate::entities::{organization, plugin_state};
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::of_organization::{OfOrganization, with_organization};
use crate::store::{Error, Fence, Status, Store, TenantStore, audit};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

/// Which ledger: a plugin and the place it delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginKey {
    /// `mailchimp`, `webhook`, ...
    pub plugin: String,
    /// The plugin's own name of the place, such as an audience's id.
    pub destination: String,
}

/// What is remembered of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginState {
    /// The last number of the change feed whose person was handled.
    pub cursor: i64,
    /// The plugin's own, as JSON.
    pub state: Option<String>,
}

impl Store {
    /// What every plugin of an organization that is served remembers, with Classy's id and the
    /// plugin's name.
    pub async fn plugin_memories(&self) -> Result<Vec<(i64, String, Option<String>)>, Error> {
        let served = plugin_state::Entity::find()
            .filter(organization::Column::Status.eq(Status::Active.as_str()));
        let rows = with_organization(served, None)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading what plugins remember", error))?;
        let memory = |OfOrganization { row, classy_id }: OfOrganization<plugin_state::Model>| {
            (classy_id.unwrap_or_default(), row.plugin, row.state)
        };
        Ok(rows.into_iter().map(memory).collect())
    }
}

impl TenantStore {
    /// What is remembered; of a plugin that delivers to another place than before, nothing.
    pub async fn plugin_state(&self, key: &PluginKey) -> Result<PluginState, Error> {
        let row = plugin_state::Entity::find()
            .filter(self.here::<plugin_state::Entity>(key))
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading a plugin's state", error))?;
        Ok(row.map_or_else(PluginState::default, |row| PluginState {
            cursor: row.cursor,
            state: row.state,
        }))
    }

    /// The place to which the plugin delivered last, with what it remembered of it, if that is
    /// another place than this one.
    pub async fn place_of_before(
        &self,
        key: &PluginKey,
    ) -> Result<Option<(String, Option<String>)>, Error> {
        let row = plugin_state::Entity::find()
            .filter(self.elsewhere::<plugin_state::Entity>(key))
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading where a plugin delivered before", error))?;
        Ok(row.and_then(|row| Some((row.destination?, row.state))))
    }

    /// Notes something that a plugin did in the audit trail, as `PLUGIN.WHAT`.
    pub async fn note_of_plugin(
        &self,
        key: &PluginKey,
        what: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        let (action, subject) = (
            format!("{}.{what}", key.plugin),
            format!("plugin:{}", key.plugin),
        );
        audit::note_by(
            self.connection(),
            self.dialect(),
            &key.plugin,
            Some(self.organization_id),
            &action,
            &subject,
            detail,
        )
        .await
    }

    /// Remembers.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn set_plugin_state(
        &self,
        fence: &Fence,
        key: &PluginKey,
        state: &PluginState,
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            save(&tx, self, key, state).await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

async fn save<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    state: &PluginState,
) -> Result<(), Error> {
    let failed = |error| Error::query("writing a plugin's state", error);
    plugin_state::Entity::delete_many()
        .filter(tenant.of_plugin::<plugin_state::Entity>(key))
        .exec(tx)
        .await
        .map_err(failed)?;
    let row = plugin_state::ActiveModel {
        organization_id: Set(tenant.organization_id),
        plugin: Set(key.plugin.clone()),
        destination: Set(Some(key.destination.clone())),
        cursor: Set(state.cursor),
        state: Set(state.state.clone()),
        updated_at: Set(clock::now()),
    };
    plugin_state::Entity::insert(row)
        .exec_without_returning(tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Moves the cursor within a transaction.
pub(super) async fn advance<C: ConnectionTrait>(
    tx: &C,
    tenant: &TenantStore,
    key: &PluginKey,
    cursor: i64,
) -> Result<(), Error> {
    let moved = plugin_state::ActiveModel {
        cursor: Set(cursor),
        updated_at: Set(clock::now()),
        ..Default::default()
    };
    let done = plugin_state::Entity::update_many()
        .set(moved)
        .filter(tenant.here::<plugin_state::Entity>(key))
        .exec(tx)
        .await
        .map_err(|error| Error::query("moving a plugin's cursor", error))?;
    if done.rows_affected == 0 {
        return save(
            tx,
            tenant,
            key,
            &PluginState {
                cursor,
                state: None,
            },
        )
        .await;
    }
    Ok(())
}
