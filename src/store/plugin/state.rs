//! How far a plugin has read the change feed, and what it wants to remember.

use crate::clock;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{quoted, sql};
use crate::store::{Error, Fence, Store, TenantStore, audit};
use sea_orm::ConnectionTrait;

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
        let failed = |error| Error::query("reading what plugins remember", error);
        let text = "SELECT o.classy_id, p.plugin, p.state FROM plugin_states AS p JOIN organizations AS o ON o.id = p.organization_id \
                    WHERE o.status = 'active'";
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, []))
            .await
            .map_err(failed)?;
        let read = |row: &sea_orm::QueryResult| {
            Ok((
                row.try_get("", "classy_id")?,
                row.try_get("", "plugin")?,
                row.try_get("", "state")?,
            ))
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

impl TenantStore {
    /// What is remembered; of a plugin that delivers to another place than before, nothing.
    pub async fn plugin_state(&self, key: &PluginKey) -> Result<PluginState, Error> {
        let failed = |error| Error::query("reading a plugin's state", error);
        let text = format!(
            "SELECT {} AS position, state FROM plugin_states WHERE organization_id = $1 AND plugin = $2 AND destination = $3",
            quoted(self.backend(), "cursor")
        );
        let values = [
            self.organization_id.into(),
            key.plugin.as_str().into(),
            key.destination.as_str().into(),
        ];
        match self
            .connection()
            .query_one_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?
        {
            None => Ok(PluginState::default()),
            Some(row) => Ok(PluginState {
                cursor: row.try_get("", "position").map_err(failed)?,
                state: row.try_get("", "state").map_err(failed)?,
            }),
        }
    }

    /// The place to which the plugin delivered last, with what it remembered of it, if that is
    /// another place than this one.
    pub async fn place_of_before(
        &self,
        key: &PluginKey,
    ) -> Result<Option<(String, Option<String>)>, Error> {
        let failed = |error| Error::query("reading where a plugin delivered before", error);
        let text = "SELECT destination, state FROM plugin_states WHERE organization_id = $1 AND plugin = $2 AND destination <> $3";
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let read = |row: sea_orm::QueryResult| {
            Ok((row.try_get("", "destination")?, row.try_get("", "state")?))
        };
        row.map(read).transpose().map_err(failed)
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
            self.backend(),
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
    let (backend, cursor) = (tenant.backend(), quoted(tenant.backend(), "cursor"));
    let of = || [tenant.organization_id.into(), key.plugin.as_str().into()];
    tx.execute_raw(sql(
        backend,
        "DELETE FROM plugin_states WHERE organization_id = $1 AND plugin = $2",
        of(),
    ))
    .await
    .map_err(failed)?;
    let text = format!(
        "INSERT INTO plugin_states (organization_id, plugin, destination, {cursor}, state, updated_at) VALUES ($1, $2, $3, $4, $5, $6)"
    );
    let rest = [
        key.destination.as_str().into(),
        state.cursor.into(),
        state.state.clone().into(),
        clock::now().into(),
    ];
    tx.execute_raw(sql(backend, &text, of().into_iter().chain(rest)))
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
    let failed = |error| Error::query("moving a plugin's cursor", error);
    let text = format!(
        "UPDATE plugin_states SET {} = $1, updated_at = $2 WHERE organization_id = $3 AND plugin = $4 AND destination = $5",
        quoted(tenant.backend(), "cursor")
    );
    let of = [
        tenant.organization_id.into(),
        key.plugin.as_str().into(),
        key.destination.as_str().into(),
    ];
    let values = [cursor.into(), clock::now().into()].into_iter().chain(of);
    let done = tx
        .execute_raw(sql(tenant.backend(), &text, values))
        .await
        .map_err(failed)?;
    if done.rows_affected() == 0 {
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
