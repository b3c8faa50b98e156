//! What came in month by month, for charts.

use super::statement::{sql, sum_text};
use super::value::money;
use super::{Error, Store};
use crate::domain::{Money, Time};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};

/// What came in during one month (UTC).
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
    ///
    /// # Errors
    /// Database errors.
    pub async fn giving_by_month(&self, classy_id: i64, since: Time) -> Result<Vec<Month>, Error> {
        let failed = |error| Error::query("reading gifts by month", error);
        let month = match self.backend() {
            DbBackend::Postgres => "to_char(t.purchased_at AT TIME ZONE 'UTC', 'YYYY-MM')",
            DbBackend::MySql => "DATE_FORMAT(t.purchased_at, '%Y-%m')",
            _ => "substr(t.purchased_at, 1, 7)",
        };
        let text = format!(
            "SELECT {month} AS gift_month, COUNT(*) AS gifts, {} AS total FROM transactions AS t \
             JOIN organizations AS o ON o.id = t.organization_id \
             WHERE o.classy_id = $1 AND t.purchased_at >= $2 AND t.status = 'success' AND t.absent_since IS NULL GROUP BY {month} ORDER BY 1",
            sum_text(self.backend(), "t.total_gross_amount")
        );
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, [classy_id.into(), since.into()])).await.map_err(failed)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }
}

fn read(row: &QueryResult) -> Result<Month, sea_orm::DbErr> {
    Ok(Month {
        month: row.try_get("", "gift_month")?,
        gifts: u64::try_from(row.try_get::<i64>("", "gifts")?).unwrap_or(0),
        total: money(row, "total")?.unwrap_or_default(),
    })
}
