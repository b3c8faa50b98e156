//! What the clocks of time zones show, for the views: databases know zones by different names and
//! of different years, or not at all.

use super::statement::sql;
use super::{Error, Store};
use crate::domain::{Time, Zone};
use crate::entities::{organization, zone_clock, zone_year};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    Select, Value,
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
    let moment = |at: Time| store.dialect().any_moment(at);
    let clocks = zone_clock::Entity::find().filter(zone_clock::Column::TimeZone.eq(zone.name()));
    keep(
        store,
        clocks,
        "zone_clocks (time_zone, from_at, offset_s)",
        || {
            let offsets = zone.offsets().into_iter();
            offsets
                .map(|(at, offset)| vec![zone.name().into(), moment(at), i64::from(offset).into()])
                .collect()
        },
    )
    .await?;
    let years = zone_year::Entity::find().filter(zone_year::Column::TimeZone.eq(zone.name()));
    let table = "zone_years (time_zone, year, from_at, until_at, offset_s)";
    keep(store, years, table, || {
        let offsets = zone.offsets_by_year().into_iter();
        offsets
            .map(|(year, from, until, offset)| {
                let (year, offset) = (i64::from(year), i64::from(offset));
                vec![
                    zone.name().into(),
                    year.into(),
                    moment(from),
                    moment(until),
                    offset.into(),
                ]
            })
            .collect()
    })
    .await
}

/// Writes rows into a table, unless there are such already.
async fn keep<E: EntityTrait>(
    store: &Store,
    known: Select<E>,
    table: &str,
    rows: impl FnOnce() -> Vec<Vec<Value>>,
) -> Result<(), Error>
where
    E::Model: Sync,
{
    let failed = |error| Error::query("writing a time zone's clocks", error);
    let (connection, dialect) = (store.connection(), store.dialect());
    let is_known = async || Ok::<_, DbErr>(known.clone().count(connection).await? > 0);
    if is_known().await.map_err(failed)? {
        return Ok(());
    }
    // In one statement: all of them are there, or none. Somebody else may write the same at the
    // same time.
    let rows = rows();
    let mut parameter = 0;
    let mut row = |values: &Vec<Value>| {
        let marks = values.iter().map(|_| {
            parameter += 1;
            format!("${parameter}")
        });
        format!("({})", marks.collect::<Vec<_>>().join(", "))
    };
    let marks: Vec<String> = rows.iter().map(&mut row).collect();
    let text = format!("INSERT INTO {table} VALUES {}", marks.join(", "));
    let values = rows.into_iter().flatten();
    match connection.execute_raw(sql(dialect, &text, values)).await {
        Err(error) if !is_known().await.map_err(failed)? => Err(failed(error)),
        _ => Ok(()),
    }
}
