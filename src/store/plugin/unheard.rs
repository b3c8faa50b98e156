//! Additions of which nobody heard what became of them: sent, and never answered, here or at
//! another place of the plugin.

use super::PluginKey;
use crate::domain::{Address, Step, Time};
use crate::entities::plugin_delivery::{Column, Entity};
use crate::store::{Error, TenantStore};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

impl TenantStore {
    /// Additions at the plugin's other places of which nobody heard what became of them: the place,
    /// who, and the address that was sent.
    pub async fn unheard_additions(
        &self,
        key: &PluginKey,
    ) -> Result<Vec<(String, i64, Address)>, Error> {
        let rows: Vec<(String, i64, String)> = unheard()
            .columns([Column::Destination, Column::SupporterId, Column::Address])
            .filter(self.elsewhere::<Entity>(key))
            .order_by_asc(Column::Destination)
            .order_by_asc(Column::SupporterId)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading what was sent to earlier audiences", error))?;
        Ok(with_addresses(rows))
    }

    /// Additions at this place of which nobody heard what became of them: when their call was
    /// written down, which is the same for everybody in it, who, and the address that was sent.
    pub async fn unheard_here(&self, key: &PluginKey) -> Result<Vec<(Time, i64, Address)>, Error> {
        let rows: Vec<(Time, i64, String)> = unheard()
            .columns([Column::UpdatedAt, Column::SupporterId, Column::Address])
            .filter(self.here::<Entity>(key))
            .order_by_asc(Column::SupporterId)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading what was sent without an answer", error))?;
        Ok(with_addresses(rows))
    }
}

/// Additions that were sent and never answered, wherever.
fn unheard() -> Select<Entity> {
    Entity::find()
        .select_only()
        .filter(Column::State.eq("sending"))
        .filter(Column::Intent.eq(Step::Add.as_str()))
        .filter(Column::Address.is_not_null())
}

/// Those of whom the address is one.
fn with_addresses<T>(rows: Vec<(T, i64, String)>) -> Vec<(T, i64, Address)> {
    rows.into_iter()
        .filter_map(|(what, who, address)| Some((what, who, Address::parse(&address)?)))
        .collect()
}
