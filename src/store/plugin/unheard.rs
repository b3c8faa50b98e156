//! Additions of which nobody heard what became of them: sent, and never answered, here or at
//! another place of the plugin.

use super::PluginKey;
use crate::domain::{Address, Step, Time};
use crate::store::statement::sql;
use crate::store::{Error, TenantStore};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

impl TenantStore {
    /// Additions at the plugin's other places of which nobody heard what became of them: the place,
    /// who, and the address that was sent.
    pub async fn unheard_additions(
        &self,
        key: &PluginKey,
    ) -> Result<Vec<(String, i64, Address)>, Error> {
        let failed = |error| Error::query("reading what was sent to earlier audiences", error);
        let text = "SELECT destination, supporter_id, address FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 \
                    AND destination <> $3 AND state = 'sending' AND intent = $4 AND address IS NOT NULL ORDER BY destination, supporter_id";
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain([Step::Add.as_str().into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        let read = |row: &QueryResult| {
            let address: String = row.try_get("", "address")?;
            Ok(Address::parse(&address).map(|address| {
                Ok((
                    row.try_get("", "destination")?,
                    row.try_get("", "supporter_id")?,
                    address,
                ))
            }))
        };
        let rows: Vec<Option<Result<_, DbErr>>> = rows
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        rows.into_iter()
            .flatten()
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Additions at this place of which nobody heard what became of them: when their call was
    /// written down, which is the same for everybody in it, who, and the address that was sent.
    pub async fn unheard_here(&self, key: &PluginKey) -> Result<Vec<(Time, i64, Address)>, Error> {
        let failed = |error| Error::query("reading what was sent without an answer", error);
        let text = "SELECT updated_at, supporter_id, address FROM plugin_deliveries WHERE organization_id = $1 AND plugin = $2 \
                    AND destination = $3 AND state = 'sending' AND intent = $4 AND address IS NOT NULL ORDER BY supporter_id";
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain([Step::Add.as_str().into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        let read = |row: &QueryResult| {
            let address: String = row.try_get("", "address")?;
            Ok(Address::parse(&address).map(|address| {
                Ok((
                    row.try_get("", "updated_at")?,
                    row.try_get("", "supporter_id")?,
                    address,
                ))
            }))
        };
        let rows: Vec<Option<Result<_, DbErr>>> = rows
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        rows.into_iter()
            .flatten()
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
