//! What the ledger says of people together: why they are where they are, and how many of those who
//! said no are mailed all the same.

use super::PluginKey;
use crate::domain::{STILL_SUBSCRIBED, WAITS_FOR_ROOM};
use crate::store::statement::sql;
use crate::store::{Error, Store, TenantStore, tuple};
use sea_orm::FromQueryResult;

/// Why so many people are in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct ReasonCount {
    /// A fate's word.
    pub state: String,
    /// Why; of those who are delivered a note.
    pub reason: String,
    /// How many people have this reason.
    #[sea_orm(from_alias = "n")]
    pub people: i64,
}

/// How many people wait for room on the other side.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct RoomCount {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// With the other side's words.
    pub reason: String,
    /// How many people wait for this reason.
    #[sea_orm(from_alias = "n")]
    pub people: i64,
}

impl Store {
    /// Who waits for room, at the places that are delivered to now; as of the last delivery.
    ///
    /// # Errors
    /// The database does not answer, or not as expected.
    pub async fn room_counts(&self) -> Result<Vec<RoomCount>, Error> {
        let failed = |error| Error::query("counting who waits for room", error);
        let text = format!(
            "SELECT o.classy_id, d.plugin, d.reason, {} AS n FROM plugin_deliveries AS d JOIN organizations AS o ON o.id = d.organization_id \
             JOIN plugin_states AS p ON p.organization_id = d.organization_id AND p.plugin = d.plugin AND p.destination = d.destination \
             WHERE d.state = 'deferred' AND d.reason LIKE '{WAITS_FOR_ROOM}%' GROUP BY o.classy_id, d.plugin, d.reason",
            self.dialect().as_bigint("COUNT(*)")
        );
        RoomCount::find_by_statement(sql(self.dialect(), &text, []))
            .all(self.connection())
            .await
            .map_err(failed)
    }
}

impl TenantStore {
    /// The reasons that most people share, those with most people first; not of who is skipped,
    /// which is no trouble.
    pub async fn reasons(&self, key: &PluginKey, limit: u64) -> Result<Vec<ReasonCount>, Error> {
        let failed = |error| Error::query("counting reasons", error);
        let text = format!(
            "SELECT state, reason, {} AS n FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
             AND state <> 'skipped' AND reason IS NOT NULL GROUP BY state, reason ORDER BY n DESC, state, reason LIMIT {limit}",
            self.dialect().as_bigint("COUNT(*)")
        );
        ReasonCount::find_by_statement(sql(self.dialect(), &text, self.plugin_values(key)))
            .all(self.connection())
            .await
            .map_err(failed)
    }

    /// How many contacts are mailed though their supporter said no here, since they were there
    /// before us; as of the last delivery.
    pub async fn count_still_subscribed(&self, key: &PluginKey) -> Result<i64, Error> {
        let failed = |error| Error::query("counting who is still subscribed", error);
        let text = format!(
            "SELECT {} AS n FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
             AND state = 'skipped' AND reason LIKE '%{STILL_SUBSCRIBED}'",
            self.dialect().as_bigint("COUNT(DISTINCT address)")
        );
        let statement = sql(self.dialect(), &text, self.plugin_values(key));
        let count = tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?;
        Ok(count.unwrap_or_default())
    }
}
