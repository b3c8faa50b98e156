//! What the clocks of time zones show, for the views: databases know zones by different names and
//! of different years, or not at all.

use super::row::time_text;
use super::statement::sql;
use super::{Error, Store};
use crate::domain::{Time, Zone};
use crate::entities::{organization, zone_clock};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    Value,
};

impl Store {
    /// Writes down what the views need of the zones of all organizations.
    pub async fn keep_zones(&self) -> Result<(), Error> {
        let failed = |error| Error::query("reading time zones", error);
        let zones = organization::Entity::find()
            .select_only()
            .column(organization::Column::Timezone)
            .distinct();
        let names: Vec<Option<String>> = zones
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)?;
        for name in names.into_iter().flatten() {
            keep_clocks(self, Zone::of(Some(&name))).await?;
        }
        Ok(())
    }
}

/// Writes a zone's clocks down, unless they are there.
pub(super) async fn keep_clocks(store: &Store, zone: Zone) -> Result<(), Error> {
    let failed = |error| Error::query("writing a time zone's clocks", error);
    let (connection, backend) = (store.connection(), store.backend());
    let is_known = async || {
        zone_clock::Entity::find()
            .filter(zone_clock::Column::TimeZone.eq(zone.name()))
            .count(connection)
            .await
    };
    if is_known().await.map_err(failed)? > 0 {
        return Ok(());
    }
    // In one statement: all of them are there, or none. Somebody else may write the same at the
    // same time.
    let offsets = zone.offsets();
    let rows: Vec<String> = (0..offsets.len())
        .map(|row| format!("(${}, ${}, ${})", 3 * row + 1, 3 * row + 2, 3 * row + 3))
        .collect();
    let text = format!(
        "INSERT INTO zone_clocks (time_zone, from_at, offset_s) VALUES {}",
        rows.join(", ")
    );
    // As a text where a moment before 1970 is none.
    let moment = |at: Time| {
        if backend == DbBackend::MySql {
            Value::from(time_text(at, backend))
        } else {
            at.into()
        }
    };
    let values = offsets
        .into_iter()
        .flat_map(|(at, offset)| [zone.name().into(), moment(at), i64::from(offset).into()]);
    match connection.execute_raw(sql(backend, &text, values)).await {
        Err(error) if is_known().await.map_err(failed)? == 0 => Err(failed(error)),
        _ => Ok(()),
    }
}
