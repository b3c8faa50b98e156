//! What came in month by month, for charts.

use super::statement::{sql, sum_text};
use super::value::money;
use super::{Error, Store};
use crate::clock;
use crate::domain::{Money, Time, Zone};
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, QueryResult};

/// What came in during one month of the organization's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// `2026-01`
    pub month: String,
    /// Gifts that succeeded.
    pub gifts: u64,
    /// Their sum, in the organization's currency.
    pub total: Money,
}

impl Store {
    /// The months since a moment in which anything came in, the earliest first.
    pub async fn giving_by_month(&self, classy_id: i64, since: Time) -> Result<Vec<Month>, Error> {
        let failed = |error| Error::query("reading gifts by month", error);
        let zone = Zone::of(
            self.organization(classy_id)
                .await?
                .and_then(|organization| organization.timezone)
                .as_deref(),
        );
        let months = zone.months(since, clock::now());
        // When each month begins in the organization's zone, the latest first: no database needs to
        // know the zone.
        let name = |month: &(NaiveDate, Time)| month.0.format("%Y-%m").to_string();
        let later: Vec<&(NaiveDate, Time)> = months.iter().skip(1).rev().collect();
        let cases: String = later
            .iter()
            .enumerate()
            .map(|(place, month)| {
                format!(
                    "WHEN t.purchased_at >= ${} THEN '{}' ",
                    place + 1,
                    name(month)
                )
            })
            .collect();
        let first = months.first().map(name).unwrap_or_default();
        let month = if cases.is_empty() {
            format!("'{first}'")
        } else {
            format!("CASE {cases}ELSE '{first}' END")
        };
        let text = format!(
            "SELECT g.gift_month, COUNT(*) AS gifts, {} AS total FROM (SELECT {month} AS gift_month, t.total_gross_amount \
             FROM transactions AS t JOIN organizations AS o ON o.id = t.organization_id \
             WHERE o.classy_id = ${} AND t.purchased_at >= ${} AND t.status = 'success' AND t.absent_since IS NULL) AS g \
             GROUP BY g.gift_month ORDER BY 1",
            sum_text(self.backend(), "g.total_gross_amount"),
            later.len() + 1,
            later.len() + 2
        );
        let values = later
            .iter()
            .map(|(_, start)| (*start).into())
            .chain([classy_id.into(), since.into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

fn read(row: &QueryResult) -> Result<Month, sea_orm::DbErr> {
    Ok(Month {
        month: row.try_get("", "gift_month")?,
        gifts: u64::try_from(row.try_get::<i64>("", "gifts")?).unwrap_or(0),
        total: money(row, "total")?.unwrap_or_default(),
    })
}
